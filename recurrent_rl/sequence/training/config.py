"""How a network is trained."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of the trainer; all models of a comparison share those that are not tuned.

    Args:
        optimiser: "adamw", "adam", "rmsprop" or "sgd" (with momentum 0.9).
        learning_rate: At its highest.
        weight_decay: Of the optimiser.
        warmup: Steps over which the learning rate rises from 0.
        schedule: "cosine" to fall to 0 at the last step, "constant" to stay.
        clip_norm: Largest norm of all gradients together; None for any.
        clip_value: Largest size of one gradient, applied before the norm; None for any.
        batch_size: Sequences.
        steps: Optimiser steps.
        evaluate_every: Steps between evaluations on the validation data.
        patience: Evaluations without a better score after which training ends; None to go on.
        bptt_horizon: Steps in time through which gradients flow; longer sequences are read in pieces of that length, one
            optimiser step for each, the state carried on. None reads sequences whole.
        seed: Of the order of examples and of dropout.
        device: "auto" takes a GPU where there is one.
    """

    optimiser: Literal["adamw", "adam", "rmsprop", "sgd"] = "adamw"
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    warmup: int = 0
    schedule: Literal["cosine", "constant"] = "cosine"
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    batch_size: int = 32
    steps: int = 2000
    evaluate_every: int = 200
    patience: int | None = None
    bptt_horizon: int | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("batch_size", "steps", "evaluate_every", "patience", "bptt_horizon"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")
        for name in ("learning_rate", "clip_norm", "clip_value"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0, not {value!r}.")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(f"weight_decay must be at least 0, not {self.weight_decay!r}.")
        if not 0 <= self.warmup < self.steps:
            raise ValueError(f"warmup must be from 0 to below steps = {self.steps}, not {self.warmup!r}.")
