"""What the fused loops share. Shapes: T rows, B columns, I inputs, H units, G gates, N = T B."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from recurrent_rl.memory.base import State

_BLOCK = 2**17  # units in a block of rows: measured on CPU, flat between 2**15 and 2**18

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input  # (d, y, grad_input=out): out = d y (1 - y)
tanh_backward = torch.ops.aten.tanh_backward.grad_input  # (d, y, grad_input=out): out = d (1 - y y)


@dataclass(frozen=True, slots=True)
class Resets:
    """Where episodes start, as indices.

    Args:
        columns: For each row the columns [n] that start there, None where none does.
        places: [n], the flat rows t B + b of all starts, in order.
        offsets: [T + 1], how many of them lie before each row.
    """

    columns: list[Tensor | None]
    places: Tensor
    offsets: list[int]

    @classmethod
    def of(cls, starts: Tensor, device: torch.device) -> "Resets":
        """Read `starts` [T, B] on the host and copy the indices over without waiting."""
        rows, columns = starts.nonzero(as_tuple=True)
        counts = starts.sum(dim=1).tolist()
        places = (rows * starts.shape[1] + columns).to(device, non_blocking=True)
        split = columns.to(device, non_blocking=True).split(counts)
        by_row = [found if count else None for found, count in zip(split, counts, strict=True)]
        return cls(by_row, places, list(accumulate(counts, initial=0)))


def project(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return inputs @ weight.T + bias, [T, B, G H], in one product and in memory of its own."""
    flat, product = inputs.flatten(0, 1), inputs.new_empty((*inputs.shape[:2], len(weight)))  # [N, I], [T, B, G H]
    if bias is None:
        torch.mm(flat, weight.t(), out=product.flatten(0, 1))  # [N, G H]
    else:
        torch.addmm(bias, flat, weight.t(), out=product.flatten(0, 1))  # [N, G H]
    return product


def replaced(state: Tensor, columns: Tensor, initial: Tensor) -> Tensor:
    """Return `state` [B, H] with `initial` [H] in some columns; what stood there is gone, NaN or not."""
    return state.index_put((columns,), initial)


def entering(entry: Tensor, after: Tensor, initial: Tensor, resets: Resets, rows: slice) -> Tensor:
    """Return the state that enters some rows, [K, B, H].

    Args:
        entry: [B, H], before the first row of all.
        after: [T, B, H], the state after each row.
        initial: [H].
        resets: Where episodes start.
        rows: Which K rows.
    """
    first = entry if rows.start == 0 else after[rows.start - 1]
    before = torch.cat([first.unsqueeze(0), after[rows][:-1]])  # [K, B, H]
    places = resets.places[resets.offsets[rows.start] : resets.offsets[rows.stop]] - rows.start * len(entry)
    before.flatten(0, 1).index_put_((places,), initial)  # [K B, H]
    return before


def blocks_backwards(states: Tensor) -> Iterator[slice]:
    """Yield the rows of [T, B, H] from the last to the first, in blocks whose gradients fit into the cache."""
    steps, size = len(states), max(1, _BLOCK // max(1, states[0].numel()))
    for stop in range(steps, 0, -size):
        yield slice(max(0, stop - size), stop)


def initial_gradients(initial: State, needed: tuple[bool, ...]) -> list[Tensor | None]:
    """Return where to sum up the gradients of the initial leaves [H], None where nobody asks for them."""
    return [torch.zeros_like(leaf) if asked else None for leaf, asked in zip(initial, needed, strict=True)]


def cut_gradients(gradients: State, columns: Tensor, to_initial: list[Tensor | None]) -> None:
    """Move what flows back into a reset from the state [B, H] to the initial state [H], in place."""
    for gradient, total in zip(gradients, to_initial, strict=True):
        if total is not None:
            total += gradient.index_select(0, columns).sum(0)
        gradient.index_fill_(0, columns, 0.0)


def add_weight_gradients(gradient: Tensor, pairs: list[tuple[Tensor, Tensor]], bias: Tensor | None) -> None:
    """Add a block's part to the gradients of weights and bias.

    Args:
        gradient: Of the gates, [K, B, G H].
        pairs: For each weight its gradient so far, [G H, I], and the rows that it multiplied, [K, B, I].
        bias: Its gradient so far, [G H].
    """
    flat = gradient.flatten(0, 1)  # [K B, G H]
    for total, rows in pairs:
        total.addmm_(flat.t(), rows.flatten(0, 1))  # [K B, I]
    if bias is not None:
        bias += flat.sum(0)
