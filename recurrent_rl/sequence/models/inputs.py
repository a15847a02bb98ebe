"""What stands below every model: symbols become vectors, features may, and both may be dropped out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from recurrent_rl.memory.checks import require_between, require_whole

# Of embeddings that are added up, at first: those of rare symbols stay random, and should drown no other.
COLUMN_STD = 0.1


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the inputs of a batch are, and what models read of them.

    Args:
        symbols: Number of different symbols, for inputs [T, B]; None where inputs are features.
        columns: Symbols at each step, C, whose embeddings are added up; inputs are [T, B, C] where there are several.
        features: Size of an input, for inputs [T, B, F]; None where inputs are symbols.
        size: Size of a symbol's embedding, 64 by default, or of a linear map of the features; None there leaves them as
            they are.
        dropout: Variational, of what models read: one mask for each sequence, the same at all its steps.

    Raises:
        ValueError: Both or neither of symbols and features, or a field out of range.

    Source: Gal and Ghahramani 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks (there
    symbols are dropped by their kind; here the units of all embeddings of a sequence are).
    """

    symbols: int | None = None
    columns: int = 1
    features: int | None = None
    size: int | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if (self.symbols is None) == (self.features is None):
            raise ValueError(f"{self}: give either symbols, their number, or features, their size.")
        require_whole(self, "columns")
        if self.columns > 1 and self.symbols is None:
            raise ValueError(f"{self}: columns are of symbols; give their number, or leave columns at 1.")
        require_whole(self, *[name for name in ("symbols", "features", "size") if getattr(self, name) is not None])
        require_between(self, "dropout", 0.0, 1.0)

    @property
    def width(self) -> int:
        """Size of the vectors that a model reads."""
        return self.size or self.features or 64

    def build(self) -> "InputLayer":
        """Return a new layer from a batch's inputs to vectors [T, B, width]."""
        return InputLayer(self)


class InputLayer(nn.Module):
    """The layer of `Inputs`."""

    def __init__(self, spec: Inputs) -> None:
        super().__init__()
        self.spec = spec
        self.layer = _layer(spec)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return vectors [T, B, width] of inputs [T, B], [T, B, C] or [T, B, F].

        Raises:
            ValueError: The inputs are not what the spec says.
        """
        self._check(inputs)
        vectors = self.layer(inputs)
        if self.spec.columns > 1:
            vectors = vectors.sum(-2)  # [T, B, C, width] -> [T, B, width]
        return variational_dropout(vectors, self.spec.dropout, self.training)

    def _check(self, inputs: Tensor) -> None:
        shape = tuple(inputs.shape)
        last = (self.spec.columns,) if self.spec.columns > 1 else ()
        last = last if self.spec.features is None else (self.spec.features,)
        fits = len(shape) > 1 and shape[2:] == last and inputs.is_floating_point() == (self.spec.features is not None)
        if not fits:
            kind = "int64 symbols" if self.spec.features is None else "numbers"
            raise ValueError(
                f"{self.spec} needs {kind} {['T', 'B', *last]}, not {inputs.dtype} {list(shape)}; "
                "change the spec or the batch."
            )


def _layer(spec: Inputs) -> nn.Module:
    if spec.symbols is not None:
        table = nn.Embedding(spec.symbols, spec.width)
        nn.init.normal_(table.weight, std=COLUMN_STD if spec.columns > 1 else 1.0)
        return table
    assert spec.features is not None
    return nn.Identity() if spec.size is None else nn.Linear(spec.features, spec.size)


def variational_dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """Return x [T, B, I] times one mask [B, I], the same at all steps; x itself where nothing is dropped.

    Source: Gal and Ghahramani 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks.
    """
    if rate == 0 or not training:
        return x
    return x * dropout(torch.ones_like(x[0]), rate)
