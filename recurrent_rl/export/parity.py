"""Does an exported agent do what the policy does?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from recurrent_rl.export.acting import ActingStep
from recurrent_rl.export.exportable import Exportable, by_torch, header_of
from recurrent_rl.export.numpy_agent import Agent, Array
from recurrent_rl.export.spaces import ONLY, from_description, parts_of

ROWS, STEPS, TOLERANCE = 3, 200, 1e-5
Centres = Mapping[str, tuple[Array, Array]]
LARGEST = 10.0  # bounds beyond it say nothing of what is observed


class ParityError(ValueError):
    """The exported agent and the policy disagree."""


def check_step(source: Exportable) -> None:
    """Compare the step that is exported with the policy's own `predict`, which a subclass may have changed.

    Raises:
        ParityError: They do not choose the same actions.
    """
    step, policy = source.step, source.step.policy
    agent, random, state = Agent(by_torch(step), header_of(step, past=False)), np.random.default_rng(0), None
    precision, policy.precision = policy.precision, "float32"
    try:
        for number in range(STEPS):
            starts = random.random(ROWS) < (1.0 if number == 0 else 0.05)
            observation = sample(policy.observation_space, ROWS, random, around_of(step))
            found = agent.act(observation, starts)
            wanted, state = policy.predict(_normalised(step, observation), state, starts, deterministic=True)
            try:
                _compare_actions(wanted, found, agent, number)
            except ParityError as error:
                raise ParityError(
                    f"{type(policy).__name__} acts otherwise than its memory, layers and distribution say: a subclass that "
                    f"changes how it acts cannot be exported. {error}"
                ) from error
    finally:
        policy.precision = precision


def _normalised(step: ActingStep, observation: Any) -> Any:
    """Return an observation as the policy itself reads it."""
    parts = observation if isinstance(observation, dict) else {ONLY: observation}
    for name, normalise in zip(step.normalised, step.normalisers_of(), strict=True):
        parts = {**parts, name: normalise.forward(torch.from_numpy(parts[name])).numpy()}
    return parts if isinstance(observation, dict) else parts[ONLY]


def around_of(step: ActingStep) -> Centres:
    """Return mean and deviation of what was observed, by part, where it is known."""
    return {
        name: (normalise.mean.numpy(), normalise.deviation.numpy())
        for name, normalise in zip(step.normalised, step.normalisers_of(), strict=True)
    }  # type: ignore[return-value]


def compare(one: Agent, other: Agent, around: Centres | None = None, exact: bool = True) -> None:
    """Play both with the same random observations, in columns whose episodes end at different times.

    Logits, means and deviations are to agree to 1e-5 of their size (absolutely below 1), greedy actions exactly, but where
    the two best logits differ by less than that.

    Args:
        one: The policy's.
        other: Of a file.
        around: See `sample`.
        exact: False to play both without comparing, for a file that is rounded on purpose.

    Raises:
        ParityError: They do not; the message says where.
    """
    random = np.random.default_rng(0)
    space = from_description(one.header["observation_space"])
    for step in range(STEPS):
        starts = random.random(ROWS) < 0.02
        starts[step % ROWS] |= step == STEPS // 2  # at least one in the middle
        if step == STEPS // 4:
            one.reset([0])
            other.reset([0])
        observation = sample(space, ROWS, random, around)
        reward = random.normal(size=ROWS)
        wanted_actions, found_actions = (agent.act(observation, starts, reward=reward) for agent in (one, other))
        if not exact:
            continue
        for name, wanted in one.parameters.items():
            gap = np.abs(wanted - other.parameters[name]) / np.maximum(np.abs(wanted), 1.0)
            if not np.all(gap <= TOLERANCE):  # NaN too
                raise ParityError(
                    f"At step {step} the {name} differ by {gap.max():.2g} of their size; no file was written."
                )
        _compare_actions(wanted_actions, found_actions, one, step)
        kinds = [[leaf.dtype for leaf in agent.state] for agent in (one, other) if agent.state is not None]
        if kinds[0] != kinds[1]:
            raise ParityError(
                f"At step {step} the state has the types {kinds[1]}, not {kinds[0]}; no file was written."
            )


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


def sample(
    space: spaces.Space, rows: int, random: np.random.Generator, around: Centres | None = None
) -> Array | dict[str, Array]:
    """Return random observations [rows, ...] of a space: even within narrow bounds, normal without.

    Args:
        space: Of the observations.
        rows: How many.
        random: Draws them.
        around: Mean and deviation of parts whose are known; a mean of another shape is of another space, and left alone.
    """
    drawn = {}
    for name, part in parts_of(space).items():
        centre = (around or {}).get(name)
        if centre is not None and centre[0].shape == part.shape:
            drawn[name] = centre[0] + centre[1] * random.normal(size=(rows, *centre[0].shape))
        else:
            drawn[name] = _sample(part, rows, random)
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
