"""Pure functions: returns and advantages, losses, masked statistics. No classes, no state."""

from recurrent_rl.functional.categorical import categorical
from recurrent_rl.functional.losses import clip_value_change, clipped_surrogate, kl_k3, masked_value_loss
from recurrent_rl.functional.masked import explained_variance, masked_mean, standardise
from recurrent_rl.functional.ppo import Objective, Stored, ppo_loss
from recurrent_rl.functional.returns import generalised_advantage

__all__ = [
    "Objective",
    "Stored",
    "categorical",
    "clip_value_change",
    "clipped_surrogate",
    "explained_variance",
    "generalised_advantage",
    "kl_k3",
    "masked_mean",
    "masked_value_loss",
    "ppo_loss",
    "standardise",
]
