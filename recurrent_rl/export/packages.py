"""Packages that some forms need."""

from importlib.util import find_spec


def require(*names: str, extra: str = "export") -> None:
    """Raise ImportError, with what to install, if one of the packages is missing."""
    if missing := [name for name in names if find_spec(name) is None]:
        raise ImportError(f'This needs {" and ".join(missing)}: pip install "recurrent-rl[{extra}]".')
