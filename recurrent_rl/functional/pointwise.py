"""Recurrences in which no unit sees another's state, over a rollout whose columns hold several episodes.

    before[t] = initial    if starts[t]
                h[t - 1]   otherwise       h[-1] = entry

In float32 on a CPU by one compiled pass over time each way, gates and all; elsewhere by torch's operations.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from recurrent_rl.compiled.choice import refuse_second_derivatives, why_not
from recurrent_rl.functional.scan import linear_scan

_WIDTHS = {"gated": 2, "paired": 3, "relu": 1}  # blocks of D in a row


def gated_scan(gates: Tensor, span: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    """Return the states h[t] of units with a gate that does not see the state.

        z, c = sigmoid(gates[t, :, :D]), gates[t, :, D:]
        h[t] = (1 - span * z) * before[t] + z * c

    Neither values nor gradients, nor a NaN, pass a start. Computed in the type of `entry`, whatever autocast says.

    Args:
        gates: [T, B, 2 D].
        span: [D], constants: 1 for decays from 0 to 1, 2 for decays from -1 to 1.
        entry: [B, D], the state before row 0.
        initial: [D], the state before an episode.
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        h [T, B, D].
    """
    gates = gates.to(entry.dtype)
    if _compiles(gates):
        return _Compiled.apply("gated", gates, span, entry, initial, starts)  # type: ignore[return-value]
    logits, candidates = gates.chunk(2, dim=-1)
    z = torch.sigmoid(logits)
    return linear_scan(1 - span * z, z * candidates, entry, initial, starts)


def paired_scan(gates: Tensor, span: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    """Return the states h[t] of units with two gates that share one unit of weight and do not see the state.

        i, f, c = sigmoid(gates[t, :, :D]), sigmoid(gates[t, :, D:2 D]), gates[t, :, 2 D:]
        z       = i / (i + f)
        h[t]    = (1 - span * z) * before[t] + z * c

    z = sigmoid(log i - log f) here, which is a number where both gates are closed. Arguments and result are those of
    `gated_scan`, with gates [T, B, 3 D].
    """
    gates = gates.to(entry.dtype)
    if _compiles(gates):
        return _Compiled.apply("paired", gates, span, entry, initial, starts)  # type: ignore[return-value]
    i, f, candidates = gates.chunk(3, dim=-1)
    z = torch.sigmoid(logsigmoid(i) - logsigmoid(f))
    return linear_scan(1 - span * z, z * candidates, entry, initial, starts)


def relu_scan(inputs: Tensor, weight: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    """Return the states h[t] = relu(weight * before[t] + inputs[t]).

    Neither values nor gradients, nor a NaN, pass a start. Computed in the type of `entry`, whatever autocast says.

    Args:
        inputs: [T, B, D].
        weight: [D].
        entry: [B, D], the state before row 0.
        initial: [D], the state before an episode.
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        h [T, B, D].
    """
    inputs = inputs.to(entry.dtype)
    if _compiles(inputs):
        return _Compiled.apply("relu", inputs, weight, entry, initial, starts)  # type: ignore[return-value]
    fresh = starts.to(entry.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
    state, states = entry, []
    for row, start in zip(inputs, fresh, strict=True):
        state = torch.relu(torch.addcmul(row, weight, torch.where(start, initial, state)))
        states.append(state)
    return torch.stack(states)


def _compiles(rows: Tensor) -> bool:
    return len(rows) > 1 and why_not(rows) is None


class _Compiled(torch.autograd.Function):
    """(rows [T, B, 1 to 3 D], weight [D], entry [B, D], initial [D], starts) -> states [T, B, D]."""

    @staticmethod
    def forward(ctx: Any, kind, rows, weight, entry, initial, starts):
        """Return the states."""
        _check(kind, rows, weight, entry, initial, starts)
        tensors = [tensor.contiguous() for tensor in (rows, weight, entry, initial, starts)]
        states = entry.new_empty((*starts.shape, entry.shape[1]))
        _run(kind, 0, [*tensors, states])
        ctx.save_for_backward(*tensors, states)
        ctx.kind = kind
        return states

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of rows, weight (of "relu" alone), entry and initial."""
        refuse_second_derivatives()
        rows, _, entry = ctx.saved_tensors[:3]
        of_weight, of_entry, of_initial = entry.new_zeros((3, *entry.shape))  # each column adds up its own
        of_rows = torch.empty_like(rows)
        _run(ctx.kind, 1, [*ctx.saved_tensors, gradient.contiguous(), of_rows, of_weight, of_entry, of_initial])
        return None, of_rows, of_weight.sum(0) if ctx.kind == "relu" else None, of_entry, of_initial.sum(0), None


def _run(kind: str, way: int, tensors: list[Tensor]) -> None:
    """Run a task, forward (0) or backward (1), over the columns."""
    from recurrent_rl.compiled.threads import run_parts
    from recurrent_rl.functional import pointwise_kernels as kernels

    tasks = {
        "gated": (kernels.gated_forward, kernels.gated_backward),
        "paired": (kernels.paired_forward, kernels.paired_backward),
        "relu": (kernels.relu_forward, kernels.relu_backward),
    }
    (steps, columns), size = tensors[4].shape, len(tensors[1])
    run_parts(tasks[kind][way], columns, steps * columns * size, [steps, columns, size], tensors)


def _check(kind: str, rows: Tensor, weight: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> None:
    """Raise ValueError where shapes or types do not fit: the loops read memory by addresses alone."""
    columns, size = entry.shape
    expected = [(len(rows), columns, size * _WIDTHS[kind]), (size,), (size,), (len(rows), columns)]
    found = [tuple(tensor.shape) for tensor in (rows, weight, initial, starts)]
    kinds = {(tensor.dtype, tensor.device.type) for tensor in (rows, weight, entry, initial)}
    on_host = starts.dtype == torch.bool and starts.device.type == "cpu"
    if found != expected or kinds != {(torch.float32, "cpu")} or not on_host:
        raise ValueError(
            f"rows, weight, initial and starts of shapes {found}, expected {expected} beside entry {tuple(entry.shape)}; "
            f"types {sorted(map(str, kinds))} and {starts.dtype}, expected one float32 and bool, on the host."
        )
