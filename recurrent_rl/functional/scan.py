"""First-order linear recurrences over a rollout whose columns hold several episodes."""

from typing import Any

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import refuse_second_derivatives, why_not
from recurrent_rl.functional.precision import without_autocast

SHORT = 8  # rows; on a GPU a loop over so few beats the scan


def linear_scan(decays: Tensor, updates: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    """Return the states h[t] of a linear recurrence, real or complex.

        before[t] = initial    if starts[t]
                    h[t - 1]   otherwise       h[-1] = entry
        h[t]      = decays[t] * before[t] + updates[t]

    Neither values nor gradients, nor a NaN, pass a start. Computed in the type of `entry`, whatever autocast says; on a CPU
    by a compiled loop (float32 and complex64) or torch's operations row by row, on other devices by an associative scan in
    log2 T passes. What loops in torch can be differentiated twice.

    Args:
        decays: [T, B, D], or [D] for decays that are the same at every step.
        updates: [T, B, D].
        entry: [B, D], the state before row 0.
        initial: [D], the state before an episode.
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        h [T, B, D].

    Source: Blelloch 1990, Prefix Sums and Their Applications (the associative form); Lu et al. 2023, Structured State
    Space Models for In-Context Reinforcement Learning (resets inside it).
    """
    if decays.dim() != 1 and decays.shape != updates.shape:
        raise ValueError(
            f"decays {tuple(decays.shape)} do not fit with updates {tuple(updates.shape)}: give [T, B, D] or [D]."
        )
    decays, updates = decays.to(entry.dtype), updates.to(entry.dtype)
    with without_autocast(entry):
        if len(updates) == 1:  # an acting step: nothing is read on the host, so a CUDA graph can hold it
            fresh = starts[0].to(entry.device, non_blocking=True).unsqueeze(-1)  # [B, 1]
            row = decays if decays.dim() == 1 else decays[0]
            return (row * torch.where(fresh, initial, entry) + updates[0]).unsqueeze(0)
        if _compiles(entry):
            return _Compiled.apply(decays, updates, entry, initial, starts)  # type: ignore[return-value]
        return _Scan.apply(decays.expand_as(updates), updates, entry, initial, starts)  # type: ignore[return-value]


def _compiles(entry: Tensor) -> bool:
    return why_not(entry.real) is None


class _Scan(torch.autograd.Function):
    """The same by torch operations; the way back is a scan too, from the end."""

    @staticmethod
    def forward(ctx: Any, decays, updates, entry, initial, starts):
        """Return the states [T, B, D]."""
        states = _run(decays, updates, entry, initial, starts)
        ctx.save_for_backward(decays, entry, initial, starts, states)
        return states

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of decays, updates, entry and initial."""
        decays, entry, initial, on_host, states = ctx.saved_tensors
        starts = on_host.to(entry.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
        nothing, ends = torch.zeros_like(initial), torch.cat([on_host[1:], torch.ones_like(on_host[:1])])
        later = torch.cat([decays[1:].conj(), torch.zeros_like(decays[:1])])  # [T, B, D], what row t passes back to
        updates = _Scan.apply(later.flip(0), gradient.flip(0), torch.zeros_like(entry), nothing, ends.flip(0)).flip(0)  # type: ignore[union-attr]
        before = torch.where(starts, initial, torch.cat([entry.unsqueeze(0), states[:-1]]))
        back = decays.conj() * updates
        from_initial = torch.where(starts, back, torch.zeros_like(back)).sum((0, 1))
        from_entry = torch.where(starts[0], torch.zeros_like(back[0]), back[0])
        return before.conj() * updates, updates, from_entry, from_initial, None


def _run(decays: Tensor, updates: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    on_device = starts.to(entry.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
    if entry.device.type == "cpu" or len(updates) <= SHORT:
        return _by_rows(decays, updates, entry, initial, on_device)
    first = torch.where(on_device, initial, torch.cat([entry.unsqueeze(0), torch.zeros_like(updates[1:])]))
    return _by_doubling(decays, updates + decays * first, starts)


def _by_rows(decays: Tensor, updates: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    state, states = entry, []
    for decay, update, start in zip(decays, updates, starts, strict=True):
        state = decay * torch.where(start, initial, state) + update
        states.append(state)
    return torch.stack(states)


def _by_doubling(decays: Tensor, states: Tensor, starts: Tensor) -> Tensor:
    """Return the states in log2 T passes; `states` [T, B, D] begins as what each row adds by itself.

    After each pass a row holds what twice as many rows have added, of its own episode.
    """
    episode = starts.cumsum(0)  # [T, B], on the host
    reach = 1
    while reach < len(states):
        same = (episode[reach:] == episode[:-reach]).to(states.device, non_blocking=True).unsqueeze(-1)
        reached = torch.where(same, decays[reach:] * states[:-reach], torch.zeros_like(states[reach:]))
        states = torch.cat([states[:reach], states[reach:] + reached])
        decays = torch.cat([decays[:reach], decays[reach:] * decays[:-reach]])
        reach *= 2
    return states


class _Compiled(torch.autograd.Function):
    """The same by one compiled pass over the rows each way, columns dealt out to threads."""

    @staticmethod
    def forward(ctx: Any, decays, updates, entry, initial, starts):
        """Return the states [T, B, D]."""
        from recurrent_rl.functional import scan_kernels

        ctx.decay_shape = decays.shape
        if decays.dim() == 1:
            decays = decays.expand(entry.shape)
        arrays = [tensor.resolve_conj().contiguous() for tensor in (decays, updates, entry, initial, starts)]
        _check(*arrays)
        states = torch.empty_like(arrays[1])
        _run_compiled(scan_kernels.scan_forward, states, len(ctx.decay_shape) == 3, [*arrays, states])
        ctx.save_for_backward(arrays[0], *arrays[2:], states)
        return states

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of decays, updates, entry and initial."""
        refuse_second_derivatives()
        from recurrent_rl.functional import scan_kernels

        saved = ctx.saved_tensors
        decays, entry = saved[:2]
        gradients = [torch.zeros_like(decays), torch.empty_like(gradient), torch.zeros_like(entry)]
        gradients = [tensor.contiguous() for tensor in (*gradients, torch.zeros_like(entry))]
        arrays = [*saved, gradient.resolve_conj().contiguous(), *gradients]
        _run_compiled(scan_kernels.scan_backward, saved[-1], len(ctx.decay_shape) == 3, arrays)
        of_decays = gradients[0] if len(ctx.decay_shape) == 3 else gradients[0].sum(0)
        return of_decays, gradients[1], gradients[2], gradients[3].sum(0), None


def _run_compiled(task: Any, states: Tensor, decay_rows: bool, arrays: list[Tensor]) -> None:
    """Run a task over the columns."""
    from recurrent_rl.compiled.threads import run_parts

    (steps, columns, size), is_complex = states.shape, states.is_complex()
    sizes = [steps, columns, size * (2 if is_complex else 1), is_complex, decay_rows]
    run_parts(task, columns, states.numel(), sizes, arrays)


def _check(decays: Tensor, updates: Tensor, entry: Tensor, initial: Tensor, starts: Tensor) -> None:
    """Raise ValueError where shapes do not fit: the loops read memory by addresses alone."""
    steps, columns, size = updates.shape
    shapes = [tuple(tensor.shape) for tensor in (entry, initial, starts)]
    fits = shapes == [(columns, size), (size,), (steps, columns)] and starts.dtype == torch.bool
    kinds = {(tensor.dtype, tensor.device.type) for tensor in (decays, updates, entry, initial)}
    if (
        not fits
        or decays.shape not in (updates.shape, entry.shape)
        or len(kinds) > 1
        or not starts.device.type == "cpu"
    ):
        raise ValueError(
            f"updates {tuple(updates.shape)} [T, B, D] do not fit with decays {tuple(decays.shape)}, entry, initial and "
            f"starts {shapes}, or they differ in type or device: {sorted(map(str, kinds))}."
        )
