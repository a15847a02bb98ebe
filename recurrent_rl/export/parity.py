"""Does an exported agent do what the policy does? Asked before any file appears under its name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from gymnasium import spaces

from recurrent_rl.checkpoint.archive import umask
from recurrent_rl.export.exportable import Exportable
from recurrent_rl.export.numpy_agent import Agent, Array
from recurrent_rl.export.spaces import from_description, parts_of

ROWS, STEPS, TOLERANCE = 3, 200, 1e-5
LARGEST = 10.0  # bounds beyond it say nothing of what is observed


class ParityError(ValueError):
    """The exported agent and the policy disagree."""


def write_checked(path: Path, write: Callable[[Path], None], load: Callable[[Path], Agent], source: Exportable) -> None:
    """Write a file, play it beside the policy, and put it under its name only where both agree.

    Args:
        path: The file; parent folders are made.
        write: Writes the file it is given.
        load: Returns the agent of that file.
        source: The policy.

    Raises:
        ParityError: They disagree; no file is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".draft-{path.name}")
    try:
        write(draft)
        compare(source.agent(), load(draft))
        draft.chmod(0o666 & ~umask())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def compare(one: Agent, other: Agent, steps: int = STEPS, rows: int = ROWS) -> None:
    """Play both with the same random observations, in columns whose episodes end at different times.

    Logits, means and deviations are to agree to 1e-5 of their size (absolutely below 1), greedy actions exactly, but where
    the two best logits differ by less than that.

    Raises:
        ParityError: They do not; the message says where.
    """
    random = np.random.default_rng(0)
    space = from_description(one.header["observation_space"])
    for step in range(steps):
        starts = random.random(rows) < 0.02
        starts[step % rows] |= step == steps // 2  # at least one in the middle
        if step == steps // 4:
            one.reset([0])
            other.reset([0])
        observation = sample(space, rows, random)
        reward = random.normal(size=rows)
        wanted_actions, found_actions = (agent.act(observation, starts, reward=reward) for agent in (one, other))
        for name, wanted in one.parameters.items():
            gap = np.abs(wanted - other.parameters[name]) / np.maximum(np.abs(wanted), 1.0)
            if not np.all(gap <= TOLERANCE):  # NaN too
                raise ParityError(
                    f"At step {step} the {name} differ by {gap.max():.2g} of their size; no file was written."
                )
        _compare_actions(wanted_actions, found_actions, one, step)


def _compare_actions(wanted: Array, found: Array, agent: Agent, step: int) -> None:
    if wanted.shape != found.shape:
        raise ParityError(f"At step {step} the actions have the shapes {wanted.shape} and {found.shape}.")
    if agent.action_space["kind"] == "Box":
        span = np.maximum(np.abs(wanted), 1.0)
        same = np.abs(wanted - found) <= 10 * TOLERANCE * span
    else:
        same = wanted == found
        same |= _undecided(agent).reshape(len(wanted), *[1] * (wanted.ndim - 1))
    if not np.all(same):
        raise ParityError(f"At step {step} the greedy actions differ: {wanted} and {found}; no file was written.")


def _undecided(agent: Agent) -> Array:
    """Return bool [B]: two of the logits are so close that rounding decides between them."""
    logits, kind = agent.parameters["logits"], agent.action_space["kind"]
    if kind == "MultiBinary":
        return np.any(np.abs(logits) < 2 * TOLERANCE, axis=1)
    cuts = np.cumsum(agent.action_space["nvec"])[:-1] if kind == "MultiDiscrete" else []
    close = np.zeros(len(logits), dtype=bool)
    for part in np.split(logits, cuts, axis=1):
        best = np.sort(part, axis=1)[:, -2:]
        if best.shape[1] == 2:
            close |= np.ptp(best, axis=1) < 2 * TOLERANCE * np.maximum(np.abs(best).max(axis=1), 1.0)
    return close


def sample(space: spaces.Space, rows: int, random: np.random.Generator) -> Array | dict[str, Array]:
    """Return random observations [rows, ...] of a space: even within narrow bounds, normal without."""
    drawn = {name: _sample(part, rows, random) for name, part in parts_of(space).items()}
    return drawn if isinstance(space, spaces.Dict) else next(iter(drawn.values()))


def _sample(space: spaces.Space, rows: int, random: np.random.Generator) -> Array:
    if isinstance(space, spaces.Discrete):
        return random.integers(space.n, size=rows)
    if isinstance(space, spaces.MultiDiscrete):
        return random.integers(space.nvec, size=(rows, *space.shape))
    if isinstance(space, spaces.MultiBinary):
        return random.integers(2, size=(rows, *space.shape), dtype=np.int8)
    assert isinstance(space, spaces.Box)
    shape = (rows, *space.shape)
    if np.issubdtype(space.dtype, np.integer):
        return random.integers(space.low, space.high, endpoint=True, size=shape, dtype=space.dtype)
    narrow = (np.abs(space.low) <= LARGEST) & (np.abs(space.high) <= LARGEST)
    low, high = np.where(narrow, space.low, 0.0), np.where(narrow, space.high, 1.0)
    even = random.uniform(low, high, size=shape)
    drawn = np.where(narrow, even, random.normal(size=shape))
    return np.clip(drawn, space.low, space.high).astype(space.dtype)
