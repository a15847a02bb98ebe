"""Acting as one compiled program."""
