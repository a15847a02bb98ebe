"""What takes part in a comparison: something that learns a task from its training data, with a setting that is tuned."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.problems import Scores
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import Record, TrainConfig


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is tuned, with the same choices for all models of a kind.

    Args:
        learning_rate: Of a network's optimiser; None where nothing is trained by gradient.
        dropout: Of a network's inputs, and between its layers.
        states: Of a hidden Markov model; None for other models, and where the task says how many.
    """

    learning_rate: float | None = None
    dropout: float = 0.0
    states: int | None = None

    @property
    def name(self) -> str:
        """For files and tables."""
        rate = [] if self.learning_rate is None else [f"lr{self.learning_rate:g}", f"drop{self.dropout:g}"]
        return "-".join([*rate, *([] if self.states is None else [f"states{self.states}"])]) or "plain"


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a model is trained, but for what is tuned.

    Args:
        config: With the seed of the trial.
        checkpoint: Where a stopped training goes on from.
        records: Where its figures go.
    """

    config: TrainConfig
    checkpoint: Path
    records: tuple[Record, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A model after training.

    Args:
        predict: Gives the numbers that the task's problem scores, for each example.
        parameters: Numbers that were learned; of a network without its input layer, which is the same for all.
        validation: Score on the validation data, of the task's metric.
        validation_loss: The score there that the problem names as its loss; of settings with equal scores it decides.
        figures: What else is worth keeping: its width, when the best was reached.
        network: The network itself, to measure what it costs; None of other models.
        more: Gives scores that the numbers of `predict` do not tell, for example of what a translator writes.
    """

    predict: Callable[[Examples], list[Array]]
    parameters: int
    validation: float
    validation_loss: float
    figures: dict[str, float]
    network: nn.Module | None = None
    more: Callable[[Examples], Scores] | None = None


class Entrant(ABC):
    """A model of the comparison; subclasses are frozen dataclasses.

    Attributes:
        name: On the command line and in tables.
    """

    name: str

    @abstractmethod
    def suits(self, task: Task) -> bool:
        """Return whether it can be asked what the task asks."""

    @abstractmethod
    def settings(self, task: Task) -> tuple[Setting, ...]:
        """Return what is tried on the validation data: six settings at most with the full protocol, else three."""

    @abstractmethod
    def learn(self, task: Task, splits: Splits, setting: Setting, training: Training) -> Learned:
        """Train on `splits.train`, choose by `splits.validation`, and read nothing else."""
