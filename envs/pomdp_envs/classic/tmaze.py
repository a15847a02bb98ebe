"""Remember a road sign until the junction at the end of a corridor."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.classic.maze_picture import maze_picture
from pomdp_envs.dynamics import Dynamics, checked_count

NORTH, EAST, SOUTH, WEST = range(4)
SIGN_NORTH, SIGN_SOUTH, CORRIDOR, JUNCTION = range(4)
CODES = np.array([[0, 1, 1], [1, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=np.float32)

RIGHT_TURN_REWARD = 4.0
PENALTY = -0.1
_STRIDE = np.array([0, 1, 0, -1])


class TMaze(Dynamics):
    """A corridor of places 0 (start) to `corridor_length` (junction); the goal lies north or south of the junction.

    Action space: Discrete(4): 0 north, 1 east, 2 south, 3 west. Walking into a wall is standing still.
    Observation space: Box(0, 1, (3,), float32): at the start 011 if the goal is north and 110 if it is south, in the
        corridor 101, at the junction 010. The sign is seen at the start only.
    Start: at place 0; both goals are equally likely.
    Reward: 4 for the right turn at the junction, -0.1 for the wrong one, -0.1 for standing still, 0 for a move.
    End: a turn terminates the episode; it is truncated after `time_limit` steps.
    Hidden state: [place, goal (0 north, 1 south)], int64.

    The best return is 4.0, reached in corridor_length + 1 steps by any policy that remembers the sign. Without memory
    the best is 1.95, the mean of 4 and -0.1: the junction looks the same for both goals, and to avoid a wrong turn by
    waiting costs at least as much as the turn.

    Args:
        corridor_length: Steps from the start to the junction, 10 unless given.
        time_limit: 10 (corridor_length + 1) unless given.

    Raises:
        ValueError: a corridor shorter than 1, a time limit within which no turn is possible, or one that is no integer.

    Source: Bakker (2001), "Reinforcement learning with long short-term memory", section 4.1 (codes, actions, rewards).
        The time limit is this library's.

    Versions: v0, the first.
    """

    action_space = spaces.Discrete(4)
    initial_draws = 1
    optimal_return = RIGHT_TURN_REWARD
    memoryless_return = (RIGHT_TURN_REWARD + PENALTY) / 2
    draws_pictures = True

    def __init__(self, corridor_length: int = 10, time_limit: int | None = None) -> None:
        self.corridor_length = checked_count("corridor_length", corridor_length)
        self.time_limit = checked_count(
            "time_limit", 10 * (self.corridor_length + 1) if time_limit is None else time_limit
        )
        if self.time_limit <= self.corridor_length:
            raise ValueError(f"time_limit must exceed corridor_length={corridor_length}, not {time_limit}")
        self.observation_space = spaces.Box(0.0, 1.0, (3,), np.float32)
        self.memory_span = f"{self.corridor_length} steps"

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Put the agent at the start and the goal north (0) or south (1): int64 [2, B]."""
        goal = (uniforms[0] >= 0.5).astype(np.int64)
        return np.stack([np.zeros_like(goal), goal])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move, or turn at the junction."""
        place, goal = state
        turns = (place == self.corridor_length) & (_STRIDE[action] == 0)
        right = turns & (action == np.where(goal == 0, NORTH, SOUTH))
        following = np.clip(place + _STRIDE[action], 0, self.corridor_length)
        reward = np.where(right, RIGHT_TURN_REWARD, np.where(following == place, PENALTY, 0.0))
        return np.stack([following, goal]), reward, turns

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the code of the place, float32 [B, 3]."""
        place, goal = state
        seen = np.where(place == self.corridor_length, JUNCTION, CORRIDOR)
        return CODES[np.where(place == 0, goal, seen)]  # [B, 3]; SIGN_NORTH, SIGN_SOUTH are the goal's numbers

    def text(self, state: np.ndarray) -> str:
        """Draw the corridor with the agent (@) and the arms, of which the goal's is a G."""
        place, goal = state
        corridor = "".join("@" if i == place else "." for i in range(self.corridor_length + 1))
        north, south = ("G", "x") if goal == 0 else ("x", "G")
        return f"{north:>{len(corridor)}}\n{corridor}\n{south:>{len(corridor)}}"

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw the maze from above: start (the sign) yellow, goal green, other arm red, agent blue."""
        place, goal = state.tolist()
        return maze_picture(self.corridor_length, place, 0, 1 if goal == 0 else -1)
