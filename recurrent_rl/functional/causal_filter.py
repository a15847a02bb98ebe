"""A filter of few taps over time for each channel, over a rollout whose columns hold several episodes."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import silu

from recurrent_rl.compiled.choice import refuse_second_derivatives, why_not


def filtered_silu(rows: Tensor, window: Tensor, taps: Tensor, bias: Tensor, starts: Tensor) -> Tensor:
    """Return silu(bias + sum over k of taps[k] * rows[t - k]), with zeros for rows of another episode.

    Neither values nor gradients, nor a NaN, pass a start.

    Args:
        rows: [T, B, E].
        window: [K - 1, B, E], the rows before, of the episode that row 0 goes on with: zeros where it did not exist yet.
        taps: [K, E], the present row's first.
        bias: [E].
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        [T, B, E].
    """
    if len(rows) > 1 and why_not(rows) is None:
        return _Compiled.apply(rows, window, taps, bias, starts)  # type: ignore[return-value]
    joined, zero = torch.cat([window, rows]), rows.new_zeros(())
    same = _same_episode(starts, len(window)).to(rows.device, non_blocking=True).unsqueeze(-1)  # [K, T, B, 1]
    seen = [joined[len(window) - lag : len(window) - lag + len(rows)] for lag in range(len(taps))]  # [T, B, E] each
    terms = [tap * torch.where(mask, row, zero) for tap, mask, row in zip(taps, same, seen, strict=True)]
    return silu(sum(terms, bias))


def last_rows(rows: Tensor, window: Tensor, starts: Tensor) -> Tensor:
    """Return the window [K - 1, B, E] to go on with after `filtered_silu`: zeros for rows of another episode."""
    count = len(window)
    if count == 0:
        return window
    lately = starts[-count:]
    same = _same_episode(lately, count)[:count, -1].flip(0)  # [K - 1, B]
    same = same.to(rows.device, non_blocking=True).unsqueeze(-1)
    return torch.where(same, torch.cat([window, rows[-count:]])[-count:], rows.new_zeros(()))


def _same_episode(starts: Tensor, before: int) -> Tensor:
    """Return [before + 1, T, B] bool: whether row t - lag is of row t's episode; those before row 0 are of the episode that
    goes on.
    """
    episode = torch.cat([starts.new_zeros((before, starts.shape[1])), starts]).cumsum(0)  # [before + T, B]
    firsts = range(before, -1, -1)
    return torch.stack([episode[first : first + len(starts)] == episode[before:] for first in firsts])


class _Compiled(torch.autograd.Function):
    """(rows [T, B, E], window [K - 1, B, E], taps [K, E], bias [E], starts) -> [T, B, E]."""

    @staticmethod
    def forward(ctx: Any, rows, window, taps, bias, starts):
        """Return the outputs."""
        from recurrent_rl.functional import filter_kernels

        tensors = [tensor.contiguous() for tensor in (rows, window, taps, bias, starts)]
        _check(*tensors)
        outputs = torch.empty_like(tensors[0])
        _run(filter_kernels.filter_forward, [*tensors, outputs])
        ctx.save_for_backward(*tensors)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of rows, window, taps and bias."""
        refuse_second_derivatives()
        from recurrent_rl.functional import filter_kernels

        rows, window, taps = ctx.saved_tensors[:3]
        of_rows, of_window = torch.zeros_like(rows), torch.zeros_like(window)
        sums = taps.new_zeros((rows.shape[1], len(taps) + 1, taps.shape[1]))  # of taps, then bias; each column its own
        _run(filter_kernels.filter_backward, [*ctx.saved_tensors, gradient.contiguous(), of_rows, of_window, sums])
        *of_taps, of_bias = sums.sum(0).unbind()
        return of_rows, of_window, torch.stack(of_taps), of_bias, None


def _run(task: Any, tensors: list[Tensor]) -> None:
    """Run a task over the columns."""
    from recurrent_rl.compiled.threads import run_parts

    (steps, columns, size), taps = tensors[0].shape, len(tensors[2])
    run_parts(task, columns, tensors[0].numel() * taps, [steps, columns, size, taps], tensors)


def _check(rows, window, taps, bias, starts) -> None:
    """Raise ValueError where shapes or types do not fit: the loops read memory by addresses alone."""
    steps, columns, size = rows.shape
    expected = [(len(taps) - 1, columns, size), (len(taps), size), (size,), (steps, columns)]
    found = [tuple(tensor.shape) for tensor in (window, taps, bias, starts)]
    kinds = {(tensor.dtype, tensor.device.type) for tensor in (rows, window, taps, bias)}
    on_host = starts.dtype == torch.bool and starts.device.type == "cpu"
    if found != expected or kinds != {(torch.float32, "cpu")} or not on_host:
        raise ValueError(
            f"window, taps, bias and starts of shapes {found}, expected {expected} beside rows {tuple(rows.shape)}; types "
            f"{sorted(map(str, kinds))} and {starts.dtype}, expected one float32 and bool, on the host."
        )
