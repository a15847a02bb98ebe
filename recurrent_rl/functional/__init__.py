"""Pure functions: returns and advantages, losses, masked statistics. No state."""

from recurrent_rl.functional.actor_critic import Objective, Stored, actor_critic_loss
from recurrent_rl.functional.categorical import categorical
from recurrent_rl.functional.clip import clip_gradients
from recurrent_rl.functional.gaussian import diagonal_gaussian
from recurrent_rl.functional.losses import clip_value_change, clipped_surrogate, kl_k3, masked_value_loss
from recurrent_rl.functional.masked import explained_variance, masked_mean, standardise
from recurrent_rl.functional.returns import generalised_advantage

__all__ = [
    "Objective",
    "Stored",
    "actor_critic_loss",
    "categorical",
    "clip_gradients",
    "clip_value_change",
    "clipped_surrogate",
    "diagonal_gaussian",
    "explained_variance",
    "generalised_advantage",
    "kl_k3",
    "masked_mean",
    "masked_value_loss",
    "standardise",
]
