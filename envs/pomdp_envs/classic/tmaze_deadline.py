"""Remember a road sign until the junction, with no step to spare; in the active form fetch the sign first."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.classic.maze_picture import maze_picture
from pomdp_envs.dynamics import Dynamics, checked_count

NORTH, EAST, SOUTH, WEST = range(4)
_EASTWARD = np.array([0, 1, 0, -1])
_NORTHWARD = np.array([1, 0, -1, 0])


class TMazeDeadline(Dynamics):
    """The sign is at place 0, the start `sign_distance` east of it, the junction `corridor_length` east of the start.

    Passive (TMazePassive, sign_distance 0): the first observation shows the sign. Active (TMazeActive, sign_distance 1):
    the agent may fetch the sign, which takes it one step back, or walk on without it; nothing but the end tells.

    Action space: Discrete(4): 0 north, 1 east, 2 south, 3 west, as in TMaze. Walking into a wall is standing still.
    Observation space: Box(-1, 1, (2,), float32): [0, sign] at place 0 at the first visit, where sign is 1 if the goal is
        north and -1 if it is south; [0, 0] there later and in the corridor; [1, 0] at the junction; [1, 1] in the
        northern and [1, -1] in the southern arm. The time is not seen.
    Start: at place sign_distance; both goals are equally likely.
    Reward: at the last step 1 in the right arm, otherwise 0; at every step t (from 1) before it -1 / corridor_length
        where the agent, after moving, is west of place t - sign_distance, that is, later than on the way to the sign
        and straight on to the junction.
    End: terminated after corridor_length + 2 sign_distance + 1 steps, just enough to fetch the sign and turn; never
        truncated.
    Hidden state: [place, arm (1 northern, -1 southern, 0 neither), goal (1 or -1), whether the sign was shown before,
        step], int64.

    The best return is 1: fetch the sign, walk and turn; no reward is above 0 before the last step, which gives at most
    1. Without memory the best is 0.5, to turn at random: who has seen the sign has no step to spare, and so turns only
    once, on an observation that does not show it; who has not seen it does not know.

    Args:
        corridor_length: Steps from the start to the junction, 10 unless given.
        sign_distance: Steps from the start back to the sign.

    Raises:
        ValueError: a corridor shorter than 1, a negative distance, or one that is no integer.

    Source: Ni, Ma, Eysenbach and Bacon (2023), "When do transformers shine in RL? Decoupling memory from credit
        assignment" (rewards and lengths as in its published code; the actions there are numbered east, north, west,
        south).

    Versions: v0, the first.
    """

    action_space = spaces.Discrete(4)
    time_limit = None
    episode_length: int
    initial_draws = 1
    optimal_return = 1.0
    memoryless_return = 0.5
    draws_pictures = True

    def __init__(self, corridor_length: int = 10, sign_distance: int = 0) -> None:
        self.corridor_length = checked_count("corridor_length", corridor_length)
        self.sign_distance = checked_count("sign_distance", sign_distance, least=0)
        self.junction = self.corridor_length + self.sign_distance
        self.episode_length = self.junction + self.sign_distance + 1
        self.observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.memory_span = f"{self.junction} steps"

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Put the agent at the start and the goal north or south: int64 [5, B]."""
        state = np.zeros((5, uniforms.shape[1]), dtype=np.int64)
        state[0] = self.sign_distance
        state[2] = np.where(uniforms[0] < 0.5, 1, -1)
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move, and judge the arm at the last step and the pace before it."""
        place, arm, goal, shown, step = state
        shown |= place == 0
        at_junction = place == self.junction
        place += _EASTWARD[action] * (arm == 0)
        place.clip(0, self.junction, out=place)
        arm += _NORTHWARD[action] * at_junction
        arm.clip(-1, 1, out=arm)
        step += 1
        ended = step == self.episode_length
        late = place < step - self.sign_distance
        reward = np.where(ended, arm == goal, late * (-1 / self.corridor_length))
        return state, reward, ended

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show whether the corridor is behind and the sign or the arm, float32 [B, 2]."""
        place, arm, goal, shown, _ = state
        seen = np.empty((len(place), 2), dtype=np.float32)
        seen[:, 0] = place == self.junction
        seen[:, 1] = arm + goal * ((place == 0) & (shown == 0))
        return seen

    def text(self, state: np.ndarray) -> str:
        """Draw the sign (?), the corridor with the agent (@) and the arms, of which the goal's is a G."""
        place, arm, goal = state[:3]
        corridor = ["?"] + ["."] * self.junction
        arms = {1: "x", -1: "x", goal: "G"}
        if arm == 0:
            corridor[place] = "@"
        else:
            arms[arm] = "@"
        return f"{arms[1]:>{len(corridor)}}\n{''.join(corridor)}\n{arms[-1]:>{len(corridor)}}"

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw the maze from above: sign yellow, goal green, other arm red, agent blue."""
        place, arm, goal = state[:3].tolist()
        return maze_picture(self.junction, place, arm, goal)
