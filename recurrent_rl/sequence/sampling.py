"""How what comes next is drawn from what a model says of it."""

from dataclasses import dataclass

import torch
from torch import Tensor

LEAST_TEMPERATURE = 1e-30
"""A logit divided by less can be too large for float32."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which of the model's distributions is drawn from.

        p_i ~ exp(logit_i / temperature) for the top_k largest logits, 0 for the others

    Args:
        temperature: 1 draws from the model itself, less makes the likely likelier, 0 takes the likeliest.
        top_k: How many of the likeliest are left to draw from, ties at the end among them; None for all.
        generator: Of the draws, on the CPU, so that they are the same on each device; None for torch's own.

    Raises:
        ValueError: A field out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        if not (self.temperature == 0 or self.temperature >= LEAST_TEMPERATURE):
            raise ValueError(
                f"temperature must be 0, or at least {LEAST_TEMPERATURE:g}; not {self.temperature!r}. 0 takes the likeliest."
            )
        if self.top_k is not None and (not isinstance(self.top_k, int) or self.top_k < 1):
            raise ValueError(f"top_k must be a whole number of at least 1, or None for all; not {self.top_k!r}.")

    def one_of(self, logits: Tensor) -> Tensor:
        """Return a draw for each row of logits [..., V], [...] int64."""
        if self.temperature == 0:
            return logits.argmax(-1)
        probabilities = self._kept(logits / self.temperature).softmax(-1).cpu()
        drawn = torch.multinomial(probabilities.flatten(0, -2), 1, generator=self.generator)
        return drawn.view(logits.shape[:-1]).to(logits.device)

    def each(self, logits: Tensor) -> Tensor:
        """Return a yes or no for each of independent logits [...], as 1 and 0 of their kind; top_k is not asked."""
        if self.temperature == 0:
            return (logits > 0).to(logits.dtype)
        probabilities = (logits / self.temperature).sigmoid().cpu()
        return torch.bernoulli(probabilities, generator=self.generator).to(logits.device)

    def _kept(self, logits: Tensor) -> Tensor:
        if self.top_k is None or self.top_k >= logits.shape[-1]:
            return logits
        least = logits.topk(self.top_k, dim=-1).values[..., -1:]
        return logits.masked_fill(logits < least, -torch.inf)
