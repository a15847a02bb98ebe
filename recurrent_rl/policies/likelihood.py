"""Log-probabilities and entropies of stored actions, in one pass for the distributions that have one."""

from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    DiagGaussianDistribution,
    Distribution,
    MultiCategoricalDistribution,
)
from torch import Tensor

from recurrent_rl.functional import categorical, diagonal_gaussian


def in_one_pass(
    distribution: Distribution, parameters: Tensor, log_std: Tensor | None, actions: Tensor
) -> tuple[Tensor, Tensor] | None:
    """Return log p(action) and entropy, each [R], or None where SB3's own operations must do.

    Args:
        distribution: Its kind alone counts.
        parameters: Output of the action net [R, A].
        log_std: Log standard deviations [A] of a Gaussian.
        actions: [R, ...], as stored.
    """
    kind = type(distribution)
    if kind is CategoricalDistribution:
        return categorical(parameters, actions)
    if kind is MultiCategoricalDistribution:
        return categorical(parameters, actions, distribution.action_dims)  # type: ignore[attr-defined]
    if kind is DiagGaussianDistribution and log_std is not None:
        return diagonal_gaussian(parameters, log_std, actions)
    return None
