"""Spaces as plain JSON, and the parts of an observation as arrays."""

from typing import Any

import numpy as np
from gymnasium import spaces

ONLY = "observation"  # the name of the only part, where the observation is no Dict


def part_names(space: spaces.Space) -> tuple[str, ...]:
    """Return the names of an observation's parts, in order."""
    return tuple(space.spaces) if isinstance(space, spaces.Dict) else (ONLY,)


def parts_of(space: spaces.Space) -> dict[str, spaces.Space]:
    """Return an observation's parts by name."""
    return dict(space.spaces) if isinstance(space, spaces.Dict) else {ONLY: space}


def part_type(space: spaces.Space, normalised: bool) -> np.dtype:
    """Return the type in which a part goes in: float64 to be normalised, float32 for other real numbers, else its own."""
    if normalised:
        return np.dtype(np.float64)
    kind = np.dtype(space.dtype)
    return np.dtype(np.float32) if kind.kind == "f" else kind


def choices_of(space: spaces.Space) -> Any:
    """Return how many choices a part has, a number or a list of them, as JSON; None for what is no choice."""
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return space.nvec.tolist() if isinstance(space, spaces.MultiDiscrete) else None


def describe(space: spaces.Space) -> dict[str, Any]:
    """Return a space as JSON: its kind, and what makes it.

    Raises:
        ValueError: It is none that a policy takes.
    """
    if isinstance(space, spaces.Box):
        bounds = {"low": _bound(space.low), "high": _bound(space.high)}
        return {"kind": "Box", "shape": list(space.shape), "dtype": str(space.dtype), **bounds}
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "shape": [], "dtype": str(space.dtype), "n": int(space.n)}
    if isinstance(space, spaces.MultiDiscrete):
        return {
            "kind": "MultiDiscrete",
            "shape": list(space.shape),
            "dtype": str(space.dtype),
            "nvec": space.nvec.tolist(),
        }
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "shape": list(space.shape), "dtype": "int8"}
    if isinstance(space, spaces.Dict):
        return {"kind": "Dict", "parts": {name: describe(part) for name, part in space.spaces.items()}}
    raise ValueError(
        f"The space {space} cannot be written; policies take Box, Discrete, MultiDiscrete, MultiBinary, Dict."
    )


def from_description(description: dict[str, Any]) -> spaces.Space:
    """Return the space that `describe` was given."""
    kind = description["kind"]
    if kind == "Dict":
        return spaces.Dict({name: from_description(part) for name, part in description["parts"].items()})
    if kind == "Discrete":
        return spaces.Discrete(description["n"])
    if kind == "MultiDiscrete":
        return spaces.MultiDiscrete(description["nvec"], dtype=np.dtype(description["dtype"]).type)
    if kind == "MultiBinary":
        return spaces.MultiBinary(description["shape"] if len(description["shape"]) > 1 else description["shape"][0])
    shape, dtype = tuple(description["shape"]), np.dtype(description["dtype"]).type
    low, high = (np.array(description[name], dtype=dtype) for name in ("low", "high"))
    return spaces.Box(np.broadcast_to(low, shape), np.broadcast_to(high, shape), shape, dtype)


def _bound(bound: np.ndarray) -> Any:
    """Return one number in place of an array of equal ones; infinity is Python's, and JSON's by its common extension."""
    return bound.flat[0].item() if bound.size and (bound == bound.flat[0]).all() else bound.tolist()
