"""What the updates of all algorithms share: the optimiser step and the figures of an update."""

import time
from typing import Any

import torch
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from torch import Tensor

from recurrent_rl.functional import clip_gradients
from recurrent_rl.policies import RecurrentActorCriticPolicy


def optimiser_step(policy: RecurrentActorCriticPolicy, loss: Tensor, max_grad_norm: float) -> Tensor:
    """Step the policy's optimiser down the gradient of `loss`; return the gradient's norm before clipping."""
    parameters = [parameter for group in policy.optimizer.param_groups for parameter in group["params"]]
    for parameter in parameters:
        parameter.grad = None
    loss.backward()
    norm = clip_gradients([parameter.grad for parameter in parameters if parameter.grad is not None], max_grad_norm)
    policy.optimizer.step()
    return norm


class UpdateLog:
    """Figures of one update; they stay on the device until the update is over, and are read once.

    Args:
        logger: SB3's.
        explained_variance: Of the critic before the update.
    """

    def __init__(self, logger: Logger, explained_variance: Tensor) -> None:
        self._logger = logger
        self._explained_variance = explained_variance
        self._epochs: list[dict[str, Tensor]] = []
        self._minibatches: list[dict[str, Tensor]] = []
        self._first: dict[str, Tensor] | None = None

    def append(self, figures: dict[str, Tensor]) -> None:
        """Take the figures of one minibatch."""
        if self._first is None:
            self._first = figures
        self._minibatches.append(figures)

    def end_epoch(self) -> None:
        """Average over the minibatches since the last epoch's end."""
        minibatches, self._minibatches = self._minibatches, []
        if minibatches:
            # The last minibatch of a stopped update has no gradient norm.
            names = {name: None for figures in minibatches for name in figures}
            values = {name: [figures[name] for figures in minibatches if name in figures] for name in names}
            self._epochs.append({name: torch.stack(found).mean() for name, found in values.items()})

    def record(self, name: str, value: Tensor | None) -> None:
        """Log one further scalar; None logs nothing."""
        if value is not None:
            self._logger.record(name, value.item())

    def write(self, algorithm: OnPolicyAlgorithm, started: float) -> None:
        """Log everything: means over the last epoch, KL per epoch, the first pass, speed since `started`.

        Raises:
            FloatingPointError: The update produced NaN or infinite gradients.
        """
        assert self._first is not None
        last: dict[str, Any] = {name: value.item() for epoch in self._epochs for name, value in epoch.items()}
        for name, value in last.items():
            if name != "ratio_error":
                self._logger.record(f"train/{name}", value)
        kls = [epoch["approx_kl"].item() for epoch in self._epochs if "approx_kl" in epoch]
        for epoch, kl in enumerate(kls):
            self._logger.record(f"train/kl_epoch_{epoch + 1:02d}", kl, exclude="stdout")
        if kls:
            self._logger.record("train/kl_max", max(kls))
            self._logger.record("train/first_ratio_error", self._first["ratio_error"].item())
        self.record("train/explained_variance", self._explained_variance)
        log_std = algorithm.policy.log_std
        if isinstance(log_std, Tensor):
            self.record("train/std", log_std.detach().exp().mean())
        self._logger.record("train/n_updates", algorithm._n_updates, exclude="tensorboard")
        seconds = time.perf_counter() - started  # after the figures were read, so the device has done its work
        self._logger.record("time/update_fps", int(algorithm.n_steps * algorithm.n_envs / seconds))
        if not torch.isfinite(torch.tensor(last["loss"])):
            raise FloatingPointError(
                f"The loss of update {algorithm._n_updates} is not finite, so the weights are lost. Lower learning_rate or "
                "max_grad_norm, normalise observations and rewards, and start from an earlier checkpoint."
            )
