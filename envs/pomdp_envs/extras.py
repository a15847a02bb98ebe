"""Packages that some ids need and that are installed as extras."""

from importlib.util import find_spec

from gymnasium.error import DependencyNotInstalled

MODULES = {"box2d": "Box2D", "mujoco": "mujoco"}  # which module tells that an extra is there


class ExtraNotInstalled(DependencyNotInstalled, ImportError):
    """An extra of this package is missing; the message says how to install it."""


def is_installed(extra: str) -> bool:
    """Say whether an extra's package is there, without importing it."""
    return find_spec(MODULES[extra]) is not None


def require(extra: str, what: str) -> None:
    """Raise ExtraNotInstalled where the extra that something needs is missing."""
    if not is_installed(extra):
        raise ExtraNotInstalled(
            f'{what} needs {MODULES[extra]}: install the extra, as in pip install "recurrent-rl[{extra}]"'
            f' (or pip install "gymnasium[{extra}]")'
        )
