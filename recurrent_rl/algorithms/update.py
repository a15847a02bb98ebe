"""What the updates of all algorithms share: the optimiser step and the figures of an update."""

import math
import time
from statistics import fmean
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
        self._epochs: list[list[dict[str, Tensor]]] = [[]]

    def append(self, figures: dict[str, Tensor]) -> None:
        """Take the figures of one minibatch."""
        self._epochs[-1].append(figures)

    def end_epoch(self) -> None:
        """Let the next minibatches be of another epoch."""
        self._epochs.append([])

    def record(self, name: str, value: Tensor | None) -> None:
        """Log one further scalar; None logs nothing."""
        if value is not None:
            self._logger.record(name, value.item())

    def write(self, algorithm: OnPolicyAlgorithm, started: float) -> None:
        """Log everything: means over the last epoch, KL per epoch, the first pass, speed since `started`.

        Raises:
            FloatingPointError: The update produced NaN or infinite gradients.
        """
        epochs = _read(self._epochs)
        means = [_means(epoch) for epoch in epochs if epoch]
        last: dict[str, Any] = {name: value for epoch in means for name, value in epoch.items()}
        for name, value in last.items():
            if name != "ratio_error":
                self._logger.record(f"train/{name}", value)
        kls = [epoch["approx_kl"] for epoch in means if "approx_kl" in epoch]
        for epoch, kl in enumerate(kls):
            self._logger.record(f"train/kl_epoch_{epoch + 1:02d}", kl, exclude="stdout")
        if kls:
            self._logger.record("train/kl_max", max(kls))
            self._logger.record("train/first_ratio_error", epochs[0][0]["ratio_error"])
        self.record("train/explained_variance", self._explained_variance)
        log_std = algorithm.policy.log_std
        if isinstance(log_std, Tensor):
            self.record("train/std", log_std.detach().exp().mean())
        self._logger.record("train/n_updates", algorithm._n_updates, exclude="tensorboard")
        seconds = time.perf_counter() - started  # after the figures were read, so the device has done its work
        self._logger.record("time/update_fps", int(algorithm.n_steps * algorithm.n_envs / seconds))
        if not math.isfinite(last["loss"]):
            raise FloatingPointError(
                f"The loss of update {algorithm._n_updates} is not finite, so the weights are lost. Lower learning_rate or "
                "max_grad_norm, normalise observations and rewards, and start from an earlier checkpoint."
            )


def _read(epochs: list[list[dict[str, Tensor]]]) -> list[list[dict[str, float]]]:
    """Return the figures of each epoch's minibatches as numbers; the device is waited for once."""
    flat = [value for epoch in epochs for figures in epoch for value in figures.values()]
    numbers = iter(torch.stack(flat).tolist())
    return [[{name: next(numbers) for name in figures} for figures in epoch] for epoch in epochs]


def _means(minibatches: list[dict[str, float]]) -> dict[str, float]:
    """Return each figure's mean; the last minibatch of a stopped update has no gradient norm."""
    names = {name: None for figures in minibatches for name in figures}
    return {name: fmean(figures[name] for figures in minibatches if name in figures) for name in names}
