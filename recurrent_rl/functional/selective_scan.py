"""The selective scan: many small linear systems whose decay, input and output follow the data, over several episodes."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from recurrent_rl.compiled.choice import refuse_second_derivatives, why_not
from recurrent_rl.functional.precision import without_autocast
from recurrent_rl.functional.scan import linear_scan

ROOM = 2**21  # numbers of state in a piece of a long scan by torch's operations; each is computed again on the way back


def selective_scan(
    steps: Tensor, values: Tensor, read: Tensor, write: Tensor, rates: Tensor, entry: Tensor, starts: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what E channels of N states each give, and their last states.

        s[t] = exp(steps[t] rates) * s[t - 1] + (steps[t] * values[t]) outer read[t]      [E, N], 0 before a start
        y[t] = s[t] write[t]                                                              [E]

    The T B E N states are not kept: some are, and the way back computes the others again. Neither values nor gradients,
    nor a NaN of the state, pass a start. Computed in the type of `entry`, whatever autocast says.

    Args:
        steps: [T, B, E].
        values: [T, B, E].
        read: [T, B, N].
        write: [T, B, N].
        rates: [E, N], negative.
        entry: [B, E, N], the states before row 0.
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        y [T, B, E], and s[T - 1] [B, E, N].

    Source: Gu and Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces.
    """
    steps, values, read, write = (tensor.to(entry.dtype) for tensor in (steps, values, read, write))
    if len(steps) > 1 and why_not(entry) is None:
        rates, first = rates.t().contiguous(), entry.transpose(1, 2).contiguous()  # [N, E] and [B, N, E]
        outputs, last = _Compiled.apply(steps, values, read, write, rates, first, starts)  # type: ignore[misc]
        return outputs, last.transpose(1, 2)
    with without_autocast(entry):
        return _by_pieces(steps, values, read, write, rates, entry, starts)


def _by_pieces(steps, values, read, write, rates, entry, starts) -> tuple[Tensor, Tensor]:
    rows = max(1, ROOM // entry.numel())
    if len(steps) <= rows:
        return _by_linear_scan(steps, values, read, write, rates, entry, starts)
    state, outputs = entry, []
    pieces = zip(*(tensor.split(rows) for tensor in (steps, values, read, write, starts)), strict=True)
    for *some, flags in pieces:
        piece, state = checkpoint(
            _by_linear_scan, *some, rates, state, flags, use_reentrant=False, preserve_rng_state=False
        )
        outputs.append(piece)
    return torch.cat(outputs), state


def _by_linear_scan(steps, values, read, write, rates, entry, starts) -> tuple[Tensor, Tensor]:
    decays = torch.exp(steps.unsqueeze(-1) * rates)  # [T, B, E, N]
    updates = (steps * values).unsqueeze(-1) * read.unsqueeze(-2)  # [T, B, E, N]
    nothing = entry.new_zeros(()).expand(entry[0].numel())
    states = linear_scan(decays.flatten(2), updates.flatten(2), entry.flatten(1), nothing, starts)
    states = states.unflatten(-1, entry.shape[1:])  # [T, B, E, N]
    outputs = (states @ write.unsqueeze(-1)).squeeze(-1)  # [T, B, E]
    return outputs, states[-1].clone()  # a view would hold all of them


class _Compiled(torch.autograd.Function):
    """(steps, values, read, write, rates [N, E], entry [B, N, E], starts) -> y, last states [B, N, E]."""

    @staticmethod
    def forward(ctx: Any, steps, values, read, write, rates, entry, starts):
        """Return the outputs and the last states."""
        from recurrent_rl.functional import selective_kernels as kernels

        tensors = [tensor.contiguous() for tensor in (steps, values, read, write, rates, entry, starts)]
        _check(*tensors)
        outputs, last = torch.empty_like(tensors[0]), torch.empty_like(tensors[5])
        kept = entry.new_empty((-(-len(steps) // kernels.BLOCK), *entry.shape))  # the states before each block
        _run(kernels.selective_forward, [*tensors, kept, outputs, last])
        ctx.save_for_backward(*tensors, kept)
        return outputs, last

    @staticmethod
    def backward(ctx: Any, grad_outputs, grad_last):
        """Return the gradients of all but the starts."""
        refuse_second_derivatives()
        from recurrent_rl.functional import selective_kernels as kernels

        tensors = ctx.saved_tensors
        gradients = [torch.empty_like(tensor) for tensor in tensors[:4]]
        of_rates, of_entry = torch.zeros_like(tensors[5]), grad_last.clone(memory_format=torch.contiguous_format)
        _run(kernels.selective_backward, [*tensors, grad_outputs.contiguous(), *gradients, of_rates, of_entry])
        return *gradients, of_rates.sum(0), of_entry, None


def _run(task: Any, tensors: list[Tensor]) -> None:
    """Run a task over the columns."""
    from recurrent_rl.compiled.threads import run_parts

    rows, (columns, count, channels) = len(tensors[0]), tensors[5].shape
    run_parts(task, columns, rows * tensors[5].numel(), [rows, columns, count, channels], tensors)


def _check(steps, values, read, write, rates, entry, starts) -> None:
    """Raise ValueError where shapes or types do not fit: the loops read memory by addresses alone."""
    columns, count, channels = entry.shape
    expected = [(len(steps), columns, size) for size in (channels, channels, count, count)]
    expected += [(count, channels), (len(steps), columns)]
    found = [tuple(tensor.shape) for tensor in (steps, values, read, write, rates, starts)]
    kinds = {(tensor.dtype, tensor.device.type) for tensor in (steps, values, read, write, rates, entry)}
    on_host = starts.dtype == torch.bool and starts.device.type == "cpu"
    if found != expected or kinds != {(torch.float32, "cpu")} or not on_host:
        raise ValueError(
            f"steps, values, read, write, rates and starts of shapes {found}, expected {expected}; types "
            f"{sorted(map(str, kinds))} and {starts.dtype}, expected one float32 and bool, on the host."
        )
