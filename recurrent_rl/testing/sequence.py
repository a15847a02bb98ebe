"""The contract of sequence models as a test kit: seven invariants that hold for every model, yours included.

    from recurrent_rl.testing.sequence import check_sequence_model
    check_sequence_model(MySpec(hidden_size=8))

Each invariant runs in evaluation mode, with perturbed parameters, on sequences of unequal length; in float64, or in
float32 for a model that computes in another way there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.models.base import SequenceModel

TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5}
STEPS = 7
LENGTHS = (7, 1, 3, 7, 5)


class Spec(Protocol):
    """What `check_sequence_model` needs of a spec."""

    def build(self, input_size: int) -> SequenceModel:
        """Return a new model."""
        ...


class SequenceContractError(AssertionError):
    """A model breaks the contract; the message names the invariant."""


def check_sequence_model(spec: Spec, input_size: int = 3, dtype: torch.dtype = torch.float64) -> None:
    """Check the seven invariants of the contract of sequence models.

    Torch's global random generator is left as it was.

    Args:
        spec: Anything with `build(input_size) -> SequenceModel`.
        input_size: I, at least 1.
        dtype: torch.float64, where equal means within 1e-10, or torch.float32, within 2e-5 (of the largest number, where
            that is above 1).

    Raises:
        SequenceContractError: Names the invariant that fails, "invariant 5 (padding): ...", and what differs by how much.
    """
    with torch.random.fork_rng(devices=[]):
        for number, (name, check) in INVARIANTS.items():
            torch.default_generator.manual_seed(0)  # torch.manual_seed would seed the GPUs too
            try:
                check(Subject(spec, input_size, dtype))
            except AssertionError as error:
                raise SequenceContractError(f"invariant {number} ({name}): {error}") from error
            except Exception as error:
                raise SequenceContractError(f"invariant {number} ({name}): {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Subject:
    """What is checked: models from one spec."""

    spec: Spec
    input_size: int
    dtype: torch.dtype

    def model(self) -> SequenceModel:
        """Build a model in evaluation mode whose parameters hide nothing behind a zero."""
        model = self.spec.build(self.input_size).eval()
        model = model.double() if self.dtype == torch.float64 else model.float()  # .to(dtype) would cut imaginary parts
        with torch.no_grad():
            for parameter in model.parameters():
                fan_in = parameter.shape[-1] if parameter.dim() > 1 else 1
                parameter.add_(0.3 * torch.randn_like(parameter) / fan_in**0.5)  # no chaos in a large model
        return model

    def inputs(self, steps: int = STEPS, columns: int = len(LENGTHS)) -> Tensor:
        """Return random inputs [T, B, I]."""
        return torch.randn(steps, columns, self.input_size, dtype=self.dtype)


def lengths_of(*lengths: int) -> Tensor:
    """Return lengths [B] on the host."""
    return torch.tensor(lengths)


def shapes(subject: Subject) -> None:
    """Outputs are [T, B, O] and summaries [B, O], for any T and B, of the inputs' type; sizes are what the model says."""
    model = subject.model()
    _equal(model.input_size, subject.input_size, "input_size")
    for steps, lengths in ((1, [1]), (2, [2, 1, 1]), (STEPS, LENGTHS)):
        outputs, _ = model(subject.inputs(steps, len(lengths)), lengths_of(*lengths))
        _equal(tuple(outputs.shape), (steps, len(lengths), model.output_size), "the outputs' shape [T, B, O]")
        _equal(outputs.dtype, subject.dtype, "the outputs' dtype")
        summary = model.summary(outputs, lengths_of(*lengths))
        _equal(tuple(summary.shape), (len(lengths), model.output_size), "the summary's shape [B, O]")


def columns_are_independent(subject: Subject) -> None:
    """A sequence gives alone what it gives beside others, and has no gradient to them."""
    model, columns = subject.model(), len(LENGTHS)
    inputs, lengths = subject.inputs().requires_grad_(), lengths_of(*[STEPS] * columns)
    outputs, _ = model(inputs, lengths)
    for b in range(columns):
        alone, _ = model(inputs[:, b : b + 1], lengths[:1])
        _close(outputs[:, b : b + 1], alone, f"outputs of column {b} in the batch and alone")
        gradient = _gradient(outputs[:, b], inputs)
        gradient[:, b] = 0.0
        _require_zero(gradient, f"column {b} has gradient to inputs of other columns")


def padding_counts_nowhere(subject: Subject) -> None:
    """What stands after an end, and how much of it, changes no output within a length, no summary and no gradient."""
    model, lengths = subject.model(), lengths_of(*LENGTHS)
    inputs, seed = subject.inputs(), int(torch.randint(2**31, ()))
    expected = _read_within(model, inputs, lengths, seed)
    for extra, size in ((0, 5.0), (4, 5.0), (3, 0.0)):
        rows = torch.cat([inputs, subject.inputs(extra)])
        other = rows.where(_within(lengths, len(rows)).unsqueeze(-1), size * torch.randn_like(rows))
        found = _read_within(model, other, lengths, seed)
        for name, tensor in found.items():
            _close(tensor, expected[name], f"{name} with other padding and {extra} more steps of it")
    outputs, summary = model(inputs, lengths)[0], expected["summary"]
    for b, length in enumerate(LENGTHS):
        alone, _ = model(inputs[:length, b : b + 1], lengths[b : b + 1])
        _close(outputs[:length, b : b + 1], alone, f"outputs of a sequence of {length} with padding and without")
        said = model.summary(alone, lengths[b : b + 1])
        _close(summary[b : b + 1], said, f"summary of a sequence of {length} with padding and without")


def causal_models_see_no_later_step(subject: Subject) -> None:
    """outputs[t] of a causal model do not depend on inputs after t, in value or by gradient, nor on how many there are."""
    model = subject.model()
    if not model.causal:
        return
    inputs, lengths = subject.inputs().requires_grad_(), lengths_of(*[STEPS] * len(LENGTHS))
    outputs, _ = model(inputs, lengths)
    for t in range(STEPS - 1):
        _require_zero(_gradient(outputs[t], inputs)[t + 1 :], f"outputs[{t}] has gradient to later inputs")
    for t in (0, STEPS // 2, STEPS - 2):
        other = torch.cat([inputs[: t + 1], subject.inputs(STEPS - t - 1)])
        _close(model(other, lengths)[0][: t + 1], outputs[: t + 1], f"outputs up to {t} under two futures")
        begun, _ = model(inputs[: t + 1], torch.full_like(lengths, t + 1))
        _close(begun, outputs[: t + 1], f"outputs up to {t} of a whole sequence and of its beginning")


def parts_give_what_the_whole_gives(subject: Subject) -> None:
    """Where a model carries a state, any split of T into calls gives the same outputs, state and gradients.

    A model that looks ahead carries none.
    """
    model, columns = subject.model(), len(LENGTHS)
    inputs = subject.inputs().requires_grad_()
    outputs, leaving = model(inputs, lengths_of(*[STEPS] * columns))
    if not model.causal:
        _equal(leaving, None, "the state of a model that is not causal")
    if leaving is None:
        return
    _equal([tuple(leaf.shape[:1]) for leaf in leaving], [(columns,)] * len(leaving), "the leaves' first dimension, B")
    seed = int(torch.randint(2**31, ()))
    for sizes in ([4, 3], [1, 2, 4], [1] * STEPS):
        split, state = _in_parts(model, inputs, sizes)
        _close(split, outputs, f"outputs whole and in calls of {sizes}")
        _close_states(state, leaving, f"exit states whole and after calls of {sizes}")
        gradient = _gradient(split, inputs, seed)
        _close(gradient, _gradient(outputs, inputs, seed), f"gradients whole and in calls of {sizes}")


def copies_are_equal(subject: Subject) -> None:
    """In evaluation mode a second call, a deepcopy and a state_dict round trip give the same outputs."""
    model, inputs, lengths = subject.model(), subject.inputs(), lengths_of(*LENGTHS)
    outputs = _cut(model(inputs, lengths)[0], lengths)
    second = _cut(model(inputs, lengths)[0], lengths)
    _close(second, outputs, "outputs of two equal calls (does the model draw or remember something?)")
    _close(_cut(copy.deepcopy(model)(inputs, lengths)[0], lengths), outputs, "outputs of a model and its deepcopy")
    loaded = subject.model()
    loaded.load_state_dict(model.state_dict())
    _close(_cut(loaded(inputs, lengths)[0], lengths), outputs, "outputs after a state_dict round trip")


def runs_on_meta(subject: Subject) -> None:
    """With everything but lengths on the meta device, forward and backward pass: no host tensor, no `.item()`."""
    model = subject.model().to("meta")
    for steps in (1, STEPS):
        lengths = lengths_of(*LENGTHS).clamp(max=steps)
        outputs, state = model(subject.inputs(steps).to("meta").requires_grad_(), lengths)
        tensors = (outputs, model.summary(outputs, lengths), *(state or ()))
        _equal([tensor.device.type for tensor in tensors], ["meta"] * len(tensors), "devices of outputs and state")
        outputs.sum().backward()


INVARIANTS: dict[int, tuple[str, Callable[[Subject], None]]] = {
    1: ("shapes", shapes),
    2: ("copies", copies_are_equal),
    3: ("causality", causal_models_see_no_later_step),
    4: ("independent columns", columns_are_independent),
    5: ("padding", padding_counts_nowhere),
    6: ("carried state", parts_give_what_the_whole_gives),
    7: ("meta device", runs_on_meta),
}
"""In this order the first that fails is the one that says what is wrong."""


def _within(lengths: Tensor, steps: int) -> Tensor:
    """Return [T, B] bool: whether a step is of its sequence."""
    return torch.arange(steps).unsqueeze(1) < lengths


def _cut(outputs: Tensor, lengths: Tensor) -> Tensor:
    """Return the outputs within lengths, [N, O]."""
    return outputs[_within(lengths, len(outputs))]


def _read_within(model: SequenceModel, inputs: Tensor, lengths: Tensor, seed: int) -> dict[str, Tensor]:
    """Return by name outputs [N, O], summary, and the gradients of a functional of both, the same for the same seed."""
    inputs = inputs.detach().requires_grad_()
    outputs, _ = model(inputs, lengths)
    outputs, summary = _cut(outputs, lengths), model.summary(outputs, lengths)
    named = {"inputs": inputs, **dict(model.named_parameters())}
    found = _gradients(torch.cat([outputs, summary]), list(named.values()), seed)
    gradients = {f"gradient of {name}": gradient for name, gradient in zip(named, found, strict=True)}
    gradient = gradients.pop("gradient of inputs")
    _require_zero(gradient[~_within(lengths, len(inputs))], "padding has gradient")
    return {"outputs": outputs, "summary": summary, "gradient of inputs": _cut(gradient, lengths), **gradients}


def _in_parts(model: SequenceModel, inputs: Tensor, sizes: list[int]) -> tuple[Tensor, State]:
    pieces, state = [], None
    for part in inputs.split(sizes):
        outputs, state = model(part, torch.full((part.shape[1],), len(part)), state)
        pieces.append(outputs)
    if state is None:
        raise AssertionError(f"no state after calls of {sizes}, and one after a single call")
    return torch.cat(pieces), state


def _gradient(results: Tensor, source: Tensor, seed: int | None = None) -> Tensor:
    """Return the gradient of a random functional of the results: no symmetry, such as a constant sum, hides it."""
    return _gradients(results, [source], int(torch.randint(2**31, ())) if seed is None else seed)[0]


def _gradients(results: Tensor, sources: list[Tensor], seed: int) -> tuple[Tensor, ...]:
    draw = torch.Generator().manual_seed(seed)
    total = (results * torch.randn(results.shape, generator=draw, dtype=results.dtype)).sum()
    return torch.autograd.grad(total, sources, retain_graph=True, allow_unused=True, materialize_grads=True)


def _close(found: Tensor, expected: Tensor, what: str) -> None:
    _equal(tuple(found.shape), tuple(expected.shape), f"shapes of {what}")
    difference = (found - expected).abs().max().item() if found.numel() else 0.0
    size = expected.abs().max().item() if found.numel() else 0.0
    tolerance = TOLERANCES[expected.dtype] * max(1.0, size)
    if not difference <= tolerance:
        raise AssertionError(f"{what} differ by {difference:.3g}, more than {tolerance:.3g}")


def _close_states(found: State, expected: State, what: str) -> None:
    _equal([leaf.dtype for leaf in found], [leaf.dtype for leaf in expected], f"types of {what}")
    for one, other in zip(found, expected, strict=True):
        _close(*((one, other) if one.is_floating_point() else (one.double(), other.double())), what)


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found}, expected {expected}")


def _require_zero(gradient: Tensor, what: str) -> None:
    if (gradient != 0).any():
        raise AssertionError(f"{what}, up to {gradient.abs().max().item():.3g}")
