"""The small partially observable worlds of the literature, each of which asks one question of a memory."""

from pomdp_envs.classic.tmaze import TMaze
from pomdp_envs.making import register_world

__all__ = ["TMaze"]

register_world("TMaze", TMaze)
