"""A policy's step as a program: features, memories and heads without a torch operation in between.

Acting is many small steps with weights that stay; torch's dispatch costs several times the arithmetic. A program either
packs the weights once (`packed`, for a rollout) or reads them where they lie (for one row or a few), then runs a step in
one call on as many threads as its rows keep busy.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.compiled import dense
from recurrent_rl.compiled.multiply import pack_weights
from recurrent_rl.compiled.product import padded, product
from recurrent_rl.compiled.threads import run_task, run_tasks
from recurrent_rl.memory import State
from recurrent_rl.memory.kernels.compiled import step
from recurrent_rl.memory.recurrent import RecurrentMemory
from recurrent_rl.policies.program import run

WORTH_A_THREAD = 2**20  # multiplications
FEW_ROWS = 2  # so many rows read the weights where they lie
ACTIVATIONS: dict[type, int] = {nn.Tanh: dense.TANH, nn.ReLU: dense.RELU}
_CELLS = {"lstm": step.LSTM, "gru": step.GRU, "tanh": step.TANH, "relu": step.RELU}
_PACKED_FIELDS = (run.WEIGHT, run.WEIGHT_HH)


@dataclass(frozen=True, slots=True)
class _StatePlace:
    """Where an instruction finds a leaf of the state [B, L, H]: its field, the leaf and the layer."""

    line: int
    field: int
    leaf: int
    layer: int


class Program:
    """Instructions for one batch size, with their slots and weights.

    Args:
        batch_size: B.
        packed: Pack the weights at every `refresh`; else they are read where they lie.
        bfloat16: Packed weights, and what they are multiplied with, are rounded to bfloat16.
    """

    def __init__(self, batch_size: int, packed: bool, bfloat16: bool = False) -> None:
        self.batch_size, self.packed, self.bfloat16 = batch_size, packed, bfloat16
        self._lines: list[np.ndarray] = []
        self._slots: list[Tensor] = []
        self._weights: list[tuple[int, int, nn.Module, str]] = []
        self._initial: list[tuple[int, int, RecurrentMemory, tuple[int, int]]] = []
        self._places: list[_StatePlace] = []
        self._shapes: list[tuple[int, int]] = []  # of the state's leaves, L and H
        self._held: list[Tensor] = []  # what instructions point at stays alive
        self._work = 0

    # ---------------------------------------------------------------- building

    def slot(self, width: int) -> Tensor:
        """Return a new array [B, whole panels] for results of `width` numbers."""
        self._slots.append(torch.zeros(self.batch_size, padded(width)))
        return self._slots[-1]

    def add_layers(self, layers: nn.Sequential | nn.Linear, source: Tensor) -> Tensor:
        """Append fully connected layers that read a slot; return the slot with their result."""
        modules = [layers] if isinstance(layers, nn.Linear) else [m for m in layers if not isinstance(m, nn.Flatten)]
        for module, after in zip(modules, [*modules[1:], None]):
            if isinstance(module, nn.Linear):
                activation = ACTIVATIONS.get(type(after), dense.NONE)
                source = self._add_line(run.DENSE, activation, source, module.in_features, module.out_features)
                self._point(run.WEIGHT, module, "weight")
                if module.bias is not None:
                    self._point(run.BIAS, module, "bias")
        return source

    def add_memory(self, memory: RecurrentMemory, source: Tensor) -> Tensor:
        """Append the step of a memory's layers; return the slot with its output."""
        size, first = memory.spec.hidden_size, len(self._shapes)
        self._shapes += [(memory.spec.num_layers, size)] * memory.cell.leaves
        for layer in range(memory.spec.num_layers):
            inputs = memory.input_size if layer == 0 else size
            source = self._add_line(run.CELL, _CELLS[memory.cell.name], source, inputs, size)
            self._work += self.batch_size * size * (memory.cell.gates * (inputs + size) - inputs)
            names = {run.WEIGHT: "weight_ih", run.WEIGHT_HH: "weight_hh"}
            if memory.spec.bias:
                names |= {run.BIAS: "bias_ih", run.BIAS_HH: "bias_hh"}
            for field, name in names.items():
                self._point(field, memory, f"{name}_l{layer}")
            for leaf, field in zip(range(memory.cell.leaves), (run.HIDDEN, run.CELL_STATE)):
                self._places.append(_StatePlace(len(self._lines) - 1, field, first + leaf, layer))
                self._initial.append((len(self._lines) - 1, field + 2, memory, (leaf, layer)))
        return source

    def _add_line(self, operation: int, kind: int, source: Tensor, inputs: int, outputs: int) -> Tensor:
        target, line = self.slot(outputs), np.zeros(run.FIELDS, dtype=np.int64)
        line[[run.OPERATION, run.KIND, run.PACKED]] = operation, kind, self.packed
        line[[run.SOURCE, run.SOURCE_WIDTH]] = source.data_ptr(), source.shape[1]
        line[[run.TARGET, run.TARGET_WIDTH]] = target.data_ptr(), target.shape[1]
        line[[run.INPUTS, run.OUTPUTS]] = inputs, outputs
        self._lines.append(line)
        self._work += self.batch_size * inputs * outputs
        return target

    def _point(self, field: int, module: nn.Module, name: str) -> None:
        self._weights.append((len(self._lines) - 1, field, module, name))

    # ---------------------------------------------------------------- running

    def weights(self) -> list[Tensor]:
        """Return the weights as they are now, in the order of the instructions."""
        return [module._parameters[name] for _, _, module, name in self._weights]  # type: ignore[misc]

    def initial_addresses(self) -> list[int]:
        """Return where the initial states of the memories lie."""
        return [memory.initial.data_ptr() for _, _, memory, _ in self._initial]

    def refresh(self, weights: list[Tensor]) -> None:
        """Take the weights: pack them, or note where they lie."""
        self._program = np.stack(self._lines)
        self._held, jobs = [], []
        for (line, field, _, _), tensor in zip(self._weights, weights, strict=True):
            tensor = tensor.detach().contiguous()
            self._held.append(tensor)
            if self.packed and field in _PACKED_FIELDS:
                outputs, depth = tensor.shape
                words = -(-depth // 2) if self.bfloat16 else depth
                panels = torch.empty(padded(outputs) * words)
                self._held.append(panels)
                jobs.append((tensor.data_ptr(), outputs, depth, self.bfloat16, panels.data_ptr()))
                tensor = panels
            self._program[line, field] = tensor.data_ptr()
        for line, field, memory, place in self._initial:
            self._held.append(memory.initial.detach()[place].contiguous())
            self._program[line, field] = self._held[-1].data_ptr()
        if jobs:
            run_tasks(pack_weights, np.array(jobs, dtype=np.int64))
        self._jobs = self._deal()

    def _deal(self) -> np.ndarray:
        """Return the tables of the tasks: rows in equal runs, one for each thread worth its while."""
        n_segments = max(1, min(torch.get_num_threads(), self.batch_size, self._work // WORTH_A_THREAD))
        first = np.arange(n_segments) * self.batch_size // n_segments
        jobs = np.zeros((n_segments, run.JOB), dtype=np.int64)
        jobs[:, run.PRODUCT], jobs[:, run.PAIRS] = product.address, self.bfloat16
        jobs[:, run.FIRST], jobs[:, run.ROWS] = first, np.diff(first, append=self.batch_size)
        jobs[:, run.LENGTH], jobs[:, run.PROGRAM] = len(self._program), self._program.ctypes.data
        jobs[:, run.ROOM] = max(slot.shape[1] for slot in self._slots)
        return jobs

    def fits(self, state: State) -> bool:
        """Whether `step` can begin with this state."""
        shapes = [(self.batch_size, *shape) for shape in self._shapes]
        return [tuple(leaf.shape) for leaf in state] == shapes and all(leaf.dtype == torch.float32 for leaf in state)

    def step(self, state: State, starts: Tensor) -> State:
        """Run all instructions on what stands in the source slots; return the state that follows.

        Args:
            state: Leaves float32 [B, L, H] in the order in which the memories were added.
            starts: [B] bool on the host, contiguous.
        """
        entering = [leaf if leaf.stride()[1:] == (leaf.shape[2], 1) else leaf.contiguous() for leaf in state]
        leaving = tuple(torch.empty((self.batch_size, *shape)) for shape in self._shapes)
        for place in self._places:
            line, (layers, size) = self._program[place.line], self._shapes[place.leaf]
            offset, old = 4 * place.layer * size, entering[place.leaf]
            line[place.field], line[place.field + 1] = old.data_ptr() + offset, old.stride(0)
            out = run.HIDDEN_LEAVING if place.field == run.HIDDEN else run.CELL_LEAVING
            line[out], line[run.LEAVING_STRIDE] = leaving[place.leaf].data_ptr() + offset, layers * size
        self._jobs[:, run.STARTS] = starts.data_ptr()
        run_tasks(run.run_program, self._jobs)
        return leaving


def sample_categorical(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return actions int64 [B] drawn from logits [B, A] with one of torch's uniform numbers each, and log-probabilities."""
    rows, count = logits.shape
    uniforms, actions, log_probs = torch.rand(rows), torch.empty(rows, dtype=torch.int64), torch.empty(rows)
    run_task(run.sample_categorical, rows, count, logits, logits.stride(0), uniforms, actions, log_probs)
    return actions, log_probs
