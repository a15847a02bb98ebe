"""RecurrentPPO and RecurrentA2C; each file reads top to bottom."""

from recurrent_rl.algorithms.a2c import RecurrentA2C
from recurrent_rl.algorithms.on_policy import NonFiniteError
from recurrent_rl.algorithms.ppo import RecurrentPPO

__all__ = ["NonFiniteError", "RecurrentA2C", "RecurrentPPO"]
