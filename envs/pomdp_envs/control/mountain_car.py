"""Drive a weak car out of a valley without seeing its velocity."""

import math

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.rounding import rounded
from pomdp_envs.control.track import track
from pomdp_envs.dynamics import Dynamics

LEFT_WALL, RIGHT_WALL = -1.2, 0.6
GOAL = 0.45
MAX_SPEED = 0.07
POWER = 0.0015
GRAVITY = 0.0025
SLOPE_ERROR = 2.0**-54  # of a slope of at most 2**-8; the cosines of NumPy and of the C library err by about 2**-53


class MountainCarContinuousNoVel(Dynamics):
    """Gymnasium's MountainCarContinuous-v0, bit for bit, of which only [position] is seen.

    Action space: Box(-1, 1, (1,), float32): a force; one outside is clipped.
    Observation space: Box(-1.2, 0.6, (1,), float32): position.
    Start: position uniform in [-0.6, -0.4), at rest.
    Reward: -0.1 action^2 (not clipped), and 100 for reaching position 0.45.
    End: reaching it terminates the episode; truncated after 999 steps.
    Hidden state: [position, velocity, 1 where the two are in single precision], float64. (Gymnasium draws the first state
        in double precision and rounds every later one.)

    The optimal return is not known in closed form; to push along the last move gets about 89. Without memory the best that
    is known is 0, for doing nothing: a force that is a function of the position does work on net way only, which is not
    enough for the hill, and to gain the rest by pushing at random costs more than it brings.

    Source: Moore (1990), "Efficient memory-based learning for robot control"; hiding velocities:
        MountainCarContinuousNoVel-v0 of RL Baselines3 Zoo (which writes a zero in its place).

    Versions: v0, the first.
    """

    observation_space = spaces.Box(LEFT_WALL, RIGHT_WALL, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    time_limit = 999
    initial_draws = 1
    memory_span = "2 steps"

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Put the car at rest near the bottom."""
        position = uniforms[0] * 0.2 - 0.6
        return np.stack([position, np.zeros_like(position), np.zeros_like(position)])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one step; columns that have just started do it in double precision, as Gymnasium does."""
        position, velocity, single = state
        force = action[:, 0]  # [B], float32
        rounded_position = position.astype(np.float32)
        following, terminated = _advance(
            rounded_position, velocity.astype(np.float32), _rounded_acceleration(rounded_position, force)
        )
        starting = np.flatnonzero(single == 0)
        if len(starting):
            position, velocity = position[starting], velocity[starting]
            following[:, starting], terminated[starting] = _advance(
                position, velocity, _acceleration(position, force[starting])
            )
        reward = 100.0 * terminated - np.square(force, dtype=np.float64) * 0.1
        return np.concatenate([following, np.ones((1, len(force)))]), reward, terminated  # state: [3, B]

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [position], float32 [B, 1]."""
        return state[0][:, None].astype(np.float32)  # [B, 1]

    def text(self, state: np.ndarray) -> str:
        """Draw the car between the walls, with its velocity."""
        return f"{track(state[0], LEFT_WALL, RIGHT_WALL)} position {state[0]:+.3f}, velocity {state[1]:+.4f}"


def _advance(position: np.ndarray, velocity: np.ndarray, acceleration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move by one step in the precision of position and velocity [B].

    Returns:
        position and velocity, rounded to float32 [2, B], and terminated [B].
    """
    velocity = np.clip(velocity + acceleration, -MAX_SPEED, MAX_SPEED)
    position = np.clip(position + velocity, LEFT_WALL, RIGHT_WALL)
    velocity = np.where((position == LEFT_WALL) & (velocity < 0), 0, velocity)
    return np.stack([position, velocity]).astype(np.float32), (position >= GOAL) & (velocity >= 0)


def _acceleration(position: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Return the change of velocity, float64 [B].

    Gymnasium clips with Python's min and max: a clipped force becomes a Python float and the difference is then taken
    in double precision; any other stays float32. The cosine is the C library's.
    """
    slope = GRAVITY * np.array([math.cos(angle) for angle in (3 * position).tolist()])  # float64 [B]
    return np.where(
        np.abs(force) > 1,
        np.clip(force, -1, 1).astype(np.float64) * POWER - slope,
        force * POWER - slope.astype(np.float32),
    )


def _rounded_acceleration(position: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Return `_acceleration` rounded to float32 [B], without a call of the C library per column; positions float32 [B]."""
    slope = GRAVITY * np.cos(3 * position, dtype=np.float64)

    def exact_slope(index: int) -> float:
        return GRAVITY * math.cos(3 * position[index])

    result = force * POWER - rounded(slope, SLOPE_ERROR, exact_slope)
    clipped = np.abs(force) > 1
    if not clipped.any():
        return result
    pull = np.clip(force, -1, 1).astype(np.float64) * POWER  # [B]
    difference = rounded(pull - slope, SLOPE_ERROR, lambda index: pull[index] - exact_slope(index))
    return np.where(clipped, difference, result)
