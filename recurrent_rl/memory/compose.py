"""Deep memories from shallow ones: stacked, with a way around, with their inputs normalised.

    Stack([Dense(), Residual(Normed(LRU())), Residual(Normed(LRU()))])
    Stack([Attention(), GRU()])

The first is a deep net of linear recurrences, the second has two kinds in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from recurrent_rl.functional.dense import dense
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_whole
from recurrent_rl.memory.recurrent import GRU

_DEFAULT = GRU()


@dataclass(frozen=True)
class Stack(MemorySpec):
    """Memories on top of each other, each reading the outputs of the one below.

    Args:
        layers: Their specs, the lowest first; one at least.

    Raises:
        ValueError: `layers` is empty or holds something else than specs.
    """

    layers: Sequence[MemorySpec] = (_DEFAULT, _DEFAULT)

    def __post_init__(self) -> None:
        if not isinstance(self.layers, Sequence) or not self.layers:
            raise ValueError(f"Stack: layers must be a sequence of one spec or more, not {self.layers!r}.")
        for spec in self.layers:
            _require_spec("Stack: each of layers", spec)
        object.__setattr__(self, "layers", tuple(self.layers))  # a list would not compare equal after loading

    def build(self, input_size: int) -> "StackMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return StackMemory(tuple(self.layers), input_size)


@dataclass(frozen=True, kw_only=True)
class Dense(MemorySpec):
    """No memory, but a width: y = W x + b. Below deep memories, whose layers are normed, it takes in the observation.

    Args:
        hidden_size: Outputs.
    """

    hidden_size: int = 64

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")

    def build(self, input_size: int) -> "DenseMemory":
        """Return a new layer that reads inputs [T, B, input_size]."""
        return DenseMemory(input_size, self.hidden_size)


@dataclass(frozen=True)
class Residual(MemorySpec):
    """A memory with a way around it, y = x + f(x); y = W x + f(x) where the sizes of input and output differ.

    Args:
        spec: Of f.

    Source: He et al. 2016, Deep Residual Learning for Image Recognition (section 3.2 has W).
    """

    spec: MemorySpec = _DEFAULT

    def __post_init__(self) -> None:
        _require_spec("Residual: spec", self.spec)

    def build(self, input_size: int) -> "ResidualMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return ResidualMemory(self.spec.build(input_size))


@dataclass(frozen=True)
class Normed(MemorySpec):
    """A memory that reads normalised inputs, y = f(LayerNorm(x)).

    The norm hides the mean and the scale of x, so it belongs between layers of a deep memory: of an observation of two
    numbers only their order would be left, and of one nothing. `Dense` makes it wide first.

    Args:
        spec: Of f.

    Source: Ba et al. 2016, Layer Normalization; before the layer, as Xiong et al. 2020, On Layer Normalization in the
    Transformer Architecture, advise for deep residual nets.
    """

    spec: MemorySpec = _DEFAULT

    def __post_init__(self) -> None:
        _require_spec("Normed: spec", self.spec)

    def build(self, input_size: int) -> "NormedMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return NormedMemory(self.spec.build(input_size))


class StackMemory(Memory):
    """State: the layers' leaves one after another, the lowest layer's first."""

    def __init__(self, layers: tuple[MemorySpec, ...], input_size: int) -> None:
        super().__init__()
        self.input_size, size = input_size, input_size
        self.layers = nn.ModuleList()
        for spec in layers:
            self.layers.append(memory := spec.build(size))
            size = memory.output_size
        self.output_size = size

    def initial_state(self, batch_size: int) -> State:
        """Return the layers' initial states."""
        return tuple(leaf for memory in self._memories() for leaf in memory.initial_state(batch_size))

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        outputs, leaving = inputs, []
        for memory in self._memories():
            entry, state = state[: (leaves := len(memory.initial_state(1)))], state[leaves:]
            outputs, left = memory(outputs, entry, starts)
            leaving.extend(left)
        return outputs, tuple(leaving)

    def _memories(self) -> list[Memory]:
        return list(self.layers)  # type: ignore[arg-type]


class DenseMemory(Memory):
    """State: none."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.layer = nn.Linear(input_size, output_size)

    def initial_state(self, batch_size: int) -> State:
        """Return no leaves."""
        return ()

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        return dense(inputs, self.layer.weight, self.layer.bias).to(inputs.dtype), state


class ResidualMemory(Memory):
    """State: that of the memory inside."""

    def __init__(self, inner: Memory) -> None:
        super().__init__()
        self.inner, self.input_size, self.output_size = inner, inner.input_size, inner.output_size
        same = inner.input_size == inner.output_size
        self.around = nn.Identity() if same else nn.Linear(inner.input_size, inner.output_size, bias=False)

    def initial_state(self, batch_size: int) -> State:
        """Return the inner memory's."""
        return self.inner.initial_state(batch_size)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        outputs, leaving = self.inner(inputs, state, starts)
        return self.around(inputs) + outputs, leaving


class NormedMemory(Memory):
    """State: that of the memory inside."""

    def __init__(self, inner: Memory) -> None:
        super().__init__()
        self.inner, self.input_size, self.output_size = inner, inner.input_size, inner.output_size
        self.norm = nn.LayerNorm(inner.input_size)

    def initial_state(self, batch_size: int) -> State:
        """Return the inner memory's."""
        return self.inner.initial_state(batch_size)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        return self.inner(self.norm(inputs), state, starts)


def _require_spec(what: str, value: object) -> None:
    if not isinstance(value, MemorySpec):
        raise ValueError(f"{what} must be a memory spec such as GRU(hidden_size=64), not {value!r}.")
