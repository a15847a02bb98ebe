"""Step cells: vanilla RNN, LSTM, GRU, stacked."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_one_of, require_whole
from recurrent_rl.memory.initialise import InputInit, RecurrentInit, initialise_layer
from recurrent_rl.memory.kernels.choose import RunLayer, choose_kernel, choose_together
from recurrent_rl.memory.kernels.loop import Cell, gru_cell, lstm_cell, relu_cell, tanh_cell


@dataclass(frozen=True, kw_only=True)
class RecurrentSpec(MemorySpec):
    """What all step cells have in common.

    Args:
        hidden_size: Units of each layer, H.
        num_layers: Layers, L.
        dropout: Between layers, in training mode only.
        bias: Whether the cells have biases.
        recurrent_init: Of the recurrent weights, gate by gate; "uniform" is torch's own.
        input_init: Of the input weights, gate by gate.
        learned_initial_state: The state before an episode is a parameter, not zero.
        layer_norm: Normalise the output of each layer.
    """

    hidden_size: int = 64
    num_layers: int = 1
    dropout: float = 0.0
    bias: bool = True
    recurrent_init: RecurrentInit = "orthogonal"
    input_init: InputInit = "xavier"
    learned_initial_state: bool = False
    layer_norm: bool = False

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "num_layers")
        require_between(self, "dropout", 0.0, 0.99)
        for flag in ("bias", "learned_initial_state", "layer_norm"):
            require_one_of(self, flag, (True, False))
        if self.recurrent_init not in get_args(RecurrentInit) or self.input_init not in get_args(InputInit):
            raise ValueError(f"{self}: recurrent_init and input_init are one of {get_args(RecurrentInit)}.")
        if self.dropout > 0 and self.num_layers == 1:
            raise ValueError(f"{self}: dropout acts between layers; set num_layers=2 or more, or dropout=0.")

    @property
    @abstractmethod
    def cell(self) -> Cell:
        """The cell's kernels and sizes."""

    @property
    def gate_bias(self) -> float | None:
        """Initial bias of the forget gate, for the cell that has one."""
        return None

    def build(self, input_size: int) -> "RecurrentMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return RecurrentMemory(self, input_size)


@dataclass(frozen=True, kw_only=True)
class RNN(RecurrentSpec):
    """Vanilla recurrence, h = f(W x + U h + b).

    Source: Elman 1990, Finding Structure in Time.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'{self}: nonlinearity must be "tanh" or "relu".')

    @property
    def cell(self) -> Cell:
        """The cell's kernels and sizes."""
        return tanh_cell if self.nonlinearity == "tanh" else relu_cell


@dataclass(frozen=True, kw_only=True)
class LSTM(RecurrentSpec):
    """Long short-term memory.

    Args:
        forget_bias: Initial bias of the forget gate; None leaves what input_init gives.

    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000 (forget gate); Jozefowicz et al. 2015 (its bias of 1).
    """

    forget_bias: float | None = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.forget_bias is not None:
            require_between(self, "forget_bias", -1e3, 1e3)

    @property
    def cell(self) -> Cell:
        """The cell's kernels and sizes."""
        return lstm_cell

    @property
    def gate_bias(self) -> float | None:
        """Initial bias of the forget gate."""
        return self.forget_bias


@dataclass(frozen=True, kw_only=True)
class GRU(RecurrentSpec):
    """Gated recurrent unit, torch's variant (the reset gate acts after the recurrent product).

    Source: Cho et al. 2014, Learning Phrase Representations using RNN Encoder-Decoder.
    """

    @property
    def cell(self) -> Cell:
        """The cell's kernels and sizes."""
        return gru_cell


class RecurrentMemory(Memory):
    """A stack of step cells; parameters are named as in torch.nn.RNN, LSTM and GRU.

    State leaves are [B, L, H]: (h,) or, for the LSTM, (h, c).
    """

    initial: Tensor

    def __init__(self, spec: RecurrentSpec, input_size: int) -> None:
        super().__init__()
        self.spec, self.cell = spec, spec.cell
        self.input_size, self.output_size = input_size, spec.hidden_size
        for layer in range(spec.num_layers):
            self._add_layer(layer, input_size if layer == 0 else spec.hidden_size)
        shape = (self.cell.leaves, spec.num_layers, spec.hidden_size)
        if spec.learned_initial_state:
            self.initial = nn.Parameter(torch.zeros(shape))
        else:
            self.register_buffer("initial", torch.zeros(shape), persistent=False)

    def _add_layer(self, layer: int, input_size: int) -> None:
        spec, rows = self.spec, self.cell.gates * self.spec.hidden_size
        weights = {
            "weight_ih": torch.empty(rows, input_size),
            "weight_hh": torch.empty(rows, spec.hidden_size),
        }
        if spec.bias:
            weights |= {"bias_ih": torch.empty(rows), "bias_hh": torch.empty(rows)}
        initialise_layer(weights, self.cell.gates, spec.recurrent_init, spec.input_init, spec.gate_bias)
        for name, weight in weights.items():
            self.register_parameter(f"{name}_l{layer}", nn.Parameter(weight))
        if spec.layer_norm:
            self.add_module(f"norm_l{layer}", nn.LayerNorm(spec.hidden_size))

    def initial_state(self, batch_size: int) -> State:
        """Return zeros, or the learned state, [B, L, H] for each leaf."""
        return tuple(leaf.expand(batch_size, -1, -1) for leaf in self.initial)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        return self._run(inputs, state, choose_kernel(self.cell, self.spec.hidden_size, inputs, starts))

    def _run(self, inputs: Tensor, state: State, run_layer: RunLayer) -> tuple[Tensor, State]:
        outputs, exits = inputs, []
        for layer in range(self.spec.num_layers):
            outputs, leaving = run_layer(**self._call(layer, outputs, state))
            exits.append(leaving)
            outputs = self._normalised(layer, outputs)
        return outputs, _stacked(exits)

    def _call(self, layer: int, inputs: Tensor, state: State) -> dict[str, Any]:
        """Return the arguments of a kernel for one layer."""
        if layer > 0 and self.spec.dropout > 0:
            inputs = nn.functional.dropout(inputs, self.spec.dropout, self.training)
        initial = tuple(leaf[layer] for leaf in self.initial)
        entry = tuple(leaf[:, layer] for leaf in state)
        return {"inputs": inputs, "entry": entry, "initial": initial, "weights": self._weights(layer)}

    def _normalised(self, layer: int, outputs: Tensor) -> Tensor:
        return self.get_submodule(f"norm_l{layer}")(outputs) if self.spec.layer_norm else outputs

    def is_like(self, other: "RecurrentMemory") -> bool:
        """Whether both have the same cell, as many layers of the same size, and calls that nobody has changed."""
        sizes = other.cell.name, other.spec.num_layers, other.spec.hidden_size
        same = (self.cell.name, self.spec.num_layers, self.spec.hidden_size) == sizes
        return same and all(
            type(memory) is RecurrentMemory and not (memory._forward_hooks or memory._forward_pre_hooks)
            for memory in (self, other)
        )

    def _weights(self, layer: int) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        weight_ih, weight_hh = self.get_parameter(f"weight_ih_l{layer}"), self.get_parameter(f"weight_hh_l{layer}")
        if not self.spec.bias:
            return weight_ih, weight_hh, None, None
        return weight_ih, weight_hh, self.get_parameter(f"bias_ih_l{layer}"), self.get_parameter(f"bias_hh_l{layer}")

    def load_torch(self, module: nn.RNN | nn.LSTM | nn.GRU) -> None:
        """Copy the weights of a torch module of the same kind and sizes.

        Raises:
            RuntimeError: Kind, names or shapes differ; the message lists them.
        """
        kinds = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "tanh", "RNN_RELU": "relu"}
        if kinds[module.mode] != self.cell.name or self.spec.layer_norm or module.bidirectional:
            raise RuntimeError(f"{module} computes something else than {self.spec}; build a spec of the same kind.")
        mine = {name: p.shape for name, p in self.named_parameters() if name != "initial"}
        theirs = {name: p.shape for name, p in module.named_parameters()}
        if mine != theirs:
            different = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
            raise RuntimeError(f"The torch module does not fit, size mismatch or missing: {different}.")
        self.load_state_dict(module.state_dict(), strict=False)


def _stacked(exits: list[State]) -> State:
    """Return the layers' states, leaves [B, H] each, as one state with leaves [B, L, H]."""
    if len(exits) == 1:
        return tuple(leaf.unsqueeze(1) for leaf in exits[0])
    return tuple(torch.stack(leaves, dim=1) for leaves in zip(*exits, strict=True))


def remember_together(
    memories: tuple[Memory, Memory], inputs: tuple[Tensor, Tensor], states: tuple[State, State], starts: Tensor
) -> list[tuple[Tensor, State]]:
    """Return what each memory gives for its inputs [T, B, I] and state; alike ones run side by side where that is faster.

    Args:
        memories: Of actor and critic, say.
        inputs: Of each.
        states: Of each.
        starts: [T, B] bool on the host, the same for both.
    """
    one, other = memories
    alike = isinstance(one, RecurrentMemory) and isinstance(other, RecurrentMemory) and one.is_like(other)
    run = choose_together(one.cell, one.spec.hidden_size, inputs[0], starts) if alike else None  # type: ignore[union-attr]
    if run is None:
        return [memory(x, state, starts) for memory, x, state in zip(memories, inputs, states, strict=True)]
    outputs, exits = list(inputs), ([], [])
    for layer in range(one.spec.num_layers):  # type: ignore[union-attr]
        calls = [memory._call(layer, x, state) for memory, x, state in zip(memories, outputs, states, strict=True)]  # type: ignore[union-attr]
        for i, (result, leaving) in enumerate(run(calls)):
            outputs[i] = memories[i]._normalised(layer, result)  # type: ignore[union-attr]
            exits[i].append(leaving)
    return [(x, _stacked(leaves)) for x, leaves in zip(outputs, exits, strict=True)]
