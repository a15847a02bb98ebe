"""Forecasting: quantiles of the values at the next h steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.sequence.batch import Array, Batch, Examples
from recurrent_rl.sequence.problems import Problem, Regression, Scores

NINE_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, kw_only=True)
class Forecast(Problem):
    """Q quantiles of each of h values that follow a sequence. Targets: [h] float32, scaled. Scores: mape, mase, crps.

        pinball(q, y, f) = max(q (y - f), (q - 1)(y - f))    least, on average, where f is the quantile of level q
        mape = 100 mean |y - m| / |y|                        m: the median
        mase = mean |y - m| / naive_error
        crps = 2 mean pinball                                over the levels; of one level 1/2 it is the mean |y - m|

    The head gives h * Q numbers, the levels of a step side by side; sorted, they are the quantiles, so they never cross and
    never lose by it. Scores are in the units of y, loss in those of (y - offset) / scale.

    Args:
        horizon: Steps ahead, h.
        levels: Of the quantiles, rising within (0, 1), 1/2 among them.
        offset: What was taken from the values, and
        scale: what they were divided by then, to give the targets.
        naive_error: Mean absolute error in training of the forecast that the season repeats, in the units of y.
        observed: Columns of the input that hold, at each step, the next of the values that are forecast, scaled as the
            targets are; none where no column does. So a model of the inputs is one of the values.

    Source: Koenker and Bassett 1978, Regression Quantiles; Chernozhukov, Fernandez-Val, Galichon 2010, Quantile and
    Probability Curves Without Crossing (sorting); Hyndman and Koehler 2006, Another Look at Measures of Forecast Accuracy
    (mase); Gneiting and Raftery 2007, Strictly Proper Scoring Rules, Prediction, and Estimation (crps).
    """

    horizon: int
    levels: tuple[float, ...] = NINE_TENTHS
    offset: float = 0.0
    scale: float = 1.0
    naive_error: float = 1.0
    observed: tuple[int, ...] = ()
    per_step = False
    loss_name = "crps"

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"{self}: horizon must be at least 1.")
        rising = all(low < high for low, high in zip((0.0, *self.levels), (*self.levels, 1.0), strict=True))
        if not rising or 0.5 not in self.levels:
            raise ValueError(f"{self}: levels must rise within (0, 1), with 0.5 among them.")
        if self.scale <= 0 or self.naive_error <= 0:
            raise ValueError(f"{self}: scale and naive_error must be above 0.")
        if self.observed and self.horizon % len(self.observed):
            raise ValueError(f"{self}: horizon must be a multiple of the number of observed columns.")

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """Quantiles of all steps, h * Q."""
        return self.horizon * len(self.levels)

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`; targets are [B, h]."""
        return Regression(self.horizon).batch(examples, indices)

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return pinball losses [B], means over steps and levels."""
        assert batch.targets is not None
        return self.pinball(self.quantiles(predicted), batch.targets).mean((-2, -1))

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        wanted = self.wanted(examples)  # [N, h]
        rows = torch.from_numpy(np.stack([np.asarray(row, dtype=np.float64) for row in predicted]))
        quantiles = self.quantiles(rows) * self.scale + self.offset  # [N, h, Q]
        error = (quantiles[..., self.levels.index(0.5)] - wanted).abs()
        return {
            "mape": 100.0 * float((error / wanted.abs()).mean()),
            "mase": float(error.mean()) / self.naive_error,
            "crps": 2.0 * float(self.pinball(quantiles, wanted).mean()),
        }

    def quantiles(self, predicted: Tensor) -> Tensor:
        """Return the quantiles [..., h, Q] of the head's numbers [..., h * Q], rising in the last dimension."""
        return predicted.unflatten(-1, (self.horizon, len(self.levels))).sort(-1).values

    def pinball(self, quantiles: Tensor, wanted: Tensor) -> Tensor:
        """Return the loss of each quantile [..., h, Q], given values [..., h]."""
        levels = torch.tensor(self.levels, dtype=quantiles.dtype, device=quantiles.device)
        error = wanted.unsqueeze(-1) - quantiles
        return torch.maximum(levels * error, (levels - 1) * error)

    def wanted(self, examples: Examples) -> Tensor:
        """Return the values themselves, [N, h] float64, in their own units."""
        if examples.targets is None:
            raise ValueError("A forecast is scored against targets; the examples have none.")
        scaled = np.stack([np.asarray(target, dtype=np.float64).reshape(self.horizon) for target in examples.targets])
        return torch.from_numpy(scaled * self.scale + self.offset)
