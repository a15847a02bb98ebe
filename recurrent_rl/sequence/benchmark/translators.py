"""Translators in the comparison: an encoder and a decoder, with attention between them or without."""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from recurrent_rl.memory import GRU
from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.benchmark.entrant import Entrant, Learned, Setting, Training
from recurrent_rl.sequence.benchmark.networks import BUDGET_WIDTH, INPUT_SIZE, rates_and_dropouts
from recurrent_rl.sequence.data.pronunciations import SpokenWords, pronunciation_errors
from recurrent_rl.sequence.models import (
    Bidirectional,
    EncoderDecoder,
    EncoderDecoderNetwork,
    Inputs,
    count_parameters,
    match_width,
)
from recurrent_rl.sequence.problems import Scores
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import Trainer, predict
from recurrent_rl.sequence.translation import Translation, error_rates, write

BEAM = 5
ROOM = 2  # times the longest target of training, after which writing stops


@dataclass(frozen=True, kw_only=True)
class Translator(Entrant):
    """A GRU that reads both ways and one that writes; all have as many parameters above the inputs, within 3%.

    Of the test it tells beside the task's scores how wrong what it writes is, greedily and by a beam of five.

    Args:
        name: See `Entrant`.
        attention: Whether the writer looks back at what was read.
    """

    name: str
    attention: bool

    def suits(self, task: Task) -> bool:
        """See `Entrant.suits`."""
        return isinstance(task.problem, Translation)

    def settings(self, task: Task) -> tuple[Setting, ...]:
        """See `Entrant.settings`."""
        return rates_and_dropouts(task)

    def learn(self, task: Task, splits: Splits, setting: Setting, training: Training) -> Learned:
        """See `Entrant.learn`."""
        problem, train = task.problem, splits.train
        assert isinstance(problem, Translation)
        assert train.targets is not None
        assert setting.learning_rate is not None
        config = replace(training.config, learning_rate=setting.learning_rate)
        width = self.matched(task)
        torch.manual_seed(config.seed)
        network = self.network(task, width, setting.dropout)
        trainer = Trainer(network, problem, task.metric, task.higher_is_better, config)
        fitted = trainer.fit(train, splits.validation, training.checkpoint, training.records)
        return Learned(
            predict=partial(predict, network, problem),
            parameters=count_parameters(above_inputs(network)),
            validation=fitted.score,
            validation_loss=fitted.loss,
            figures={"width": width, "best_step": fitted.step, "cpu_seconds": round(fitted.cpu_seconds, 2)},
            network=network,
            more=partial(written, network, problem, ROOM * max(map(len, train.targets))),
        )

    def network(self, task: Task, width: int, dropout: float = 0.0) -> EncoderDecoderNetwork:
        """Return a new network with so many units in each of its three memories."""
        assert isinstance(task.problem, Translation)
        memory, size = GRU(hidden_size=width), INPUT_SIZE
        spec = EncoderDecoder(
            encoder=Bidirectional(memory=memory), decoder=memory, size=size, dropout=dropout, attention=self.attention
        )
        inputs = Inputs(symbols=task.symbols, size=size, dropout=dropout)
        return spec.build(inputs, task.problem.symbols, task.problem.end)

    def matched(self, task: Task) -> int:
        """Return the width at which there are as many parameters as with attention and the suite's width."""
        with torch.device("meta"):
            budget = count_parameters(above_inputs(ATTENTION.network(task, BUDGET_WIDTH)))
        return match_width(lambda width: above_inputs(self.network(task, width)), budget)


def above_inputs(network: EncoderDecoderNetwork) -> nn.Module:
    """Return all but the layer of the symbols that are read, which is the same for all translators."""
    return nn.ModuleList([module for name, module in network.named_children() if name != "inputs"])


def written(network: EncoderDecoderNetwork, problem: Translation, longest: int, examples: Examples) -> Scores:
    """Return how wrong what a network writes is, greedily and by beam, in percent."""
    greedy, beam = (write(network, problem, examples, max_length=longest, beam_width=width) for width in (1, BEAM))
    return _errors(greedy, examples) | {f"{name}_beam": error for name, error in _errors(beam, examples).items()}


def _errors(found: list[Array], examples: Examples) -> Scores:
    """Return errors beside the nearest of several right answers, where there are several."""
    if isinstance(examples, SpokenWords):
        return pronunciation_errors(found, examples)
    assert examples.targets is not None
    return error_rates(found, list(examples.targets))


ATTENTION = Translator(name="encoder-decoder-attention", attention=True)
TRANSLATORS = (Translator(name="encoder-decoder", attention=False), ATTENTION)
