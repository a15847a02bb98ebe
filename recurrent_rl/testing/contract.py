"""The memory contract as a test kit: nine invariants that hold for every memory, yours included.

    from recurrent_rl.testing import check_memory
    check_memory(MySpec(hidden_size=8))

Each invariant runs in evaluation mode, with perturbed parameters, random starts and random entry states; in float64, or
in float32 for a memory that computes in another way there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from recurrent_rl.memory import Memory, State

TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5}
STEPS, COLUMNS = 9, 4


class Spec(Protocol):
    """What `check_memory` needs of a spec."""

    def build(self, input_size: int) -> Memory:
        """Return a new memory."""
        ...


class MemoryContractError(AssertionError):
    """A memory breaks the contract; the message names the invariant."""


def check_memory(spec: Spec, input_size: int = 3, dtype: torch.dtype = torch.float64) -> None:
    """Check the nine invariants of the memory contract.

    Torch's global random generator is left as it was.

    Args:
        spec: Anything with `build(input_size) -> Memory`.
        input_size: I, at least 1.
        dtype: torch.float64, where equal means within 1e-10, or torch.float32, within 2e-5 (of the largest number, where
            that is above 1).

    Raises:
        MemoryContractError: Names the invariant that fails, "invariant 3 (reset): ...", and what differs by how much.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for number in ORDER:
            name, check = INVARIANTS[number]
            try:
                check(Subject(spec, input_size, dtype))
            except _NotFlat as error:
                raise MemoryContractError(f"invariant 6 ({INVARIANTS[6][0]}): {error}") from error
            except AssertionError as error:
                raise MemoryContractError(f"invariant {number} ({name}): {error}") from error
            except Exception as error:
                raise MemoryContractError(f"invariant {number} ({name}): {type(error).__name__}: {error}") from error


class _NotFlat(AssertionError):
    """A state that the other checks cannot even hold."""


@dataclass(frozen=True)
class Subject:
    """What is checked: memories from one spec."""

    spec: Spec
    input_size: int
    dtype: torch.dtype

    def memory(self) -> Memory:
        """Build a memory in evaluation mode whose parameters hide nothing behind a zero."""
        memory = _cast(self.spec.build(self.input_size), self.dtype).eval()
        with torch.no_grad():
            for parameter in memory.parameters():
                fan_in = parameter.shape[-1] if parameter.dim() > 1 else 1
                parameter.add_(0.3 * torch.randn_like(parameter) / fan_in**0.5)  # no chaos in a large memory
        return memory

    def inputs(self, steps: int = STEPS, columns: int = COLUMNS) -> Tensor:
        """Return random inputs [T, B, I]."""
        return torch.randn(steps, columns, self.input_size, dtype=self.dtype)

    def entry(self, memory: Memory) -> State:
        """Return a state [B, ...] in the middle of an episode."""
        history, state = self.inputs(), memory.initial_state(COLUMNS)
        with torch.no_grad():
            leaving = memory(history, state, no_starts())[1]
        _require_flat(state)
        _require_flat(leaving)
        return tuple(leaf.clone() for leaf in leaving)


def no_starts(steps: int = STEPS, columns: int = COLUMNS) -> Tensor:
    """Return flags [T, B], all false."""
    return torch.zeros(steps, columns, dtype=torch.bool)


def random_starts(density: float = 0.3) -> Tensor:
    """Return flags [T, B]."""
    return torch.rand(STEPS, COLUMNS) < density


def step_equals_sequence(subject: Subject) -> None:
    """T steps at once give what T calls with one step give: outputs, state, and the gradients of both."""
    memory = subject.memory()
    for density in (0.0, 0.3, 1.0):
        inputs, starts = subject.inputs().requires_grad_(), random_starts(density)
        entry = tuple(_with_gradient(leaf) for leaf in subject.entry(memory))
        outputs, leaving = memory(inputs, entry, starts)
        stepped, stepped_state = _in_chunks(memory, inputs, entry, starts, [1] * STEPS)
        _close(outputs, stepped, "outputs of one call and of T calls")
        _close_states(leaving, stepped_state, "exit states of one call and of T calls")
        named = [("inputs", inputs), *(("entry state", leaf) for leaf in entry), *memory.named_parameters()]
        sources = [(name, tensor) for name, tensor in named if tensor.requires_grad]
        seed = int(torch.randint(2**31, ()))
        at_once = _gradients((outputs, *leaving), [tensor for _, tensor in sources], seed)
        by_steps = _gradients((stepped, *stepped_state), [tensor for _, tensor in sources], seed)
        for (name, _), one, other in zip(sources, at_once, by_steps, strict=True):
            _close(one, other, f"gradients with respect to {name} of one call and of T calls")


def any_split_is_the_same(subject: Subject) -> None:
    """Any cut of T into chunks gives the same outputs, and the same state in the end."""
    memory = subject.memory()
    arguments = subject.inputs(), subject.entry(memory), random_starts()
    outputs, leaving = memory(*arguments)
    for sizes in ([4, 5], [1, 8], [2, 3, 4], [8, 1]):
        split, split_state = _in_chunks(memory, *arguments, sizes)
        _close(outputs, split, f"outputs whole and in chunks of {sizes}")
        _close_states(leaving, split_state, f"exit states whole and in chunks of {sizes}")


def start_forgets(subject: Subject) -> None:
    """After a start at k the outputs are those of a fresh run from k; no gradient and no NaN crosses it."""
    memory = subject.memory()
    for k in (0, 4, STEPS - 2):  # a fresh run of one row would be what invariant 1 compares
        inputs, starts = subject.inputs().requires_grad_(), no_starts()
        entry = tuple(_with_gradient(leaf) for leaf in subject.entry(memory))
        starts[k] = True
        outputs, leaving = memory(inputs, entry, starts)
        fresh, fresh_leaving = memory(inputs[k:], memory.initial_state(COLUMNS), no_starts(STEPS - k))
        _close(outputs[k:], fresh, f"outputs after a start at {k} and of a fresh run")
        _close_states(leaving, fresh_leaving, f"exit states after a start at {k} and of a fresh run")
        after = (outputs[k:], *leaving)
        _require_zero(_gradient(after, inputs)[:k], f"gradient crosses a start at {k} to the inputs before it")
        for leaf in entry:
            if leaf.requires_grad:
                _require_zero(_gradient(after, leaf), f"gradient crosses a start at {k} to the entry state")
        _no_nan_crosses(memory, inputs, entry, starts, k)


def _no_nan_crosses(memory: Memory, inputs: Tensor, entry: State, starts: Tensor, k: int) -> None:
    poisoned = tuple(torch.full_like(leaf, torch.nan) if _continuous(leaf) else leaf for leaf in entry)
    outputs, leaving = memory(inputs, poisoned, starts)
    after = (outputs[k:], *leaving)
    clean = all(torch.isfinite(tensor).all() for tensor in after)
    if not (clean and torch.isfinite(_gradient(after, inputs)[k:]).all()):
        raise AssertionError(
            f"NaN in the state passes a start at {k}; use where(starts, initial, state), not a product"
        )


def causal(subject: Subject) -> None:
    """outputs[t] does not depend on inputs after t, neither in value nor by gradient."""
    memory = subject.memory()
    inputs, entry, starts = subject.inputs().requires_grad_(), subject.entry(memory), random_starts()
    outputs, _ = memory(inputs, entry, starts)
    for t in range(STEPS - 1):
        _require_zero(_gradient((outputs[t],), inputs)[t + 1 :], f"outputs[{t}] has gradient to later inputs")
        other = torch.cat([inputs[: t + 1], subject.inputs(STEPS - t - 1)])
        _close(outputs[: t + 1], memory(other, entry, starts)[0][: t + 1], f"outputs up to {t} under two futures")


def columns_are_independent(subject: Subject) -> None:
    """A column's outputs and state are what it gives alone, and it has no gradient to the others."""
    memory = subject.memory()
    inputs, entry, starts = subject.inputs().requires_grad_(), subject.entry(memory), random_starts()
    outputs, leaving = memory(inputs, entry, starts)
    for b in range(COLUMNS):
        column = slice(b, b + 1)
        alone, left = memory(inputs[:, column], _columns(entry, column), starts[:, column])
        _close(outputs[:, column], alone, f"outputs of column {b} in the batch and alone")
        _close_states(_columns(leaving, column), left, f"exit states of column {b} in the batch and alone")
        gradient = _gradient((outputs[:, b],), inputs)
        gradient[:, b] = 0.0
        _require_zero(gradient, f"column {b} has gradient to the inputs of other columns")


def state_is_batched(subject: Subject) -> None:
    """Leaves are [B, ...], and the exit state has the entry state's structure; outputs are [T, B, O]."""
    memory = subject.memory()
    _equal(memory.input_size, subject.input_size, "input_size")
    for columns in (1, 3):
        entry = memory.initial_state(columns)
        outputs, leaving = memory(subject.inputs(2, columns), entry, no_starts(2, columns))
        _equal(tuple(outputs.shape), (2, columns, memory.output_size), "the outputs' shape [T, B, O]")
        _require_flat(entry)
        _require_flat(leaving)
        _equal([tuple(leaf.shape[:1]) for leaf in entry], [(columns,)] * len(entry), "the leaves' first dimension, B")
        _equal(_structure(leaving), _structure(entry), "the structure of the exit state and of the entry state")


def state_size_is_constant(subject: Subject) -> None:
    """The exit state's size does not depend on T."""
    memory, sizes = subject.memory(), []
    for steps in (1, 2, 17):
        state = memory(subject.inputs(steps, 2), memory.initial_state(2), no_starts(steps, 2))[1]
        sizes.append([leaf.numel() for leaf in state])
    _equal(sizes[1:], sizes[:1] * 2, "numbers in the exit state after 2 and 17 steps, and after 1")


def copies_are_equal(subject: Subject) -> None:
    """A second call, deepcopy, a state_dict round trip and another dtype give the same outputs."""
    memory = subject.memory()
    arguments = subject.inputs(), subject.entry(memory), random_starts()
    outputs, _ = memory(*arguments)
    _equal(outputs.dtype, subject.dtype, f"the outputs' dtype after .to({subject.dtype})")
    _close(outputs, memory(*arguments)[0], "outputs of two equal calls (does the module remember the first?)")
    twin = copy.deepcopy(memory)
    _close(outputs, twin(*arguments)[0], "outputs of a memory and its deepcopy")
    for parameter in twin.parameters():
        parameter.data.normal_()
    _close(outputs, memory(*arguments)[0], "outputs before and after its deepcopy's parameters change")
    loaded = subject.memory()
    loaded.load_state_dict(memory.state_dict())
    _close(outputs, loaded(*arguments)[0], "outputs after a state_dict round trip")
    other = torch.float32 if subject.dtype == torch.float64 else torch.float64
    inputs, entry, starts = arguments
    converted = tuple(leaf.to(_like(leaf, other)) for leaf in entry)
    found = _cast(copy.deepcopy(memory), other)(inputs.to(other), converted, starts)[0].to(subject.dtype)
    if not torch.allclose(found, outputs, atol=1e-3, rtol=1e-3):
        raise AssertionError("outputs in float32 and float64 differ by more than rounding")


def runs_on_meta(subject: Subject) -> None:
    """With everything but `starts` on the meta device, forward and backward pass: no host tensor, no `.item()`."""
    memory = subject.memory().to("meta")
    for steps in (1, STEPS):
        inputs = subject.inputs(steps).to("meta").requires_grad_()
        entry = memory.initial_state(COLUMNS)
        _equal([leaf.device.type for leaf in entry], ["meta"] * len(entry), "the devices of initial_state")
        outputs, leaving = memory(inputs, entry, random_starts()[:steps])
        found = [tensor.device.type for tensor in (outputs, *leaving)]
        _equal(found, ["meta"] * len(found), "the devices of outputs and exit state")
        if outputs.requires_grad:
            outputs.sum().backward()


INVARIANTS: dict[int, tuple[str, Callable[[Subject], None]]] = {
    1: ("step = sequence", step_equals_sequence),
    2: ("any split", any_split_is_the_same),
    3: ("reset", start_forgets),
    4: ("causality", causal),
    5: ("independent columns", columns_are_independent),
    6: ("state structure", state_is_batched),
    7: ("state size", state_size_is_constant),
    8: ("copies", copies_are_equal),
    9: ("meta device", runs_on_meta),
}
ORDER = (8, 7, 6, 4, 5, 3, 1, 2, 9)
"""Each fault breaks several invariants; in this order the first that fails is the one that says what is wrong."""


def _in_chunks(memory: Memory, inputs: Tensor, state: State, starts: Tensor, sizes: list[int]) -> tuple[Tensor, State]:
    pieces = []
    for chunk, flags in zip(inputs.split(sizes), starts.split(sizes), strict=True):
        outputs, state = memory(chunk, state, flags)
        pieces.append(outputs)
    return torch.cat(pieces), state


def _columns(state: State, columns: slice) -> State:
    return tuple(leaf[columns] for leaf in state)


def _require_flat(state: object) -> None:
    if not isinstance(state, tuple) or not all(isinstance(leaf, Tensor) for leaf in state):
        raise _NotFlat("a state is a flat tuple of tensors")


def _continuous(leaf: Tensor) -> bool:
    return leaf.is_floating_point() or leaf.is_complex()


def _with_gradient(leaf: Tensor) -> Tensor:
    return leaf.requires_grad_() if _continuous(leaf) else leaf


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _cast(memory: Memory, dtype: torch.dtype) -> Memory:
    return memory.double() if dtype == torch.float64 else memory.float()  # .to(dtype) would cut off imaginary parts


def _like(leaf: Tensor, dtype: torch.dtype) -> torch.dtype:
    """Return the type in which a leaf belongs to a memory of `dtype`."""
    if leaf.is_complex():
        return torch.complex128 if dtype == torch.float64 else torch.complex64
    return dtype if leaf.is_floating_point() else leaf.dtype


def _structure(state: State) -> list[tuple[tuple[int, ...], torch.dtype]]:
    return [(tuple(leaf.shape), leaf.dtype) for leaf in state]


def _close(found: Tensor, expected: Tensor, what: str) -> None:
    _equal(tuple(found.shape), tuple(expected.shape), f"shapes of {what}")
    difference = (found - expected).abs().max().item() if found.numel() else 0.0
    size = expected.abs().max().item() if found.numel() else 0.0
    tolerance = TOLERANCES[_real(expected).dtype] * max(1.0, size)
    if not difference <= tolerance:
        raise AssertionError(f"{what} differ by {difference:.3g}, more than {tolerance:.3g}")


def _close_states(found: State, expected: State, what: str) -> None:
    _equal(_structure(found), _structure(expected), f"structures of {what}")
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        if _continuous(one):
            _close(one, other, f"{what}, leaf {i},")
        elif not torch.equal(one, other):
            raise AssertionError(f"{what}, leaf {i}, differ")


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found}, expected {expected}")


def _gradient(results: tuple[Tensor, ...], source: Tensor) -> Tensor:
    """Return the gradient of a random functional of the results: no symmetry, such as a constant sum, hides it."""
    return _gradients(results, [source], int(torch.randint(2**31, ())))[0]


def _gradients(results: tuple[Tensor, ...], sources: list[Tensor], seed: int) -> tuple[Tensor, ...]:
    """Return the gradients of one random functional of the results, the same for the same seed."""
    draw = torch.Generator().manual_seed(seed)
    real = [_real(tensor) for tensor in results if tensor.requires_grad]
    parts = [(tensor * torch.randn(tensor.shape, generator=draw, dtype=tensor.dtype)).sum() for tensor in real]
    if not parts:
        return tuple(torch.zeros_like(source) for source in sources)
    total = torch.stack(parts).sum()
    return torch.autograd.grad(total, sources, retain_graph=True, allow_unused=True, materialize_grads=True)


def _require_zero(gradient: Tensor, what: str) -> None:
    if (gradient != 0).any():
        raise AssertionError(f"{what}, up to {gradient.abs().max().item():.3g}")
