"""The three difficulties that each world of the suite is registered in."""

from collections.abc import Mapping
from typing import Any

from pomdp_envs.dynamics import Dynamics
from pomdp_envs.making import register_world

Arguments = Mapping[str, Any]


def register_difficulties(
    name: str, dynamics: type[Dynamics], easy: Arguments, medium: Arguments, hard: Arguments
) -> None:
    """Register `pomdp_envs/<name>Easy-v0`, `...Medium-v0` and `...Hard-v0` with their arguments."""
    for difficulty, arguments in (("Easy", easy), ("Medium", medium), ("Hard", hard)):
        register_world(name + difficulty, dynamics, **arguments)
