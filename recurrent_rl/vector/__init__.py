"""Any environment as an SB3 VecEnv, and one plain face through which the collector reads it."""

from recurrent_rl.vector.gym_vec_env import GymVecEnv
from recurrent_rl.vector.keys import ENDED, FILLER
from recurrent_rl.vector.make import as_vec_env, check_id
from recurrent_rl.vector.normalize import VecNormalize, refuse_plain_normalize_over_next_step
from recurrent_rl.vector.state import (
    get_env_state,
    get_normaliser,
    set_env_state,
    set_normaliser,
    why_not_resumable,
    why_not_settable,
)
from recurrent_rl.vector.statistics import EpisodeStatistics
from recurrent_rl.vector.transition import Transition, find_non_finite, find_non_finite_step, read_step
from recurrent_rl.vector.tuples import without_tuples

__all__ = [
    "ENDED",
    "FILLER",
    "EpisodeStatistics",
    "GymVecEnv",
    "Transition",
    "VecNormalize",
    "as_vec_env",
    "check_id",
    "find_non_finite",
    "find_non_finite_step",
    "get_env_state",
    "get_normaliser",
    "read_step",
    "refuse_plain_normalize_over_next_step",
    "set_env_state",
    "set_normaliser",
    "why_not_resumable",
    "why_not_settable",
    "without_tuples",
]
