"""An acting step as a graph of torch operations, for any number of rows."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram

from recurrent_rl.export.acting import ActingStep
from recurrent_rl.export.spaces import part_type, parts_of

ROWS = 3  # of the example that is traced: neither 0 nor 1, which torch takes for constants
MOST_ROWS = 1 << 20


def trace(step: nn.Module, inputs: tuple[Tensor, ...]) -> ExportedProgram:
    """Return the graph of a step: functional, on real numbers, for any number of rows.

    Args:
        step: Tensors in, a tuple of tensors out, each [B, ...].
        inputs: An example, B = ROWS.
    """
    program = _export(step, inputs)
    if any(_is_complex(node) for node in program.graph.nodes):
        program = _export(_OnReals(program), inputs)
    return program


def example(step: ActingStep, rows: int = ROWS) -> tuple[Tensor, ...]:
    """Return inputs of a step that are zero, and initial leaves."""
    parts = [
        torch.zeros((rows, *space.shape), dtype=getattr(torch, str(part_type(space, name in step.normalised))))  # type: ignore[misc]
        for name, space in parts_of(step.policy.observation_space).items()
    ]
    return *parts, *step.initial_leaves(rows)


def _export(step: nn.Module, inputs: tuple[Tensor, ...]) -> ExportedProgram:
    rows = Dim("batch", min=1, max=MOST_ROWS)
    shapes = {"tensors": tuple({0: rows} for _ in inputs)}
    with torch.no_grad(), quietly():
        program = torch.export.export(step, inputs, dynamic_shapes=shapes, strict=False)
        return program.run_decompositions({})  # nothing is taken apart, but what writes in place is replaced


@contextmanager
def quietly() -> Iterator[None]:
    """Leave out what exporters say of their own insides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


# -------------------------------------------------------------------- complex numbers as pairs of real ones


class Pair:
    """A complex tensor as two real ones."""

    def __init__(self, real: Tensor, imaginary: Tensor) -> None:
        self.real, self.imaginary = real, imaginary

    def map(self, function: Callable[[Tensor], Tensor]) -> "Pair":
        """Apply `function` to both."""
        return Pair(function(self.real), function(self.imaginary))


def _pair(value: Any) -> Pair:
    """Return a number or tensor as a pair."""
    if isinstance(value, Pair):
        return value
    if isinstance(value, complex):
        return Pair(torch.tensor(value.real), torch.tensor(value.imag))
    if isinstance(value, Tensor) and value.is_complex():
        return Pair(value.real, value.imag)
    real = torch.as_tensor(value)
    return Pair(real, torch.zeros_like(real))


def _times(one: Any, other: Any) -> Pair:
    a, b = _pair(one), _pair(other)
    return Pair(a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real)


def _over(one: Any, other: Any) -> Pair:
    b = _pair(other)
    size = b.real.square() + b.imaginary.square()
    found = _times(one, Pair(b.real, -b.imaginary))
    return Pair(found.real / size, found.imaginary / size)


def _both(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Pair]:
    def apply(one: Any, other: Any) -> Pair:
        a, b = _pair(one), _pair(other)
        return Pair(function(a.real, b.real), function(a.imaginary, b.imaginary))

    return apply


def _choose(condition: Tensor, one: Any, other: Any) -> Pair:
    a, b = _pair(one), _pair(other)
    return Pair(torch.where(condition, a.real, b.real), torch.where(condition, a.imaginary, b.imaginary))


ON_PAIRS: dict[str, Callable[..., Any]] = {
    "complex": Pair,
    "polar": lambda size, angle: Pair(size * angle.cos(), size * angle.sin()),
    "view_as_complex": lambda x: Pair(x[..., 0], x[..., 1]),
    "view_as_real": lambda x: torch.stack([_pair(x).real, _pair(x).imaginary], dim=-1),
    "real": lambda x: _pair(x).real,
    "imag": lambda x: _pair(x).imaginary,
    "mul": _times,
    "div": _over,
    "add": _both(torch.add),
    "sub": _both(torch.sub),
    "where": _choose,
}
"""What operations do where a complex number goes in or comes out; others (of shape) are applied to both parts."""


class _OnReals(nn.Module):
    """The same step with pairs in place of complex numbers."""

    def __init__(self, program: ExportedProgram) -> None:
        super().__init__()
        self.steps = program.module()

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return _PairInterpreter(self.steps).run(*tensors)  # type: ignore[arg-type]


class _PairInterpreter(fx.Interpreter):
    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Leave out the guards that torch.export adds: shapes are checked again."""
        return None if "guards" in str(target) else super().call_module(target, args, kwargs)

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Take an operation, on pairs where a complex number is concerned."""
        name = target._schema.name.removeprefix("aten::") if isinstance(target, torch._ops.OpOverload) else ""
        if name.startswith("_assert"):
            return None
        if name in ("to", "_to_copy") and kwargs.get("dtype", args[-1]) in (torch.complex64, torch.complex128):
            return _pair(args[0])
        if name in ("complex", "polar", "view_as_complex") or any(isinstance(value, Pair) for value in args):
            if name in ON_PAIRS:
                return ON_PAIRS[name](*args)
            return args[0].map(lambda part: target(part, *args[1:], **kwargs))
        return super().call_function(target, args, kwargs)


def _is_complex(node: fx.Node) -> bool:
    value = node.meta.get("val")
    return isinstance(value, Tensor) and value.is_complex()
