"""Begin with the encoder and memory of another run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor
from torch import Tensor

from recurrent_rl.export.exportable import Model, Source, load_source
from recurrent_rl.export.spaces import parts_of
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
        mine: How many the new policy's memory reads.
        theirs: How many the source's reads.
        pairs: Columns there are in both, here and there.
    """

    mine: int
    theirs: int
    pairs: tuple[tuple[slice, slice], ...]

    @property
    def same(self) -> bool:
        """Whether all stand at the same place."""
        return self.mine == self.theirs and all(here == there for here, there in self.pairs)


@torch.no_grad()
def warm_start(model: Model | RecurrentActorCriticPolicy, source: Source, parts: Sequence[str] = PARTS) -> WarmStart:
    """Load parts of one policy into another, whose heads may be different ones, and return a report.

        model = RecurrentPPO("MlpRecurrentPolicy", env, memory=GRU(hidden_size=64))
        print(warm_start(model, "runs/other"))

    Weights of the same shape are taken. Where the new policy reads more or fewer numbers, the matrix that reads them takes
    the columns of those that both read: the first ones of a flat observation, those of the same keys of a Dict. That is done
    for extractors that only flatten, and memories of the same spec; what else has another shape is left as it was made. A
    memory behind an extractor that could not be loaded whole is left out too. Give both policies observations that are
    normalised alike; the optimiser of the new model is left alone.

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
    of_critic = part.startswith("critic") and into.critic_features is not into.features_extractor
    extractor = "critic_features" if of_critic else "features_extractor"
    unread = [line for line in report.left_out if line.startswith(f"{extractor}.")]
    for name, weight in into.state_dict().items():
        if name.partition(".")[0] != part:
            continue
        if part.endswith("memory") and unread:
            report.left_out.append(f"{name}: the extractor before it was not loaded")
        elif name not in theirs:
            report.left_out.append(f"{name}: not in the source")
        else:
            _load(name, weight, theirs[name], _columns(part, into, other), report)


def _load(name: str, weight: Tensor, other: Tensor, columns: Columns | None, report: WarmStart) -> None:
    shapes = f"{name}: {list(other.shape)} to {list(weight.shape)}"
    reads = columns is not None and weight.shape[1:] == (columns.mine,) and other.shape == (len(weight), columns.theirs)
    if columns is not None and reads and not columns.same:
        for here, there in columns.pairs:
            weight[:, here] = other[:, there]
        report.reshaped.append(f"{shapes}, {sum(here.stop - here.start for here, _ in columns.pairs)} columns")
    elif other.shape == weight.shape:
        weight.copy_(other)
        report.loaded.append(name)
    else:
        report.left_out.append(shapes)


def _columns(part: str, into: RecurrentActorCriticPolicy, other: RecurrentActorCriticPolicy) -> Columns | None:
    """Return which numbers both memories read; None where the columns of a matrix cannot be told apart."""
    specs = [policy._arguments["memory"] for policy in (into, other)]
    if (
        not part.endswith("memory")
        or specs[0] != specs[1]
        or not all(_only_flattens(policy) for policy in (into, other))
    ):
        return None
    mine, theirs = _places(into.observation_space), _places(other.observation_space)
    pairs = []
    for name in mine.keys() & theirs.keys():
        here, there = mine[name], theirs[name]
        size = min(here.stop - here.start, there.stop - there.start)
        pairs.append((slice(here.start, here.start + size), slice(there.start, there.start + size)))
    ends = [max(place.stop for place in places.values()) for places in (mine, theirs)]
    return Columns(ends[0], ends[1], tuple(sorted(pairs, key=lambda pair: pair[0].start)))


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
