"""Pictures of boards and mazes, made of square tiles."""

import numpy as np

WIDTH = 256  # pixels, about


def tiles(colours: np.ndarray, gap: int = 0) -> np.ndarray:
    """Draw every colour as a square; together they are about `WIDTH` pixels wide.

    Args:
        colours: uint8 [rows, columns, 3].
        gap: pixels of black between the squares.

    Returns:
        uint8 [rows * side, columns * side, 3].
    """
    side = max(WIDTH // colours.shape[1], 2 * gap + 1)
    picture = colours.repeat(side, axis=0).repeat(side, axis=1)  # [rows * side, columns * side, 3]
    for line in range(gap):
        picture[line::side] = 0
        picture[:, line::side] = 0
    return picture
