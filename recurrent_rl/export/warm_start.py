"""Begin with the encoder and memory of another run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor
from torch import Tensor

from recurrent_rl.export.exportable import Model, Source, load_source, memory_spec
from recurrent_rl.export.spaces import parts_of
from recurrent_rl.memory import MemorySpec
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

PARTS = ("features_extractor", "critic_features", "memory", "critic_memory")


@dataclass
class WarmStart:
    """What became of each weight of the new policy: names, with shapes where they differ.

    Args:
        loaded: Taken as they were.
        reshaped: Taken in part: columns, where the new policy reads more or fewer numbers.
        left_out: Of the parts that were asked for, but of other shapes, or not in the source.
    """

    loaded: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{what} ({len(names)}):" + "".join(f"\n  {name}" for name in names)
            for what, names in (("loaded", self.loaded), ("reshaped", self.reshaped), ("left out", self.left_out))
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Columns:
    """Which of the numbers that a memory reads are the same in both policies.

    Args:
        readers: Names within the memory of the matrices [O, I] that read them.
        pairs: Columns there are in both, here and there.
    """

    readers: frozenset[str]
    pairs: tuple[tuple[slice, slice], ...]


@torch.no_grad()
def warm_start(model: Model | RecurrentActorCriticPolicy, source: Source, parts: Sequence[str] = PARTS) -> WarmStart:
    """Load parts of one policy into another, whose heads may be different ones, and return a report.

        model = RecurrentPPO("MlpRecurrentPolicy", env, memory=GRU(hidden_size=64))
        print(warm_start(model, "runs/other"))

    Weights of the same shape are taken; what has another shape is left as it was made. A memory is taken where both have
    the same spec, as a whole. Where the new policy reads more or fewer numbers, or others, the matrices that read them take
    the columns of those that both read: the first ones of a flat observation, those of the same keys of a Dict. That is done
    behind extractors that only flatten; a memory behind another one, which could not be loaded whole or has no weights to
    tell what it gives, is left out. Give both policies observations that are normalised alike; the optimiser of the new
    model is left alone.

    Args:
        model: Into which.
        source: A model, policy, checkpoint or run.
        parts: Which: of features_extractor, critic_features, memory, critic_memory, actor_layers, critic_layers, action_net,
            value_net.

    Raises:
        ValueError: A part is unknown.
        FileNotFoundError: There is no such file.
    """
    given = load_source(source) if not isinstance(source, Model | RecurrentActorCriticPolicy) else source
    into, other = (one if isinstance(one, RecurrentActorCriticPolicy) else one.policy for one in (model, given))
    known = dict.fromkeys([*PARTS, *(name.partition(".")[0] for name in into.state_dict())])
    if unknown := set(parts) - known.keys():
        raise ValueError(f"The policy has no {sorted(unknown)}; parts are {', '.join(known)}.")
    report = WarmStart()
    for part in known:  # extractors come first
        if part in parts and not (part == "critic_features" and into.critic_features is into.features_extractor):
            _load_part(part, into, other, report)
    return report


def _load_part(
    part: str, into: RecurrentActorCriticPolicy, other: RecurrentActorCriticPolicy, report: WarmStart
) -> None:
    theirs = other.state_dict()
    names = [name for name in into.state_dict() if name.partition(".")[0] == part]
    columns, reason = _columns(part, into, other, report) if part.endswith("memory") else (None, None)
    for name in names:
        if name not in theirs:
            report.left_out.append(f"{name}: not in the source")
        elif reason is not None:
            report.left_out.append(f"{name}: {reason}")
        else:
            _load(name, into.state_dict()[name], theirs[name], columns, report)


def _load(name: str, weight: Tensor, other: Tensor, columns: Columns | None, report: WarmStart) -> None:
    shapes = f"{name}: {list(other.shape)} to {list(weight.shape)}"
    if columns is not None and name.partition(".")[2] in columns.readers:
        for here, there in columns.pairs:
            weight[:, here] = other[:, there]
        report.reshaped.append(f"{shapes}, {sum(here.stop - here.start for here, _ in columns.pairs)} columns")
    elif other.shape == weight.shape:
        weight.copy_(other)
        report.loaded.append(name)
    else:
        report.left_out.append(shapes)


def _columns(
    part: str, into: RecurrentActorCriticPolicy, other: RecurrentActorCriticPolicy, report: WarmStart
) -> tuple[Columns | None, str | None]:
    """Return how the columns of a memory's reading matrices are to be moved, None where they stay; and why it cannot be."""
    extractor = _extractor(part, into)
    if any(line.startswith(f"{extractor}.") for line in report.left_out):
        return None, "the extractor before it was not loaded"
    specs = [_spec(part, policy) for policy in (into, other)]
    if specs[0] != specs[1]:
        return None, f"it is of {specs[1]} in the source, and of {specs[0]} here"
    loaded = any(line.startswith(f"{extractor}.") for line in report.loaded)
    if into.observation_space == other.observation_space or loaded:
        return None, None  # an extractor that was loaded whole gives the same numbers
    if not all(_only_flattens(policy) for policy in (into, other)):
        return None, "which numbers the extractors before it give for the two spaces cannot be told"
    mine, theirs = _places(into.observation_space), _places(other.observation_space)
    if mine == theirs:
        return None, None
    readers = _readers(specs[0], _width(mine))
    if readers is None:
        return None, "its matrices have no column for each number"
    return Columns(readers, _pairs(mine, theirs)), None


def _pairs(mine: dict[str, slice], theirs: dict[str, slice]) -> tuple[tuple[slice, slice], ...]:
    pairs = []
    for name in mine.keys() & theirs.keys():
        here, there = mine[name], theirs[name]
        size = min(here.stop - here.start, there.stop - there.start)
        pairs.append((slice(here.start, here.start + size), slice(there.start, there.start + size)))
    return tuple(sorted(pairs, key=lambda pair: pair[0].start))


def _width(places: dict[str, slice]) -> int:
    return max(place.stop for place in places.values())


def _readers(spec: MemorySpec, width: int) -> frozenset[str] | None:
    """Return the matrices [O, width] that read the inputs: those that are wider where inputs are; None if others change."""
    with torch.random.fork_rng(devices=[]):
        plain, wider = (spec.build(size).state_dict() for size in (width, width + 1))
    found = {name for name in plain if plain[name].shape != wider[name].shape}
    fits = all(
        plain[name].dim() == 2 and wider[name].shape == (len(plain[name]), width + 1) and plain[name].shape[1] == width
        for name in found
    )
    return frozenset(found) if fits else None


def _spec(part: str, policy: RecurrentActorCriticPolicy) -> MemorySpec:
    """Return the spec of one of a policy's memories: "separate" makes the critic's of the actor's."""
    critic = policy._arguments["critic"]
    return critic if part == "critic_memory" and isinstance(critic, MemorySpec) else memory_spec(policy)


def _extractor(part: str, policy: RecurrentActorCriticPolicy) -> str:
    """Return the name of the extractor before one of a policy's memories."""
    own = part == "critic_memory" and policy.critic_features is not policy.features_extractor
    return "critic_features" if own else "features_extractor"


def _only_flattens(policy: RecurrentActorCriticPolicy) -> bool:
    stock = isinstance(policy.features_extractor, FlattenExtractor | CombinedExtractor)
    return stock and not list(policy.features_extractor.parameters())


def _places(space: spaces.Space) -> dict[str, slice]:
    """Return where each part of an observation stands in what the memory reads."""
    places, start = {}, 0
    for name, part in parts_of(space).items():
        size = get_flattened_obs_dim(part)
        places[name], start = slice(start, start + size), start + size
    return places
