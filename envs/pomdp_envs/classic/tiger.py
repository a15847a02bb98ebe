"""Listen until it is clear enough which of two doors a tiger is behind."""

from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count

LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)
HEARD_LEFT, HEARD_RIGHT, SILENCE = range(3)
ACCURACY = 0.85
LISTENING, TREASURE, TIGER = -1.0, 10.0, -100.0


class Tiger(Dynamics):
    """A tiger is behind one of two doors, a reward behind the other; a door opened, both are placed anew.

    Action space: Discrete(3): 0 listen, 1 open the left door, 2 open the right door.
    Observation space: Discrete(3): 0 the tiger was heard on the left, 1 on the right, 2 silence (at the start and after a
        door was opened; Kaelbling et al. give a random side then, which says as little).
    Start: the tiger is behind either door, equally likely; silence.
    Reward: -1 for listening, 10 for opening the door without the tiger, -100 for the other.
    End: terminated after `horizon` steps, which is part of the problem (the last steps are played differently); never
        truncated.
    Hidden state: [tiger (0 left, 1 right), heard (as observed), step], int64.

    Listening tells the right side with probability 0.85. The belief depends on how much more often the tiger was heard
    on the left than on the right since the last door, so the best return is found exactly, by dynamic programming over
    this difference and the steps left (`best_plan`). Without memory no policy, deterministic or random, gains more than
    -1 per step: opening a door on one hearing is worth 0.85 * 10 - 0.15 * 100 = -6.5, and a policy that opens more
    readily on one side only makes the hearings of that side, when it acts on them, less reliable. The best is to
    listen always: -horizon.

    Args:
        horizon: Steps of an episode.

    Raises:
        ValueError: no positive integer.

    Source: Kaelbling, Littman and Cassandra (1998), "Planning and acting in partially observable stochastic domains",
        section 5.1 (rewards and accuracy; there discounted without end, here undiscounted with a horizon).

    Versions: v0, the first.
    """

    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(3)
    time_limit = None
    initial_draws = 1
    transition_draws = 1
    memory_span = "since the last opened door"

    def __init__(self, horizon: int = 20) -> None:
        self.horizon = self.episode_length = checked_count("horizon", horizon)
        self.optimal_return = float(best_plan(self.horizon).value[self.horizon, self.horizon])
        self.memoryless_return = LISTENING * self.horizon

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Place the tiger: int64 [3, B]."""
        state = np.zeros((3, uniforms.shape[1]), dtype=np.int64)
        state[0] = uniforms[0] >= 0.5
        state[1] = SILENCE
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Listen, or open a door and place the tiger anew."""
        tiger, heard, step = state
        listens = action == LISTEN
        reward = np.where(listens, LISTENING, np.where(action - OPEN_LEFT == tiger, TIGER, TREASURE))
        heard[:] = np.where(listens, tiger ^ (uniforms[0] >= ACCURACY), SILENCE)
        tiger[:] = np.where(listens, tiger, uniforms[0] >= 0.5)
        step += 1
        return state, reward, step == self.horizon

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show what was heard, int64 [B]."""
        return state[1].copy()

    def text(self, state: np.ndarray) -> str:
        """Draw both doors with what is behind them, and what was heard."""
        doors = "[T] [ ]" if state[0] == 0 else "[ ] [T]"
        return f"{doors} {('heard left', 'heard right', 'silence')[state[1]]}"


class Plan(NamedTuple):
    """What is best; both arrays [horizon + 1, 2 horizon + 1] are indexed [steps left, horizon + difference].

    Attributes:
        value: the best expected sum of the rewards that are left.
        action: how to get it; listening where it is as good as another.
    """

    value: np.ndarray
    action: np.ndarray


def best_plan(horizon: int) -> Plan:
    """Find the best actions by dynamic programming over (steps left, hearings on the left minus on the right).

    V(n, d) = max of -1 + P(hear left | d) V(n - 1, d + 1) + P(hear right | d) V(n - 1, d - 1) and, for either door,
    its expected reward + V(n - 1, 0); V(0, d) = 0.
    """
    difference = np.arange(-horizon, horizon + 1)
    on_left = 1 / (1 + ((1 - ACCURACY) / ACCURACY) ** difference.astype(float))  # P(the tiger is left), [2 horizon + 1]
    hear_left = ACCURACY * on_left + (1 - ACCURACY) * (1 - on_left)
    doors = np.stack([TIGER * on_left + TREASURE * (1 - on_left), TREASURE * on_left + TIGER * (1 - on_left)])
    value = np.zeros((horizon + 1, len(difference)))
    action = np.zeros(value.shape, dtype=np.int64)
    for left in range(1, horizon + 1):
        later = np.pad(value[left - 1], 1, mode="edge")  # differences beyond the horizon cannot occur
        listen = LISTENING + hear_left * later[2:] + (1 - hear_left) * later[:-2]
        options = np.stack([listen, *(doors + value[left - 1, horizon])])  # [3, 2 horizon + 1]
        value[left], action[left] = options.max(axis=0), options.argmax(axis=0)
    return Plan(value, action)
