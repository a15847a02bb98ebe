"""What specs check of their fields; messages name the spec, the field and what would do."""

from numbers import Integral
from typing import Any


def require_whole(spec: Any, *names: str, least: int = 1) -> None:
    """Raise ValueError unless each field is a whole number of at least `least`."""
    for name in names:
        value = getattr(spec, name)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(f"{spec}: {name} must be a whole number of at least {least}, not {value!r}.")


def require_between(spec: Any, name: str, low: float, high: float) -> None:
    """Raise ValueError unless the field is a number within [low, high]."""
    value = getattr(spec, name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{spec}: {name} must be a number from {low} to {high}, not {value!r}.")


def require_divisor(spec: Any, name: str, whole: str) -> None:
    """Raise ValueError unless the field divides the field `whole`, both whole numbers."""
    require_whole(spec, whole, name)
    value, size = getattr(spec, name), getattr(spec, whole)
    if size % value:
        raise ValueError(f"{spec}: {name} must divide {whole}, {size}, not {value!r}.")


def require_one_of(spec: Any, name: str, choices: tuple[Any, ...]) -> None:
    """Raise ValueError unless the field is one of `choices`."""
    value = getattr(spec, name)
    if value not in choices:
        raise ValueError(f"{spec}: {name} must be one of {', '.join(map(repr, choices))}, not {value!r}.")
