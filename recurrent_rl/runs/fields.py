"""Frozen dataclasses of plain values: their fields are checked, written as JSON and read back."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}

Fields = TypeVar("Fields")


def check_types(instance: Any) -> None:
    """Raise ValueError, naming the field, where a value is not of the type that the dataclass declares."""
    for name, hint in get_type_hints(type(instance)).items():
        value = getattr(instance, name)
        if not _fits(value, hint):
            raise ValueError(f"{name}={value!r} must be {_describe(hint)}.")


def check_range(instance: Any, names: tuple[str, ...], low: float, high: float | None = None) -> None:
    """Raise ValueError, naming the field, where a value is not None and not in [low, high]; no `high`, no upper limit."""
    for name in names:
        value = getattr(instance, name)
        if value is not None and not (low <= value and (high is None or value <= high)):
            limits = f"at least {low}" if high is None else f"between {low} and {high}"
            raise ValueError(f"{name}={value} must be {limits}.")


def to_json(instance: Any) -> str:
    """Return the fields as a JSON object, one field a line."""
    return json.dumps(dataclasses.asdict(instance), indent=2) + "\n"


def read_json(kind: type[Fields], path: Path) -> Fields:
    """Return the dataclass whose `to_json` is in the file; a field that is missing there has its default.

    Raises:
        ValueError: The file is not such an object; the message names file and field.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(given, dict):
            raise ValueError("it must hold one JSON object, { ... }")
        unknown = sorted(given.keys() - {field.name for field in dataclasses.fields(kind)})  # type: ignore[arg-type]
        if unknown:
            raise ValueError(f"there is no field {unknown[0]!r}")
        return kind(**given)
    except ValueError as error:  # among them UnicodeDecodeError and JSONDecodeError
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} cannot be read: {reason}. Mend the file or start a new run.") from error


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if get_args(hint):  # a union
        return any(_fits(value, part) for part in get_args(hint))
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def _describe(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(get_args(hint))}"
    if get_origin(hint) is dict:
        return "an object of names and values"
    parts = get_args(hint) or (hint,)
    return " or ".join(_KINDS[part] for part in parts)
