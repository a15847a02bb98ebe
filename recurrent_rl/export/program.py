"""A traced step as the list of operations that `numpy_agent` runs.

What depends on weights alone is worked out here; changes of shape that only count rows anew are one `reshape` or nothing;
what no output needs is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.export import ExportedProgram

from recurrent_rl.export.numpy_agent import OPERATIONS

SHAPES = {"view", "_unsafe_view", "reshape", "unsqueeze", "squeeze", "flatten", "unflatten", "contiguous", "alias"}
SAME = {"clone", "contiguous", "alias", "detach", "lift_fresh_copy", "to", "_to_copy"}
LEFT_OUT = {"layout", "device", "pin_memory", "memory_format", "non_blocking", "copy", "implicit", "generator"}
SPREADING = {"expand", "select", "slice", "permute", "transpose", "repeat"}
FILLED: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("zeros", "new_zeros", "zeros_like"), lambda given: 0),
    **dict.fromkeys(("ones", "new_ones", "ones_like"), lambda given: 1),
    **dict.fromkeys(("full", "full_like"), lambda given: given[1]),
    "new_full": lambda given: given[2],
}
Step = tuple[str, list[int], int]


class UnsupportedError(ValueError):
    """The step does what numpy_agent has no operation for."""


@dataclass(frozen=True)
class Slot:
    """A value that is known when the program runs."""

    number: int


@dataclass(frozen=True)
class Multiple:
    """A size that is B times something: numpy works it out in a reshape, and nowhere else."""

    expression: str


@dataclass(frozen=True)
class Blank:
    """A tensor of one value, of a shape in which a slot stands for B."""

    value: bool | float
    shape: list[Any]
    kind: str


@dataclass
class Writer:
    """Gathers slots and steps."""

    slots: int = 0
    steps: list[Step] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    literals: list[tuple[int, Any]] = field(default_factory=list)
    arrays: list[tuple[int, str]] = field(default_factory=list)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    kept: dict[int, tuple[Tensor, Slot]] = field(default_factory=dict)
    rows: Slot = field(init=False)

    def __post_init__(self) -> None:
        self.rows = self.new()

    def new(self) -> Slot:
        """Return a new slot."""
        self.slots += 1
        return Slot(self.slots - 1)

    def step(self, operation: str, *given: Any) -> Slot:
        """Add a step; arguments are slots, or what `slot_of` takes."""
        if operation not in OPERATIONS:
            raise UnsupportedError(
                f"The policy uses torch's operation {operation!r}, for which numpy_agent has none. Export it by to_onnx, or "
                "add the operation to recurrent_rl.export.numpy_agent.OPERATIONS."
            )
        numbers, result = [self.slot_of(value).number for value in given], self.new()
        self.steps.append((operation, numbers, result.number))
        return result

    def slot_of(self, value: Any) -> Slot:
        """Return the slot of a slot, tensor, literal or list of them."""
        if isinstance(value, Slot):
            return value
        if isinstance(value, Multiple):
            raise UnsupportedError(
                f"The policy mixes rows with other sizes ({value.expression}); export it by to_onnx."
            )
        if isinstance(value, Tensor):
            return self._constant(value)
        if isinstance(value, list | tuple) and any(isinstance(item, Slot | Multiple | Tensor) for item in value):
            return self.step("list", *value)
        key = repr(value)
        if key not in self.values:
            slot = self.new()
            self.values[key] = slot.number
            self.literals.append((slot.number, value))
        return Slot(self.values[key])

    def _constant(self, tensor: Tensor) -> Slot:
        if id(tensor) not in self.kept:
            slot, name = self.new(), f"array{len(self.arrays)}"
            self.tensors[name] = np.ascontiguousarray(tensor.detach().cpu().numpy())
            self.arrays.append((slot.number, name))
            self.kept[id(tensor)] = tensor, slot  # the tensor is held, so that no other gets its id
        return self.kept[id(tensor)][1]


def to_program(traced: ExportedProgram) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the document of `numpy_agent.Program`, and its arrays.

    Raises:
        UnsupportedError: An operation has no counterpart.
    """
    writer = Writer()
    inputs, outputs = _Translator(traced, writer).run()
    steps = _needed(writer.steps, outputs)
    used = {*inputs, *outputs, *(slot for _, given, _ in steps for slot in given)}
    arrays = [(slot, name) for slot, name in writer.arrays if slot in used]
    document = {
        "slots": writer.slots,
        "rows": writer.rows.number,
        "inputs": inputs,
        "outputs": outputs,
        "arrays": arrays,
        "values": [(slot, value) for slot, value in writer.literals if slot in used],
        "steps": steps,
    }
    return document, {name: writer.tensors[name] for _, name in arrays}


def _needed(steps: Sequence[Step], outputs: Sequence[int]) -> list[Step]:
    """Return the steps on which an output depends."""
    wanted, found = set(outputs), []
    for operation, given, result in reversed(steps):
        if result in wanted:
            wanted.update(given)
            found.append((operation, given, result))
    return found[::-1]


class _Translator:
    """Goes through a graph once; what each node gives is a slot, a tensor that is known already, a blank, or a list."""

    def __init__(self, traced: ExportedProgram, writer: Writer) -> None:
        self.traced, self.writer, self.known = traced, writer, {}
        self.constants = _constants(traced)
        self.shapes: dict[Slot, list[Any]] = {}
        self.roots: dict[Slot, Slot] = {}  # what a slot is reshaped from

    def run(self) -> tuple[list[int], list[int]]:
        """Return the slots of inputs and outputs."""
        inputs: list[int] = []
        for node in self.traced.graph.nodes:
            if node.op == "placeholder":
                self.known[node] = self.constants[node.name] if node.name in self.constants else self.writer.new()
                if node.name not in self.constants:
                    inputs.append(self.known[node].number)
            elif node.op == "call_function":
                self.known[node] = self._result(node)
        (output,) = (node for node in self.traced.graph.nodes if node.op == "output")
        return inputs, [self.writer.slot_of(self._solid(self.known[node])).number for node in output.args[0]]

    def _result(self, node: fx.Node) -> Any:
        name, given = _name(node), self._given(node)
        flat = list(_flat(given))
        if name.startswith(("_assert", "sym_constrain")):
            return None
        if not any(isinstance(value, Slot | Blank) for value in flat):
            return node.target(*self._replaced(node.args), **self._replaced(node.kwargs))  # type: ignore[operator]
        if name == "sym_size":
            return self.writer.rows
        if name == "getitem" and isinstance(given[0], list | tuple):
            return given[0][given[1]]
        if name in FILLED:
            return Blank(FILLED[name](given), self._shape(node), _kind(node))
        if given and isinstance(given[0], Blank):
            plain = self._of_blank(node, name, given)
            if plain is not None:
                return plain
        return self._step(node, name, given)

    def _of_blank(self, node: fx.Node, name: str, given: list[Any]) -> Any:
        """Return the result of an operation on a blank where it is plain; None otherwise."""
        blank = given[0]
        if name in SHAPES | SPREADING or (name in SAME and _kind(node) == blank.kind):
            return Blank(blank.value, self._shape(node), _kind(node))
        if name == "logical_not" or (name == "bitwise_not" and blank.kind == "bool"):
            return Blank(not blank.value, blank.shape, "bool")
        if name == "where":
            chosen, argument = (given[1], node.args[1]) if blank.value else (given[2], node.args[2])
            if not isinstance(argument, fx.Node) or _kind(argument) != _kind(node):
                return None
            if self._shape(argument) == self._shape(node):
                return chosen
            return self.writer.step("expand", self._solid(chosen), self._shape(node))
        return None

    def _step(self, node: fx.Node, name: str, given: list[Any]) -> Slot:
        given = [self._solid(value) for value in given]
        source = node.args[0]
        if isinstance(source, fx.Node) and isinstance(given[0], Slot) and _is_tensor(source) and _is_tensor(node):
            same = self._shape(source) == self._shape(node)
            if same and _kind(source) == _kind(node) and name in SHAPES | SAME | {"expand"}:
                return given[0]
            if name in SHAPES or (name == "select" and self._shape(source)[given[1]] == 1):
                return self._reshaped(given[0], self._shape(source), self._shape(node))
        return self.writer.step(name, *given)

    def _reshaped(self, slot: Slot, before: list[Any], after: list[Any]) -> Slot:
        """Return a slot with its numbers in another shape; what was reshaped already is taken as it was before that."""
        root = self.roots.get(slot, slot)
        first = self.shapes.setdefault(root, before)
        if first == after:
            return root
        found = self.writer.step("reshape", root, _spelt(after))
        self.roots[found] = root
        return found

    def _given(self, node: fx.Node) -> list[Any]:
        """Return all arguments in the order of torch's schema, but those of layout and place."""
        if not isinstance(node.target, torch._ops.OpOverload):
            return self._replaced(list(node.args))
        found = []
        for position, argument in enumerate(node.target._schema.arguments):
            if argument.name in LEFT_OUT:
                continue
            if argument.name == "dtype" and len(found) == 1 and _name(node) in ("sum", "mean"):
                found += [None, False]  # of all numbers: no dimensions, none kept
            value = node.kwargs.get(argument.name, argument.default_value)
            found.append(self._replaced(node.args[position] if position < len(node.args) else value))
        return found

    def _replaced(self, value: Any) -> Any:
        """Return arguments with what is known of nodes in their place."""
        if isinstance(value, fx.Node):
            return self.known[value]
        if isinstance(value, list | tuple):
            return [self._replaced(item) for item in value]
        return {name: self._replaced(item) for name, item in value.items()} if isinstance(value, dict) else value

    def _solid(self, value: Any) -> Any:
        """Return an argument with steps that fill blanks in their place, and types by name."""
        if isinstance(value, Blank):
            return self.writer.step("full", value.shape, value.value, value.kind)
        if isinstance(value, list):
            return [self._solid(item) for item in value]
        return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else value

    def _shape(self, node: fx.Node) -> list[Any]:
        """Return a result's shape with the slot of B in it."""
        return [size if isinstance(size, int) else self._size(size) for size in node.meta["val"].shape]

    def _size(self, size: torch.SymInt) -> Any:
        expression = size.node.expr
        return self.writer.rows if expression.is_Symbol else Multiple(str(expression))


def _constants(traced: ExportedProgram) -> dict[str, Tensor]:
    """Return weights, buffers and constants by the name of their placeholder."""
    found = {}
    for spec in traced.graph_signature.input_specs:
        if spec.target is not None:
            value = traced.state_dict.get(spec.target, traced.constants.get(spec.target))
            assert isinstance(value, Tensor), spec.target
            found[spec.arg.name] = value.detach()
    return found


def _name(node: fx.Node) -> str:
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.name.split("::")[1]
    return node.target.__name__  # type: ignore[union-attr]


def _is_tensor(node: fx.Node) -> bool:
    return isinstance(node.meta.get("val"), Tensor)


def _kind(node: fx.Node) -> str:
    return str(node.meta["val"].dtype).removeprefix("torch.")


def _spelt(shape: list[Any]) -> list[int]:
    """Return a shape for reshape, where one size may be -1."""
    return [size if isinstance(size, int) else -1 for size in shape]


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value
