"""How often each string came with each tag, where most pairs never came."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[np.int64]
Row = tuple[Indices, NDArray[np.float64]]


@dataclass(frozen=True)
class TagCounts:
    """Rows of tags and counts, one for each key.

    Args:
        rows: Number of a key's row.
        starts: [R + 1]; row r holds tags[starts[r] : starts[r + 1]], and counts likewise.
        tags: [M].
        counts: [M].
    """

    rows: dict[str, int]
    starts: Indices
    tags: Indices
    counts: NDArray[np.float64]

    def row(self, key: str) -> Row | None:
        """Return the tags that came with a key and their counts; None where it never came."""
        if (index := self.rows.get(key)) is None:
            return None
        part = slice(self.starts[index], self.starts[index + 1])
        return self.tags[part], self.counts[part]

    def state(self) -> dict[str, list[str] | Tensor]:
        """Return plain lists and tensors for `from_state`."""
        arrays = {"starts": self.starts, "tags": self.tags, "counts": self.counts}
        return {"keys": list(self.rows), **{name: torch.from_numpy(array) for name, array in arrays.items()}}


def from_state(state: dict[str, list[str] | Tensor]) -> TagCounts:
    """Return the counts that `TagCounts.state` gave."""
    rows = {key: index for index, key in enumerate(state["keys"]) if isinstance(key, str)}
    arrays = [torch.as_tensor(state[name]).numpy() for name in ("starts", "tags", "counts")]
    return TagCounts(rows, *arrays)


def count(pairs: Iterable[tuple[str, int, float]], tags: int) -> TagCounts:
    """Return the summed counts of (key, tag, count), tags below `tags`; keys in the order of their first coming."""
    rows: dict[str, int] = {}
    found = [(rows.setdefault(key, len(rows)) * tags + tag, times) for key, tag, times in pairs]
    codes = np.array([code for code, _ in found], dtype=np.int64)
    unique, place = np.unique(codes, return_inverse=True)
    counts = np.bincount(place, weights=[times for _, times in found], minlength=len(unique))
    starts = np.searchsorted(unique, np.arange(len(rows) + 1) * tags)
    return TagCounts(rows, starts.astype(np.int64), unique % tags, counts.astype(np.float64))
