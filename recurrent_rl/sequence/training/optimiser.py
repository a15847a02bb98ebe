"""The optimiser, and its learning rate over time."""

import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from recurrent_rl.sequence.training.config import TrainConfig

MOMENTUM = 0.9  # of plain gradient descent


def make_optimiser(parameters: Iterable[nn.Parameter], config: TrainConfig) -> torch.optim.Optimizer:
    """Return the configured optimiser of `parameters`."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "adamw":
        return torch.optim.AdamW(parameters, rate, weight_decay=decay)
    if config.optimiser == "adam":
        return torch.optim.Adam(parameters, rate, weight_decay=decay)
    if config.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, weight_decay=decay)
    return torch.optim.SGD(parameters, rate, momentum=MOMENTUM, weight_decay=decay)


def learning_rate(config: TrainConfig, step: int) -> float:
    """Return the rate of a step, 0 to steps - 1.

    It rises to `learning_rate` in `warmup` steps, in a line; then it stays, or falls as half a cosine that would be 0 at
    `steps`.

    Source: Loshchilov and Hutter 2017, SGDR (the cosine).
    """
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    if config.schedule == "constant":
        return config.learning_rate
    done = (step - config.warmup) / (config.steps - config.warmup)
    return 0.5 * config.learning_rate * (1.0 + math.cos(math.pi * done))


def take_step(network: nn.Module, optimiser: torch.optim.Optimizer, config: TrainConfig, step: int) -> None:
    """Clip the gradients that the network holds, move its parameters, and drop the gradients."""
    parameters = list(network.parameters())
    if config.clip_value is not None:
        clip_grad_value_(parameters, config.clip_value)
    if config.clip_norm is not None:
        clip_grad_norm_(parameters, config.clip_norm)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(config, step)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
