"""The table of all ids in envs/README.md: what is in the code, and the speed that was measured."""

from collections.abc import Mapping
from pathlib import Path

import gymnasium as gym
from gymnasium import spaces

import pomdp_envs

README = Path(__file__).parents[2] / "envs" / "README.md"
BEGIN, END = "<!-- table of ids, written by experiments.environments.run -->\n", "<!-- end of the table -->\n"
HEADINGS = ("id", "observation", "actions", "steps at most", "memory span", "optimal", "memoryless", "million steps/s")


def write_table(speeds: Mapping[str, float]) -> None:
    """Replace the table between the markers of envs/README.md."""
    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(before + BEGIN + table(speeds) + END + after, encoding="utf-8")


def table(speeds: Mapping[str, float]) -> str:
    """Lay out all ids as a Markdown table."""
    # Those of extras have a table of their own: this one must not depend on what is installed.
    listed = [env_id for env_id in pomdp_envs.ids() if "extra" not in gym.spec(env_id).kwargs]
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(line(env_id, speeds.get(env_id)) for env_id in listed)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def line(env_id: str, speed: float | None) -> tuple[str, ...]:
    """Lay out one id."""
    env = gym.make_vec(env_id, num_envs=1).unwrapped
    seen, acted = short(env.single_observation_space), short(env.single_action_space)
    name = f"`{env_id.removeprefix('pomdp_envs/')}`"
    if not isinstance(env, pomdp_envs.BatchedEnv):
        limit = gym.spec(env_id).max_episode_steps
        return name, seen, acted, "" if limit is None else str(limit), "2 steps", "", "", ""
    world = env.dynamics
    limit = str(world.episode_length or world.time_limit or "")
    returns = number(world.optimal_return), number(world.memoryless_return)
    return name, seen, acted, limit, world.memory_span, *returns, "" if speed is None else f"{speed / 1e6:.2f}"


def short(space: spaces.Space) -> str:
    """Name a space in few characters: D4 is Discrete(4), B2 a Box with two numbers, MD a MultiDiscrete."""
    if isinstance(space, spaces.Discrete):
        return f"D{space.n}"
    if isinstance(space, spaces.MultiDiscrete):
        nvec = space.nvec.ravel().tolist()
        same = len(set(nvec)) == 1
        return f"MD{len(nvec)}x{nvec[0]}" if same else "MD(" + ", ".join(map(str, nvec)) + ")"
    if isinstance(space, spaces.Tuple):
        return "(" + ", ".join(map(short, space.spaces)) + ")"
    return "B" + "x".join(map(str, space.shape or ()))


def number(value: float | None) -> str:
    """Write a return; nothing where it is unknown."""
    return "" if value is None else f"{value:.4g}"
