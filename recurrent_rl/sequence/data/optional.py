"""Packages that one task alone needs: no part of the core, asked for by name where they are missing."""

from importlib import import_module
from typing import Any

from recurrent_rl.sequence.data.errors import DataError


def optional(module: str, package: str, what: str) -> Any:
    """Return a module.

    Args:
        module: Its name for Python, for example "sklearn.datasets".
        package: What is installed, for example "scikit-learn".
        what: That needs it, for example "moving-digits".

    Raises:
        DataError: The package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise DataError(f"{what} needs the package {package}: pip install {package}.") from error
