"""A trained policy with all that an agent elsewhere must know of it."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from recurrent_rl.algorithms import RecurrentA2C, RecurrentPPO
from recurrent_rl.checkpoint import CheckpointError, read_archive
from recurrent_rl.export.acting import ActingStep, Normaliser
from recurrent_rl.export.numpy_agent import Agent, Array, Step
from recurrent_rl.export.past import ADDED, without_past
from recurrent_rl.export.spaces import choices_of, describe, part_type, parts_of
from recurrent_rl.memory import GRU, MemorySpec
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy
from recurrent_rl.vector import get_normaliser

Model = RecurrentPPO | RecurrentA2C
Source = Model | RecurrentActorCriticPolicy | str | os.PathLike[str]
"""A model, its policy, a checkpoint's path, or the folder of a run of the command line."""


@dataclass(frozen=True)
class Exportable:
    """A policy to export.

    Args:
        step: Its acting step.
        header: What a file of it says: spaces, parts of the observation, names, memory, versions.
    """

    step: ActingStep
    header: dict[str, Any]

    def agent(self) -> Agent:
        """Return the agent that steps by torch."""
        return Agent(by_torch(self.step), self.header)


def exportable(
    source: Source, past: bool = False, normaliser: Normaliser | None = None, trust: bool = False
) -> Exportable:
    """Return a policy in the form that every export begins with: a copy, frozen as it is now, on the CPU, in float32.

    Args:
        source: See `Source`. A model's normaliser comes with it: that of its environment, or of its checkpoint.
        past: Whether it was trained under `PreviousActionReward` and the agent is to be shown the observation alone: it
            then adds its previous action and the reward by itself.
        normaliser: Of a policy that comes without its model.
        trust: See `RecurrentPPO.load`.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file cannot be read.
        ValueError: `past` does not fit the policy.
    """
    loaded = load_source(source, trust) if isinstance(source, str | os.PathLike) else source
    environment = None
    if isinstance(loaded, Model):
        normaliser, environment = normaliser or _normaliser_of(loaded), _environment_of(loaded)
    step = ActingStep(policy_of(loaded), normaliser)
    return Exportable(step, {**header_of(step, past), "environment": environment})


def load_source(path: str | os.PathLike[str], trust: bool = False) -> Model | RecurrentActorCriticPolicy:
    """Return the model or policy of a checkpoint, or of a run's folder."""
    path = Path(path) / "checkpoints" / "latest.zip" if Path(path).is_dir() else Path(path)
    data, _ = read_archive(path, trust=trust)
    if "algorithm" not in data:
        return RecurrentActorCriticPolicy.load(str(path), device="cpu", trust=trust)
    kinds = {kind.__name__: kind for kind in (RecurrentPPO, RecurrentA2C)}
    if data["algorithm"] not in kinds:
        raise CheckpointError(f"{path} is of {data['algorithm']}, which this version does not know; take a newer one.")
    return kinds[data["algorithm"]].load(path, device="cpu", trust=trust)


def by_torch(step: Callable[..., tuple[Tensor, ...]]) -> Step:
    """Return a step from arrays to arrays."""

    def take(parts: list[Array], leaves: list[Array]) -> list[Array]:
        with torch.inference_mode():
            found = step(*[torch.from_numpy(np.ascontiguousarray(array)) for array in (*parts, *leaves)])
        return [tensor.numpy() for tensor in found]

    return take


def policy_of(source: Model | RecurrentActorCriticPolicy) -> RecurrentActorCriticPolicy:
    """Return a copy of a policy on the CPU, in evaluation mode: training on does not change it."""
    policy = source if isinstance(source, RecurrentActorCriticPolicy) else source.policy
    # What is not copied whole: programs, which the copy makes anew, and gSDE's noise, which comes from the weights.
    memo = {id(policy.steppers): {}, id(policy.graphs): {}, id(policy.distribution): copy.copy(policy.distribution)}
    found = copy.deepcopy(policy, memo).to("cpu")
    found.set_training_mode(False)
    return found


def _environment_of(model: Model) -> str | None:
    """Return the id that a model's environment was made by."""
    spec = None if model.env is None else model.env.get_attr("spec", [0])[0]
    return None if spec is None else spec.id


def _normaliser_of(model: Model) -> Normaliser | None:
    if model.env is not None and (found := get_normaliser(model.env)) is not None:
        return found
    return model._loaded_normaliser


def header_of(step: ActingStep, past: bool) -> dict[str, Any]:
    """Return what a file says of a policy, but for the file's own form."""
    from recurrent_rl import __version__

    policy = step.policy
    seen = without_past(policy.observation_space, policy.action_space) if past else policy.observation_space
    read = parts_of(policy.observation_space)
    kinds = {name: str(part_type(part, name in step.normalised)) for name, part in read.items()}
    parts = [
        {"name": name, "shape": list(part.shape), "dtype": kinds[name], "choices": choices_of(part)}  # type: ignore[arg-type]
        for name, part in parts_of(seen).items()
    ]
    added = {} if isinstance(policy.observation_space, spaces.Box) else {name: kinds[name] for name in ADDED if past}
    actions = describe(policy.action_space)
    if isinstance(policy.action_space, spaces.Box):
        actions["squashed"] = bool(policy.squash_output)
    return {
        "observation_space": describe(seen),
        "action_space": actions,
        "parts": parts,
        "inputs": list(step.names),
        "parameters": list(step.parameter_names),
        "past": added if past else None,
        "initial": [_spelt(leaf) for leaf in step.initial_leaves(1)],
        "memory": repr(memory_spec(policy)),
        "versions": {"recurrent_rl": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }


def memory_spec(policy: RecurrentActorCriticPolicy) -> MemorySpec:
    """Return the spec of the actor's memory."""
    return policy._arguments["memory"] or GRU()


def _spelt(leaf: Tensor) -> dict[str, Any]:
    """Return a leaf [1, ...] before an episode as JSON; zeros, which may be many, are left out."""
    values = leaf.flatten().tolist() if bool((leaf != 0).any()) else None
    return {"shape": list(leaf.shape), "dtype": str(leaf.numpy().dtype), "values": values}
