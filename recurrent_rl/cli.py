"""The command line: `recurrent-rl train | evaluate`."""


def main() -> None:
    """Run the command line."""
    raise SystemExit("nothing here yet")
