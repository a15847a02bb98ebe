"""Hidden Markov models in the comparison: one entrant that does each job in the way that is usual for it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.benchmark.entrant import Entrant, Learned, Setting, Training
from recurrent_rl.sequence.chords import NextChord
from recurrent_rl.sequence.data.words import WordExamples, WordTagging
from recurrent_rl.sequence.forecast import Forecast
from recurrent_rl.sequence.hmm import (
    EM,
    HMM,
    Bernoulli,
    Ergodic,
    Fitted,
    Gaussian,
    HMMChordModel,
    HMMClassifier,
    HMMLanguageModel,
    HMMTagger,
    LeftRight,
    MixtureForecast,
    classify,
    fit_classifier,
    fit_em,
    fit_tagger,
    forecast,
    language_spec,
)
from recurrent_rl.sequence.hmm.sequences import in_batches
from recurrent_rl.sequence.models import count_parameters
from recurrent_rl.sequence.problems import Classification, NextStep, Problem
from recurrent_rl.sequence.task import Splits, Task

Predict = Callable[[Examples], list[Array]]

PIECE, PIECES = 256, 1000  # of text: EM reads so many pieces of so many symbols, for a minute on one core
ALL_TAGS = 32  # up to so many tags each word may have any; of more its likeliest ones
SPACING = 28  # of windows that a forecaster reads: neighbours overlap, and say nothing new


@dataclass(frozen=True, kw_only=True)
class HiddenMarkovEntrant(Entrant):
    """Hidden Markov models; how many states they have is tuned, not how many parameters.

    Classification: one model for each class, from left to right for features and genes. Tagging of words: trigrams of tags,
    counted, and Viterbi. Next step: the filter's prediction. Forecast: the states' densities some steps ahead. Other
    problems, and tagging where not every step of training has its label, do not suit.
    """

    name: str = "hmm"

    def suits(self, task: Task) -> bool:
        """See `Entrant.suits`."""
        return job_of(task) is not None

    def settings(self, task: Task) -> tuple[Setting, ...]:
        """See `Entrant.settings`."""
        job = _job(task)
        return tuple(Setting(states=states) for states in job.states[: 6 if task.full else 3])

    def learn(self, task: Task, splits: Splits, setting: Setting, training: Training) -> Learned:
        """See `Entrant.learn`."""
        job = _job(task)
        predict, parameters = job.fit(task, splits.train, setting.states, training.config.seed)
        scores = task.problem.scores(predict(splits.validation), splits.validation)
        untold = {} if job.tells_probabilities else {task.problem.loss_name: float("nan")}
        return Learned(
            predict=predict,
            parameters=parameters,
            validation=scores[task.metric],
            validation_loss=(scores | untold)[task.problem.loss_name],
            figures={},
            more=lambda _: untold,
        )


class Job(ABC):
    """What a hidden Markov model is fitted for.

    Attributes:
        states: Numbers of states to try, those of the short protocol first; (None,) where the task says how many.
        tells_probabilities: Whether it gives more than the likeliest tags, so that nats mean something.
    """

    states: tuple[int | None, ...]
    tells_probabilities = True

    @abstractmethod
    def fit(self, task: Task, train: Examples, states: int | None, seed: int) -> tuple[Predict, int]:
        """Return what predicts for examples, and how many numbers were fitted."""


class Classifying(Job):
    """One model for each class, and Bayes' rule."""

    states = (5, 10, 20, 3, 15, 30)

    def fit(self, task: Task, train: Examples, states: int | None, seed: int) -> tuple[Predict, int]:
        """See `Job.fit`."""
        assert isinstance(task.problem, Classification)
        assert states is not None
        spec = HMMClassifier(classes=task.problem.classes, hmm=_chain(task, states), durations=True)
        model = fit_classifier(spec, train, EM(restarts=2, seed=seed))
        return lambda examples: list(classify(model, examples.inputs)), count_parameters(model)


class Tagging(Job):
    """Tags are states; their trigrams and words are counted."""

    states = (None,)
    tells_probabilities = False

    def fit(self, task: Task, train: Examples, states: int | None, seed: int) -> tuple[Predict, int]:
        """See `Job.fit`."""
        assert isinstance(task.problem, WordTagging)
        assert isinstance(train, WordExamples)
        assert train.targets is not None
        tags = task.problem.classes
        spec = HMMTagger(tags=tags, candidates=tags) if tags <= ALL_TAGS else HMMTagger(tags=tags)
        model = fit_tagger(spec, train.words, list(train.targets))
        certain = np.eye(tags, dtype=np.float32)

        def predict(examples: Examples) -> list[Array]:
            assert isinstance(examples, WordExamples)
            return [certain[tags] for tags in model.predict(examples.words)]

        counted = (model.words.lexicon.counts, model.words.endings.counts, np.exp(model.log_table))
        return predict, sum(int(np.count_nonzero(table)) for table in counted)


class Predicting(Job):
    """The filter's prediction of the next step, fitted by EM to pieces of the training sequences."""

    states = (8, 16, 32, 4, 24, 48)

    def fit(self, task: Task, train: Examples, states: int | None, seed: int) -> tuple[Predict, int]:
        """See `Job.fit`."""
        assert states is not None
        rng = np.random.default_rng(seed)
        pieces = [row[start : start + PIECE] for row in train.inputs for start in range(0, len(row), PIECE)]
        chosen = [pieces[index] for index in rng.permutation(len(pieces))[:PIECES].tolist()]
        model = self.predictor(task, fit_em(self.spec(task, states), chosen, EM(restarts=1, iterations=30, seed=seed)))

        @torch.no_grad()
        def predict(examples: Examples) -> list[Array]:
            found: list[Array] = [np.empty(0)] * len(examples)
            for indices, padded, lengths in in_batches([row[:-1] for row in examples.inputs], 64, torch.device("cpu")):
                rows = model(padded, lengths)[0].float().numpy()
                for column, index in enumerate(indices.tolist()):
                    found[index] = rows[: lengths[column], column]
            return found

        return predict, count_parameters(model)

    def spec(self, task: Task, states: int) -> HMM:
        """Return the model that is fitted."""
        assert isinstance(task.problem, NextStep)
        return language_spec(states, task.problem.symbols)

    def predictor(self, task: Task, fitted: Fitted) -> nn.Module:
        """Return what gives the numbers that the problem scores."""
        return HMMLanguageModel(fitted.model)


class PredictingChords(Predicting):
    """The same of chords, whose notes are independent given the state."""

    states = (16, 32, 64, 8, 24, 48)

    def spec(self, task: Task, states: int) -> HMM:
        """See `Predicting.spec`."""
        assert isinstance(task.problem, NextChord)
        return HMM(states=states, emission=Bernoulli(features=task.problem.notes))

    def predictor(self, task: Task, fitted: Fitted) -> nn.Module:
        """See `Predicting.predictor`."""
        return HMMChordModel(fitted.model)


class Forecasting(Job):
    """The mixture of the states' densities some steps ahead."""

    states = (16, 32, 48, 8, 24, 64)

    def fit(self, task: Task, train: Examples, states: int | None, seed: int) -> tuple[Predict, int]:
        """See `Job.fit`."""
        problem = task.problem
        assert isinstance(problem, Forecast)
        assert states is not None
        model = fit_em(_chain(task, states), train.inputs[::SPACING], EM(restarts=1, iterations=30, seed=seed)).model
        columns, ahead = list(problem.observed), problem.horizon // len(problem.observed)

        @torch.no_grad()
        def predict(examples: Examples) -> list[Array]:
            found: list[Array] = [np.empty(0)] * len(examples)
            for indices, padded, lengths in in_batches(examples.inputs, 256, torch.device("cpu")):
                all_columns = forecast(model, padded, lengths, ahead)
                wanted = MixtureForecast(
                    all_columns.log_weights, all_columns.means[:, columns], all_columns.variances[:, columns]
                )
                rows = wanted.quantiles(problem.levels).transpose(0, 1).flatten(1).numpy()  # [B, H C Q]
                found = _put(found, indices.tolist(), rows)
            return found

        return predict, count_parameters(model)


def job_of(task: Task) -> Job | None:
    """Return the job that fits a task's problem, None where none does."""
    problem: Problem = task.problem
    if isinstance(problem, Classification):
        return Classifying()
    if isinstance(problem, WordTagging):
        return Tagging()
    if isinstance(problem, NextStep):
        return Predicting()
    if isinstance(problem, NextChord):
        return PredictingChords()
    if isinstance(problem, Forecast) and problem.observed:
        return Forecasting()
    return None


def _job(task: Task) -> Job:
    job = job_of(task)
    if job is None:
        raise ValueError(f"Hidden Markov models do not suit {task.name}: its problem is {task.problem}.")
    return job


def _chain(task: Task, states: int) -> HMM:
    """Return a model of a task's inputs: of symbols, or of features.

    States go from left to right where a class is told of features, or of genes: their signals stand in an order. In texts
    and other symbols any state may follow any.
    """
    in_order = isinstance(task.problem, Classification) and (task.features is not None or task.area == "genomics")
    topology = LeftRight() if in_order else Ergodic()
    if task.symbols is not None:
        return replace(language_spec(states, task.symbols), topology=topology)
    assert task.features is not None
    return HMM(states=states, emission=Gaussian(features=task.features), topology=topology, pseudo_count=0.01)


def _put(found: list[Array], indices: list[int], rows: Array) -> list[Array]:
    for row, index in zip(rows, indices, strict=True):
        found[index] = row
    return found


HIDDEN_MARKOV = HiddenMarkovEntrant()
