"""Begin with the encoder and memory of another run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from recurrent_rl.export.exportable import Model, Source, load_source, policy_of
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

PARTS = ("features_extractor", "critic_features", "memory", "critic_memory")


@dataclass
class WarmStart:
    """What became of each weight of the new policy: names, with shapes where they differ.

    Args:
        loaded: Taken as they were.
        reshaped: Taken in part: the first columns, where the new policy reads more or fewer numbers.
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


@torch.no_grad()
def warm_start(model: Model | RecurrentActorCriticPolicy, source: Source, parts: Sequence[str] = PARTS) -> WarmStart:
    """Load parts of one policy into another, whose heads may be different ones, and return a report.

        model = RecurrentPPO("MlpRecurrentPolicy", env, memory=GRU(hidden_size=64))
        print(warm_start(model, "runs/other"))

    A matrix that reads more or fewer numbers than before takes the columns that both have; the others stay as they were
    made. The optimiser of the new model is left alone.

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
    into = model if isinstance(model, RecurrentActorCriticPolicy) else model.policy
    theirs, mine = policy_of(given).state_dict(), into.state_dict()
    known = {name.partition(".")[0] for name in mine} | set(PARTS)
    unknown = set(parts) - known
    if unknown:
        raise ValueError(f"The policy has no {sorted(unknown)}; parts are {sorted(known)}.")
    report = WarmStart()
    for name, weight in mine.items():
        if name.partition(".")[0] in parts:
            _load(name, weight, theirs.get(name), report)
    return report


def _load(name: str, weight: Tensor, other: Tensor | None, report: WarmStart) -> None:
    if other is None:
        report.left_out.append(f"{name}: not in the source")
        return
    shapes = f"{name}: {list(other.shape)} to {list(weight.shape)}"
    if other.shape == weight.shape:
        weight.copy_(other)
        report.loaded.append(name)
    elif weight.dim() == 2 and other.dim() == 2 and len(weight) == len(other):
        columns = min(weight.shape[1], other.shape[1])
        weight[:, :columns] = other[:, :columns]
        report.reshaped.append(f"{shapes}, the first {columns} columns")
    else:
        report.left_out.append(shapes)
