"""Which models take part, at any width: what varies between two columns of a table."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from recurrent_rl.memory import (
    GRU,
    LRU,
    LSTM,
    RNN,
    S5,
    SLSTM,
    DeltaNet,
    Dense,
    MemorySpec,
    MinGRU,
    MinLSTM,
    Normed,
    Residual,
    Stack,
)
from recurrent_rl.sequence.models import TCN, Bag, Bidirectional, Recurrent, SequenceSpec, Transformer, WindowedMLP

WINDOW = 16  # steps that the windowed MLP sees


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a model is made for.

    Args:
        width: Units, which is chosen so that all models have as many parameters.
        longest: Steps of the longest training sequence: a convolution is made deep enough to see so many.
        dropout: Between a model's layers, where it has several.
    """

    width: int
    longest: int
    dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A model of the comparison.

    Args:
        name: On the command line and in tables.
        make: Returns its spec for sizes.
        multiple_of: What its width is a multiple of.
        causal: Whether it can be asked for the next step.
    """

    name: str
    make: Callable[[Sizes], SequenceSpec]
    multiple_of: int = 1
    causal: bool = True


def recurrent(memory: Callable[[int], MemorySpec]) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a causal model of a memory of a width."""
    return lambda sizes: Recurrent(memory=memory(sizes.width))


def deep(memory: Callable[[int], MemorySpec]) -> Callable[[int], MemorySpec]:
    """Return what makes two normed layers with a way around each, over a dense one."""
    return lambda width: Stack([Dense(hidden_size=width), *[Residual(Normed(memory(width)))] * 2])


def both_ways(memory: Callable[[int], MemorySpec]) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a memory of a width for each direction."""
    return lambda sizes: Bidirectional(memory=memory(sizes.width), dropout=sizes.dropout)


def transformer(causal: bool) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a Transformer of two layers and four heads.

    Its width is a multiple of 8; widths between make the layers inside wider, so that every number of parameters is near.
    """

    def make(sizes: Sizes) -> SequenceSpec:
        hidden = 8 * max(1, sizes.width // 8)
        inside = 4 * hidden + 12 * (sizes.width % 8)
        return Transformer(hidden_size=hidden, mlp_size=inside, dropout=sizes.dropout, causal=causal)

    return make


def tcn(sizes: Sizes) -> SequenceSpec:
    """Return a causal convolutional network that sees the longest training sequence.

    With L levels and a kernel of K it sees 1 + 2 (K - 1) (2^L - 1) steps. K is 3, and 2 where that would take more than
    seven levels: they would be too narrow.
    """
    kernel = 3 if _levels(3, sizes.longest) <= 7 else 2
    levels = _levels(kernel, sizes.longest)
    return TCN(hidden_size=sizes.width, num_levels=levels, kernel_size=kernel, dropout=sizes.dropout)


def cnn(sizes: Sizes) -> SequenceSpec:
    """Return a convolutional network that sees half of the longest training sequence to either side."""
    levels = _levels(3, sizes.longest // 2 + 1)
    return TCN(hidden_size=sizes.width, num_levels=levels, dropout=sizes.dropout, causal=False)


def _levels(kernel: int, longest: int) -> int:
    return max(2, math.ceil(math.log2((longest - 1) / (2 * (kernel - 1)) + 1)))


ENTRANTS = (
    Entrant(name="rnn", make=recurrent(lambda width: RNN(hidden_size=width))),
    Entrant(name="lstm", make=recurrent(lambda width: LSTM(hidden_size=width))),
    Entrant(name="gru", make=recurrent(lambda width: GRU(hidden_size=width))),
    Entrant(name="deep-gru", make=recurrent(deep(lambda width: GRU(hidden_size=width)))),
    Entrant(name="mingru", make=recurrent(deep(lambda width: MinGRU(hidden_size=width)))),
    Entrant(name="minlstm", make=recurrent(deep(lambda width: MinLSTM(hidden_size=width)))),
    Entrant(name="lru", make=recurrent(deep(lambda width: LRU(hidden_size=width)))),
    Entrant(name="s5", make=recurrent(deep(lambda width: S5(hidden_size=width, state_size=width))), multiple_of=2),
    Entrant(
        name="deltanet", make=recurrent(deep(lambda width: DeltaNet(hidden_size=width, num_heads=2))), multiple_of=2
    ),
    Entrant(name="slstm", make=recurrent(lambda width: SLSTM(hidden_size=width)), multiple_of=4),
    Entrant(name="bi-lstm", make=both_ways(lambda width: LSTM(hidden_size=width)), causal=False),
    Entrant(name="bi-gru", make=both_ways(lambda width: GRU(hidden_size=width)), causal=False),
    Entrant(name="transformer", make=transformer(True)),
    Entrant(name="transformer-both-ways", make=transformer(False), causal=False),
    Entrant(name="tcn", make=tcn),
    Entrant(name="cnn", make=cnn, causal=False),
    Entrant(name="mlp-window", make=lambda sizes: WindowedMLP(hidden_size=sizes.width, window=WINDOW)),
    Entrant(name="bag", make=lambda sizes: Bag(hidden_size=sizes.width)),
)
