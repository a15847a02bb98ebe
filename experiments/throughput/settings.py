"""What is measured: workloads, which sides run them, and the bars."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recurrent_rl.memory import GRU
from recurrent_rl.policies.features import MLPFeatures

SB3_POLICY = "MlpLstmPolicy"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a row must reach: `measure` is a column of the table."""

    measure: str
    least: float


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One network and its PPO settings; the horizon of backpropagation is the rollout, on both sides.

    sb3-contrib runs it too where `policy` is one that it has. `bars` holds one for each precision of ours.
    """

    name: str
    policy: str = SB3_POLICY
    policy_kwargs: dict[str, Any] = field(default_factory=dict)
    n_envs: int = 64
    n_steps: int = 128
    batch_size: int = 2048
    n_epochs: int = 4
    bars: dict[str, Bar] = field(default_factory=dict)


GRU_128 = Workload(
    name="GRU 128",
    policy="MlpRecurrentPolicy",
    policy_kwargs={
        "memory": GRU(hidden_size=128),
        "features_extractor_class": MLPFeatures,
        "features_extractor_kwargs": {"widths": [128]},
        "net_arch": [128],
    },
    bars={
        "float32": Bar(measure="share_of_floor", least=0.55),
        "bfloat16": Bar(measure="over_float32", least=1.3),
    },
)
TWO_LSTMS = Workload(
    name="two LSTMs 128",
    policy_kwargs={"lstm_hidden_size": 128},
    bars={"float32": Bar(measure="ratio", least=8.0), "bfloat16": Bar(measure="ratio", least=10.0)},
)
DEFAULTS = Workload(
    name="sb3-contrib's defaults",
    n_envs=8,
    batch_size=128,
    n_epochs=10,
    bars={"float32": Bar(measure="ratio", least=5.0)},
)
LOOP = (GRU_128, TWO_LSTMS, DEFAULTS)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One axis of the sweep: what is varied, over which values, and the workload at a value."""

    name: str
    values: tuple[int, ...]
    workload: Callable[[int], Workload]


def swept(n_envs: int = 64, hidden_size: int = 128, n_steps: int = 64) -> Workload:
    """Return sb3-contrib's network in 4 minibatches of whole columns, or as many as there are columns."""
    minibatches = min(4, n_envs)
    return Workload(
        name="sweep",
        policy_kwargs={"lstm_hidden_size": hidden_size},
        n_envs=n_envs,
        n_steps=n_steps,
        batch_size=n_envs * n_steps // minibatches,
        bars={"float32": Bar(measure="ratio", least=0.0)},
    )


PANELS = (
    Panel(name="environments", values=(1, 4, 16, 64, 256, 1024), workload=lambda value: swept(n_envs=value)),
    Panel(name="hidden size", values=(32, 64, 128, 256, 512), workload=lambda value: swept(hidden_size=value)),
    Panel(name="horizon", values=(16, 64, 256, 1024), workload=lambda value: swept(n_envs=16, n_steps=value)),
)
