"""The whole training loop: collection, update and both together, of ours and of sb3-contrib's recurrent PPO."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sb3_contrib

import recurrent_rl
from experiments.throughput.arithmetic import PRODUCT_FLOPS, flops_per_step, multiply
from experiments.throughput.environments import EPISODES, make_env
from experiments.throughput.output import Row, progress, verdict
from experiments.throughput.settings import LOOP, SB3_POLICY, Workload
from experiments.throughput.timing import Effort, Run, Stopwatch, Timing, alternate

THEIRS = "sb3-contrib"
PRODUCT = "product"


def make_model(side: str, workload: Workload, episodes: str) -> Any:
    """Build one side's model: `side` is sb3-contrib, or the precision of ours."""
    library: Any = sb3_contrib if side == THEIRS else recurrent_rl
    horizon = {} if side == THEIRS else {"bptt_horizon": workload.n_steps}  # sb3-contrib's is the rollout
    precision = {"precision": side} if side == "bfloat16" else {}
    return library.RecurrentPPO(
        workload.policy,
        make_env(episodes, workload.n_envs),
        n_steps=workload.n_steps,
        batch_size=workload.batch_size,
        n_epochs=workload.n_epochs,
        policy_kwargs=workload.policy_kwargs | precision,
        seed=0,
        device="cpu",
        **horizon,
    )


class Trainer:
    """A model with stopwatches; a call trains it for one rollout and its update."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.collection = model.collect_rollouts = Stopwatch(model.collect_rollouts)
        self.update = model.train = Stopwatch(model.train)

    def __call__(self) -> Timing:
        started = time.perf_counter()
        self.model.learn(self.model.n_steps * self.model.n_envs, reset_num_timesteps=False)
        return Timing(time.perf_counter() - started, self.collection.seconds, self.update.seconds)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The medians of all sides on one workload, and the FLOPs of a step."""

    workload: Workload
    episodes: str
    flops: int
    medians: dict[str, Timing]

    def speed(self, side: str) -> float | None:
        """Return environment steps per second of a side, None where it was not measured."""
        steps = self.workload.n_envs * self.workload.n_steps
        return steps / self.medians[side].whole if side in self.medians else None

    @property
    def floor(self) -> float:
        """Environment steps per second if the loop were nothing but its matrix products at full rate."""
        return PRODUCT_FLOPS / self.medians[PRODUCT].whole / self.flops

    def row(self, precision: str) -> Row:
        """Lay one of our precisions out beside sb3-contrib and the floor."""
        ours, theirs = self.medians[precision], self.medians.get(THEIRS, Timing(0.0))
        speed = self.speed(precision)
        row: Row = {
            "workload": self.workload.name,
            "episodes": self.episodes,
            "precision": precision,
            "ours": speed,
            THEIRS: self.speed(THEIRS),
            "ratio": over(speed, self.speed(THEIRS)),
            "over_float32": over(speed, self.speed("float32")),
            "floor": self.floor,
            "share_of_floor": over(speed, self.floor),
            "collection_s": ours.collection,
            "update_s": ours.update,
            "their_collection_s": theirs.collection or None,
            "their_update_s": theirs.update or None,
        }
        return row | {"bar": verdict(row, self.workload.bars[precision])}


def over(ours: float | None, other: float | None) -> float | None:
    """Return the quotient, None where a side is missing."""
    return None if ours is None or other is None else ours / other


def measure(workload: Workload, episodes: str, effort: Effort) -> Measured:
    """Alternate all sides that run a workload, and the matrix product, in one process."""
    sides = [precision for precision in effort.precisions if precision in workload.bars]
    if workload.policy == SB3_POLICY:
        sides.append(THEIRS)
    trainers = {side: Trainer(make_model(side, workload, episodes)) for side in sides}
    flops = flops_per_step(trainers[sides[0]].model.policy, workload.n_epochs)
    runs: dict[str, Run] = {**trainers, PRODUCT: multiply}
    return Measured(workload=workload, episodes=episodes, flops=flops, medians=alternate(runs, effort))


def loop_table(effort: Effort, workloads: tuple[Workload, ...] = LOOP) -> Iterator[Row]:
    """Measure every workload with episodes of each length."""
    for workload in workloads:
        for episodes in EPISODES:
            progress(f"loop: {workload.name}, {episodes} episodes")
            measured = measure(workload, episodes, effort)
            yield from (measured.row(precision) for precision in effort.precisions if precision in workload.bars)
