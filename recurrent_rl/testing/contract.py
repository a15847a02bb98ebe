"""The memory contract as a test kit: nine invariants that hold for every memory, yours included.

    from recurrent_rl.testing import check_memory
    check_memory(MySpec(hidden_size=8))

Each invariant runs in evaluation mode and float64, with perturbed parameters, random starts and random entry states.
"""

import copy
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from recurrent_rl.memory import Memory, State

TOLERANCE = 1e-10
STEPS, COLUMNS = 9, 4


class Spec(Protocol):
    """What `check_memory` needs of a spec."""

    def build(self, input_size: int) -> Memory:
        """Return a new memory."""
        ...


class MemoryContractError(AssertionError):
    """A memory breaks the contract; the message names the invariant."""


def check_memory(spec: Spec, input_size: int = 3) -> None:
    """Check the nine invariants of the memory contract.

    Torch's global random generator is left as it was.

    Args:
        spec: Anything with `build(input_size) -> Memory`.
        input_size: I, at least 1.

    Raises:
        MemoryContractError: Names the first invariant that fails, and by how much.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for number, (name, check) in enumerate(INVARIANTS, start=1):
            memory = _perturbed(spec, input_size)
            try:
                check(memory, input_size)
            except Exception as error:
                raise MemoryContractError(f"invariant {number} ({name}): {error}") from error


def step_equals_sequence(memory: Memory, input_size: int) -> None:
    """T steps at once give what T calls with one step give, outputs and state."""
    inputs, state, starts = _batch(memory, input_size)
    outputs, leaving = memory(inputs, state, starts)
    stepped, stepped_state = _in_chunks(memory, inputs, state, starts, [1] * STEPS)
    _close(outputs, stepped, "outputs of one call and of T calls")
    _close_states(leaving, stepped_state, "exit states of one call and of T calls")


def any_split_is_the_same(memory: Memory, input_size: int) -> None:
    """Any cut of T into chunks gives the same outputs."""
    inputs, state, starts = _batch(memory, input_size)
    outputs, _ = memory(inputs, state, starts)
    for sizes in ([4, 5], [1, 8], [2, 3, 4], [8, 1]):
        split, _ = _in_chunks(memory, inputs, state, starts, sizes)
        _close(outputs, split, f"outputs whole and in chunks of {sizes}")


def start_forgets(memory: Memory, input_size: int) -> None:
    """After a start at k the outputs are those of a fresh run from k; no gradient and no NaN crosses it."""
    inputs, state, starts = _batch(memory, input_size, requires_grad=True)
    k = 4
    starts = torch.zeros_like(starts)
    starts[k] = True
    outputs, leaving = memory(inputs, state, starts)
    fresh, fresh_leaving = memory(inputs[k:], memory.initial_state(COLUMNS), torch.zeros_like(starts[k:]))
    _close(outputs[k:], fresh, "outputs after a start and of a fresh run")
    _close_states(leaving, fresh_leaving, "exit states after a start and of a fresh run")
    _require_no_gradient(outputs[k:], inputs, slice(0, k), "inputs before the start")
    for leaf in state:
        if leaf.requires_grad:
            _require_no_gradient(outputs[k:], leaf, slice(None), "the entry state before the start")
    poisoned = tuple(torch.full_like(leaf, torch.nan) if leaf.is_floating_point() else leaf for leaf in state)
    starts[0] = True
    if not torch.isfinite(memory(inputs, poisoned, starts)[0]).all():
        raise AssertionError("NaN in the state passes a start; use where(starts, initial, state), not a product")


def causal(memory: Memory, input_size: int) -> None:
    """outputs[t] has no gradient to inputs after t."""
    inputs, state, starts = _batch(memory, input_size, requires_grad=True)
    outputs, _ = memory(inputs, state, starts)
    for t in range(STEPS - 1):
        _require_no_gradient(outputs[t], inputs, slice(t + 1, None), f"inputs after row {t}")


def columns_are_independent(memory: Memory, input_size: int) -> None:
    """A column's outputs and state are what it gives alone."""
    inputs, state, starts = _batch(memory, input_size)
    outputs, leaving = memory(inputs, state, starts)
    for b in range(COLUMNS):
        column = slice(b, b + 1)
        alone, left = memory(inputs[:, column], tuple(leaf[column] for leaf in state), starts[:, column])
        _close(outputs[:, column], alone, f"outputs of column {b} in the batch and alone")
        _close_states(tuple(leaf[column] for leaf in leaving), left, f"exit states of column {b}")


def state_is_batched(memory: Memory, input_size: int) -> None:
    """Leaves are [B, ...], and the exit state has the entry state's structure; outputs are [T, B, O]."""
    for columns in (1, 3):
        entry = memory.initial_state(columns)
        inputs, starts = torch.randn(2, columns, input_size).double(), torch.zeros(2, columns, dtype=torch.bool)
        outputs, leaving = memory(inputs, entry, starts)
        _equal(tuple(outputs.shape), (2, columns, memory.output_size), "the outputs' shape")
        if not isinstance(entry, tuple) or not isinstance(leaving, tuple):
            raise AssertionError("a state is a flat tuple of tensors")
        _equal([len(leaf) for leaf in entry], [columns] * len(entry), "the first dimension of the leaves")
        _equal(_structure(leaving), _structure(entry), "the structure of exit and entry state")


def state_size_is_constant(memory: Memory, input_size: int) -> None:
    """The exit state's size does not depend on T."""
    structures = []
    for steps in (1, 2, 17):
        inputs, starts = torch.randn(steps, 2, input_size).double(), torch.zeros(steps, 2, dtype=torch.bool)
        structures.append(_structure(memory(inputs, memory.initial_state(2), starts)[1]))
    _equal(structures[1:], structures[:-1], "exit states after 1, 2 and 17 steps")


def copies_are_equal(memory: Memory, input_size: int) -> None:
    """state_dict round trip, deepcopy and .double() give the same outputs; a call leaves nothing behind."""
    inputs, state, starts = _batch(memory, input_size)
    outputs, _ = memory(inputs, state, starts)
    _close(outputs, memory(inputs, state, starts)[0], "outputs of two equal calls")
    twin = copy.deepcopy(memory)
    _close(outputs, twin(inputs, state, starts)[0], "outputs of a memory and its deepcopy")
    for parameter in twin.parameters():
        parameter.data.normal_()
    twin.load_state_dict(memory.state_dict())
    _close(outputs, twin(inputs, state, starts)[0], "outputs after a state_dict round trip")
    floats = copy.deepcopy(memory).float()
    single = tuple(leaf.float() if leaf.is_floating_point() else leaf for leaf in state)
    if not torch.allclose(floats(inputs.float(), single, starts)[0].double(), outputs, atol=1e-3, rtol=1e-3):
        raise AssertionError("outputs in float32 and float64 differ by more than rounding")


def runs_on_meta(memory: Memory, input_size: int) -> None:
    """With everything but `starts` on the meta device, forward and backward pass: no host tensor, no `.item()`."""
    meta = copy.deepcopy(memory).to("meta")
    inputs = torch.zeros(STEPS, COLUMNS, input_size, dtype=torch.float64, device="meta", requires_grad=True)
    starts = torch.rand(STEPS, COLUMNS) < 0.3
    entry = meta.initial_state(COLUMNS)
    if any(leaf.device.type != "meta" for leaf in entry):
        raise AssertionError("initial_state is not on the memory's device")
    outputs, leaving = meta(inputs, entry, starts)
    if any(tensor.device.type != "meta" for tensor in (outputs, *leaving)):
        raise AssertionError("outputs or exit state left the memory's device")
    outputs.sum().backward()


INVARIANTS: tuple[tuple[str, Callable[[Memory, int], None]], ...] = (
    ("step = sequence", step_equals_sequence),
    ("any split", any_split_is_the_same),
    ("reset", start_forgets),
    ("causality", causal),
    ("independent columns", columns_are_independent),
    ("state structure", state_is_batched),
    ("state size", state_size_is_constant),
    ("copies", copies_are_equal),
    ("meta device", runs_on_meta),
)


def _perturbed(spec: Spec, input_size: int) -> Memory:
    """Build a memory in evaluation mode whose parameters hide nothing behind a zero."""
    memory = spec.build(input_size).double().eval()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return memory


def _batch(memory: Memory, input_size: int, requires_grad: bool = False) -> tuple[Tensor, State, Tensor]:
    """Return random inputs [T, B, I], an entry state that such a memory reaches, and starts [T, B]."""
    history = torch.randn(STEPS, COLUMNS, input_size, dtype=torch.float64)
    none = torch.zeros(STEPS, COLUMNS, dtype=torch.bool)
    with torch.no_grad():
        state = memory(history, memory.initial_state(COLUMNS), none)[1]
    inputs = torch.randn(STEPS, COLUMNS, input_size, dtype=torch.float64, requires_grad=requires_grad)
    starts = torch.rand(STEPS, COLUMNS) < 0.3
    starts[0, 0], starts[0, 1] = True, False
    entry = tuple(
        leaf.clone().requires_grad_() if requires_grad and leaf.is_floating_point() else leaf.clone() for leaf in state
    )
    return inputs, entry, starts


def _in_chunks(memory: Memory, inputs: Tensor, state: State, starts: Tensor, sizes: list[int]) -> tuple[Tensor, State]:
    pieces = []
    for chunk, flags in zip(inputs.split(sizes), starts.split(sizes), strict=True):
        outputs, state = memory(chunk, state, flags)
        pieces.append(outputs)
    return torch.cat(pieces), state


def _structure(state: State) -> list[tuple[tuple[int, ...], torch.dtype]]:
    return [(tuple(leaf.shape), leaf.dtype) for leaf in state]


def _close(found: Tensor, expected: Tensor, what: str) -> None:
    _equal(found.shape, expected.shape, f"shapes of {what}")
    difference = (found - expected).abs().max().item() if found.numel() else 0.0
    if not difference <= TOLERANCE:
        raise AssertionError(f"{what} differ by {difference:.3g}, more than {TOLERANCE}")


def _close_states(found: State, expected: State, what: str) -> None:
    if _structure(found) != _structure(expected):
        return  # what invariants 6 and 7 are for
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        _close(one.double(), other.double(), f"{what}, leaf {i},")


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found}, expected {expected}")


def _require_no_gradient(outputs: Tensor, source: Tensor, rows: slice, what: str) -> None:
    if not outputs.requires_grad:
        return
    (gradient,) = torch.autograd.grad(outputs.sum(), source, retain_graph=True, allow_unused=True)
    if gradient is not None and (gradient[rows] != 0).any():
        raise AssertionError(f"gradient reaches {what}")
