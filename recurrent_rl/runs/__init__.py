"""A run: its configuration, its folder, training, evaluation and pictures."""
