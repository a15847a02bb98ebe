"""A picture of a T-maze from above."""

import numpy as np

WALL, FLOOR, SIGN, GOAL, OTHER_ARM, AGENT = range(6)
COLOURS = np.array(
    [[45, 45, 50], [235, 235, 230], [250, 200, 60], [70, 170, 90], [205, 90, 80], [50, 100, 200]], dtype=np.uint8
)
WIDTH = 256  # about so many pixels


def maze_picture(junction: int, place: int, arm: int, goal: int) -> np.ndarray:
    """Draw corridor, sign, arms and agent.

    Args:
        junction: The place of the junction; the sign is at place 0.
        place: The agent's, along the corridor.
        arm: -1 where the agent is in the southern arm, 1 in the northern one, 0 in the corridor.
        goal: -1 where the goal is the southern arm, 1 where it is the northern one.

    Returns:
        uint8 [height, width, 3].
    """
    cells = np.full((5, junction + 3), WALL)  # rows from north to south, with a wall around
    cells[2, 1:-1] = FLOOR
    cells[2, 1] = SIGN
    cells[2 - goal, junction + 1] = GOAL
    cells[2 + goal, junction + 1] = OTHER_ARM
    cells[2 - arm, place + 1] = AGENT
    side = max(2, WIDTH // cells.shape[1])
    return COLOURS[cells].repeat(side, axis=0).repeat(side, axis=1)
