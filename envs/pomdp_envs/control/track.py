"""A position on a line of characters."""

WIDTH = 41


def track(position: float, low: float, high: float) -> str:
    """Draw a position between two bounds as "|---+---|"; outside them it stands at the nearer one."""
    share = min(max((float(position) - low) / (high - low), 0.0), 1.0)
    at = round(share * (WIDTH - 1))
    return "|" + "".join("+" if i == at else "-" for i in range(WIDTH)) + "|"
