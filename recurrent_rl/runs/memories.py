"""Memories by name and plain values, as the command line and config.json give them.

A field that holds specs takes names, or objects such as {"memory": "lru", "hidden_size": 32}:

    make_memory("stack", {"layers": ["gru", {"memory": "lru", "hidden_size": 32}]})
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, get_type_hints

import numpy as np

from recurrent_rl import memory as package
from recurrent_rl.memory import FrameWindow, MemorySpec, NoMemory

_ALIASES: dict[str, type[MemorySpec]] = {"window": FrameWindow, "none": NoMemory}


def _specs() -> dict[str, type[MemorySpec]]:
    exported = [getattr(package, name) for name in package.__all__]
    concrete = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, MemorySpec)]
    concrete.remove(MemorySpec)
    by_name = {kind.__name__.lower(): kind for kind in concrete if kind not in _ALIASES.values()}
    return dict(sorted(by_name.items())) | _ALIASES


MEMORIES = _specs()
"""By name: every spec of `recurrent_rl.memory` in lower case; FrameWindow is "window" and NoMemory "none"."""


def make_memory(name: str, fields: dict[str, Any]) -> MemorySpec:
    """Return a spec.

    Raises:
        ValueError: There is no such memory or field, or a value does not fit; the message says what there is.
    """
    if not isinstance(name, str) or name not in MEMORIES:
        raise ValueError(f"memory={name!r} must be one of {', '.join(MEMORIES)}.")
    kind = MEMORIES[name]
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    unknown = sorted(fields.keys() - set(known))
    if unknown:
        has = f"has {', '.join(known)}" if known else "has none"
        raise ValueError(f"memory {name!r} has no field {unknown[0]!r}; it {has}.")
    return kind(**{field: _as_value(kind, field, value) for field, value in fields.items()})


def plain_fields(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return all fields of a memory as plain values, those that are not given with their defaults.

    Raises:
        ValueError: As `make_memory`.
    """
    spec = make_memory(name, fields)
    return {field.name: _as_plain(getattr(spec, field.name)) for field in dataclasses.fields(spec)}  # type: ignore[arg-type]


def holds_specs(kind: type[MemorySpec], field: str) -> bool:
    """Whether a field holds one spec or several."""
    return get_type_hints(kind)[field] in (MemorySpec, Sequence[MemorySpec])


def _as_value(kind: type[MemorySpec], field: str, value: Any) -> Any:
    if not holds_specs(kind, field):
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, list | tuple):
        return tuple(_as_spec(item) for item in value)
    return _as_spec(value)


def _as_spec(value: Any) -> MemorySpec:
    if isinstance(value, MemorySpec):
        return value
    if isinstance(value, str):
        return make_memory(value, {})
    if isinstance(value, dict) and "memory" in value:
        return make_memory(value["memory"], {name: item for name, item in value.items() if name != "memory"})
    raise ValueError(
        f'{value!r} is no memory; give a name, or an object such as {{"memory": "gru", "hidden_size": 64}}.'
    )


def _as_plain(value: Any) -> Any:
    if isinstance(value, MemorySpec):
        name = next((name for name, kind in MEMORIES.items() if kind is type(value)), None)
        if name is None:
            raise ValueError(f"{value!r} is none of the library's memories, so that config.json could not name it.")
        return {"memory": name, **{f.name: _as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}}  # type: ignore[arg-type]
    if isinstance(value, np.generic):
        return value.item()
    return [_as_plain(item) for item in value] if isinstance(value, list | tuple) else value
