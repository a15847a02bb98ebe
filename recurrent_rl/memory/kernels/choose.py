"""Which loop over time runs a layer: cuDNN on CUDA, compiled loops on the CPU, the plain loop where neither can.

A single row needs no loop: torch's own cell takes it on every device, and may find `starts` on that device already.

Set RECURRENT_RL_KERNELS=loop to have the plain loop everywhere on the CPU, for a second opinion.
"""

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import bfloat16_wanted, why_not
from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.loop import Cell, Resets, in_float32, run_loop, run_row
from recurrent_rl.memory.kernels.packed import run_packed
from recurrent_rl.memory.kernels.pieces import cut

RunLayer = Callable[..., tuple[Tensor, State]]
"""`kernels.loop.run_loop` or another kernel, with cell and starts filled in."""

RunTogether = Callable[[list[dict[str, Any]]], list[tuple[Tensor, State]]]
"""What takes the arguments of several `RunLayer` calls at once."""

_log = logging.getLogger("recurrent_rl")


def choose_kernel(cell: Cell, hidden_size: int, inputs: Tensor, starts: Tensor) -> RunLayer:
    """Return what runs a layer of `hidden_size` units over inputs [T, B, I] with `starts` [T, B]."""
    device = inputs.device
    bfloat16 = device.type == "cpu" and bfloat16_wanted()
    if len(inputs) == 1 and not bfloat16:  # acting: packing one row gains nothing
        fresh = starts[0].to(device, non_blocking=True).unsqueeze(-1)  # [B, 1]
        return partial(run_row if device.type == "cuda" else in_float32(run_row), cell, starts=fresh)
    if device.type == "cuda":
        return partial(run_packed, cell, pieces=cut(starts, device))
    reason = why_not(inputs)
    if reason is not None:
        _say_once(reason)
        return partial(in_float32(run_loop), cell, resets=Resets.of(starts, device))
    from recurrent_rl.memory.kernels.fused import plan, run_fused, segments_for

    n_segments = segments_for(starts.numel(), cell, hidden_size)
    return partial(run_fused, cell, plan=plan(starts, n_segments), bfloat16=bfloat16)


def choose_together(cell: Cell, hidden_size: int, inputs: Tensor, starts: Tensor) -> RunTogether | None:
    """Return what runs two layers of one cell at the same time, each on its own thread; None where that gains nothing."""
    if inputs.device.type != "cpu" or len(inputs) == 1 or torch.get_num_threads() == 1 or why_not(inputs) is not None:
        return None
    from recurrent_rl.memory.kernels.fused import Call, plan, run_together, segments_for

    segments = max(1, segments_for(2 * starts.numel(), cell, hidden_size) // 2)
    dealt, bfloat16 = plan(starts, segments), bfloat16_wanted()

    def run(calls: list[dict[str, Any]]) -> list[tuple[Tensor, State]]:
        return run_together(cell, [Call(**call) for call in calls], dealt, bfloat16)

    return run


@cache
def _say_once(reason: str) -> None:
    level = logging.WARNING if "numba" in reason else logging.INFO
    _log.log(level, "Recurrent layers take the plain loop over time, which is slower: %s.", reason)
