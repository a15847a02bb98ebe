"""One training run of one model on one task, and what is kept of it."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS, Entrant, Sizes
from recurrent_rl.sequence.models import Inputs, SequenceNetwork, count_parameters, match_width
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict, to_csv

BUDGET_MODEL, BUDGET_WIDTH = "gru", 96  # all models have as many parameters as this one
INPUT_SIZE = 64  # of what models read: a symbol's embedding, or a linear map of the features


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is tuned, the same choices for all models.

    Args:
        learning_rate: Of the optimiser.
        dropout: Of inputs, and between a model's layers.
    """

    learning_rate: float = 3e-3
    dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run.

    Args:
        task: Name of the task.
        model: Name of the model.
        seed: Of initialisation, order and dropout; made-up data too.
        setting: What was tuned or is.
        tuning: Whether it only serves the choice of a setting; then the test data is not looked at.
    """

    task: str
    model: str
    seed: int
    setting: Setting
    tuning: bool = False

    @property
    def name(self) -> str:
        """Of its files."""
        kind = "tune" if self.tuning else "run"
        return f"{self.task}_{self.model}_{kind}_{self.setting.learning_rate:g}_{self.setting.dropout:g}_{self.seed}"


def entrant_of(name: str) -> Entrant:
    """Return the model of a name.

    Raises:
        ValueError: There is none; the message lists them.
    """
    for entrant in ENTRANTS:
        if entrant.name == name:
            return entrant
    raise ValueError(f"There is no model {name!r}; there are {', '.join(entrant.name for entrant in ENTRANTS)}.")


def make_network(task: Task, entrant: Entrant, sizes: Sizes) -> nn.Module:
    """Return a new network for a task."""
    inputs = Inputs(symbols=task.symbols, features=task.features, size=INPUT_SIZE, dropout=sizes.dropout)
    return SequenceNetwork(entrant.make(sizes), inputs, task.problem)


def matched_sizes(task: Task, entrant: Entrant, longest: int, dropout: float) -> Sizes:
    """Return sizes at which a model has as many parameters as the GRU of 96 units, within 3%."""
    sizes = Sizes(width=BUDGET_WIDTH, longest=longest, dropout=dropout)
    with torch.device("meta"):
        budget = count_parameters(make_network(task, entrant_of(BUDGET_MODEL), sizes))
    width = match_width(
        lambda width: make_network(task, entrant, replace(sizes, width=width)), budget, multiple_of=entrant.multiple_of
    )
    return replace(sizes, width=width)


def run_trial(trial: Trial, task: Task, config: TrainConfig, folder: Path) -> dict[str, Any]:
    """Train (or go on), evaluate, write the result, and return it.

    Args:
        trial: Which run.
        task: Of the trial's task.
        config: How it is trained, but for the seed and what is tuned.
        folder: For checkpoints, curves and results: `<folder>/<trial.name>.json` holds the result.
    """
    splits = task.load(trial.seed)
    config = replace(config, seed=trial.seed, learning_rate=trial.setting.learning_rate)
    longest = max(len(row) for row in splits.train.inputs)
    sizes = matched_sizes(task, entrant_of(trial.model), longest, trial.setting.dropout)
    torch.manual_seed(trial.seed)
    network = make_network(task, entrant_of(trial.model), sizes)
    trainer = Trainer(network, task.problem, task.metric, task.higher_is_better, config)
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    saved, curve = folder / f"{trial.name}.pt", folder / f"{trial.name}.csv"
    fitted = trainer.fit(splits.train, splits.validation, saved, (to_csv(curve),))
    result = {
        **asdict(trial),
        "parameters": count_parameters(network),
        "width": sizes.width,
        "validation": fitted.score,
        "best_step": fitted.step,
        "steps": fitted.steps,
        "seconds": round(fitted.seconds, 2),
        "cpu_seconds": round(time.process_time() - begun, 2),
        **({} if trial.tuning else tested(network, task, splits)),
    }
    (folder / f"{trial.name}.json").write_text(json.dumps(result, indent=1) + "\n")
    saved.unlink(missing_ok=True)
    return result


def tested(network: nn.Module, task: Task, splits: Splits) -> dict[str, Any]:
    """Return the scores on the test data, and on longer sequences by their name: they are read here and nowhere else."""
    everything = {"test": splits.test, **splits.longer}
    scores = {
        name: task.problem.scores(predict(network, task.problem, examples), examples)
        for name, examples in everything.items()
    }
    return {"test": scores.pop("test"), "longer": scores}
