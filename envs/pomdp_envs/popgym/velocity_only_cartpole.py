"""Balance a pole from velocities, with POPGym's rewards and episode lengths."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.cartpole import CartPole, advance
from pomdp_envs.dynamics import checked_count

MEMORYLESS_STEPS = 200  # how long a policy of the current velocities balances


class VelocityOnlyCartPole(CartPole):
    """POPGym's VelocityOnlyCartPole: Gymnasium's CartPole-v1 of which only the two velocities are seen.

    Action space: Discrete(2): 0 pushes left, 1 right.
    Observation space: Box(-inf, inf, (2,), float32): velocity (m/s) and angular velocity (rad/s); but an episode's first
        observation is [position (m), angle (rad)]. (popgym does that, and nothing in the observation says so; kept. It
        makes the task solvable exactly: positions are the first one plus the sum of the velocities.)
    Start: all four variables uniform in [-0.05, 0.05).
    Reward: 1 / time_limit per step, also for the one in which the pole falls. (popgym's code has a penalty of -1 for
        that, which never applies; kept.)
    End: terminated beyond 2.4 m or 12 degrees, truncated after `time_limit` steps.
    Hidden state: [position, velocity, angle, angular velocity, 1 before the first step and 0 later], float64.

    The best return is 1, reached by summing up the velocities. But little memory is needed: a linear policy of the current
    velocities, which lets the angle and the position drift slowly, balances for 200 steps from every start that was tried
    (20,000), so that the best memoryless return is 1 in Easy. It gets 0.9995 in Medium and 0.85 in Hard, where the best is
    not known.

    Args:
        time_limit: 200 (Easy), 400 (Medium) or 600 (Hard).

    Raises:
        ValueError: a time limit that is no integer, or below 1.

    Source: popgym 1.0.7.

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    optimal_return = 1.0

    def __init__(self, time_limit: int = 200) -> None:
        steps = self.time_limit = checked_count("time_limit", time_limit)
        self.step_reward = 1.0 / steps
        suffices = steps <= MEMORYLESS_STEPS
        self.memory_span = "none" if suffices else "the whole episode"
        self.memoryless_return = 1.0 if suffices else None

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the four variables over [-0.05, 0.05): float64 [5, B]."""
        return np.concatenate([super().initial(uniforms), np.ones((1, uniforms.shape[1]))])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one Euler step of 0.02 s."""
        state[:4], terminated = advance(state[:4], action)
        state[4] = 0
        return state, np.full(len(action), self.step_reward), terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [velocity, angular velocity], or [position, angle] before the first step: float32 [B, 2]."""
        seen = np.where(state[4] == 1, state[0:4:2], state[1:4:2])  # [2, B]
        return seen.T.astype(np.float32, order="C")  # [B, 2]
