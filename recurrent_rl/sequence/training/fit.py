"""The trainer: batches by length, one optimiser step each, the best network on the validation data kept."""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from recurrent_rl.sequence.batch import Batch, Examples, batches
from recurrent_rl.sequence.problems import Problem
from recurrent_rl.sequence.training import checkpoint
from recurrent_rl.sequence.training.config import TrainConfig
from recurrent_rl.sequence.training.evaluate import predict
from recurrent_rl.sequence.training.optimiser import make_optimiser, take_step
from recurrent_rl.sequence.training.pieces import carried, pieces
from recurrent_rl.sequence.training.record import Record


@dataclass(frozen=True)
class Fitted:
    """The end of a training run; the network holds the best parameters.

    Args:
        score: The best on the validation data.
        loss: The validation data's loss then.
        step: After how many steps it was reached.
        steps: Taken in all.
        seconds: Of training, without evaluation.
        cpu_seconds: The same in time of the CPU: what other programs take does not count.
    """

    score: float
    loss: float
    step: int
    steps: int
    seconds: float
    cpu_seconds: float


class Trainer:
    """Trains a network for a problem. What it does is determined by the network's parameters and the configuration.

    Args:
        network: Takes (batch, state), gives (predictions, state); see `SequenceNetwork`.
        problem: Gives batches, losses and scores.
        metric: The score that decides which parameters are kept; of equal ones the loss decides.
        higher_is_better: Of the metric.
        config: The settings.
    """

    def __init__(
        self, network: nn.Module, problem: Problem, metric: str, higher_is_better: bool, config: TrainConfig
    ) -> None:
        self.problem, self.metric, self.config = problem, metric, config
        self.sign = 1.0 if higher_is_better else -1.0
        self.device = _device(config.device)
        self.network = network.to(self.device)
        self.optimiser = make_optimiser(network.parameters(), config)
        self.step = self.epoch = self.done_of_epoch = self.without_gain = 0
        self.best_score, self.best_loss, self.best_step = -math.inf * self.sign, math.inf, 0
        self.seconds = self.cpu_seconds = 0.0
        self.best: dict[str, Tensor] = {}

    def fit(
        self,
        train: Examples,
        validation: Examples,
        path: Path | None = None,
        records: tuple[Record, ...] = (),
        progress_bar: bool = False,
    ) -> Fitted:
        """Train to the end, and leave the best parameters in the network.

        Args:
            train: Examples to learn from.
            validation: Examples that decide.
            path: Checkpoint, written at each evaluation; where it exists, training goes on from it, bit for bit on one CPU.
            records: Where loss and scores go, at each evaluation.
            progress_bar: Whether to show one.

        Raises:
            ValueError: No examples; or the checkpoint is of other settings.
            FloatingPointError: The loss is not a number.
        """
        if not len(train) or not len(validation):
            raise ValueError("Training needs examples in train and validation.")
        torch.manual_seed(self.config.seed)
        if path is not None and path.exists():
            self._restore(path)
        bar = tqdm(total=self.config.steps, initial=self.step, disable=not progress_bar, unit="step")
        losses: list[float] = []
        while not self._ended:
            begun, before = (time.perf_counter(), time.process_time()), self.step
            losses += self._some_steps(train)
            self.seconds += time.perf_counter() - begun[0]
            self.cpu_seconds += time.process_time() - begun[1]
            bar.update(self.step - before)
            figures = {"train/loss": float(np.mean(losses))} | self._evaluate(validation)
            losses.clear()
            bar.set_postfix({self.metric: f"{figures[f'validation/{self.metric}']:.4g}"})
            for record in records:
                record(self.step, figures)
            if path is not None:
                checkpoint.save(path, self._state())
        bar.close()
        self.network.load_state_dict(self.best)
        return Fitted(self.best_score, self.best_loss, self.best_step, self.step, self.seconds, self.cpu_seconds)

    @property
    def _ended(self) -> bool:
        patience = self.config.patience
        return self.step >= self.config.steps or (patience is not None and self.without_gain >= patience)

    def _some_steps(self, train: Examples) -> list[float]:
        """Train up to the next evaluation or a little beyond it (sequences are not left in the middle); return losses."""
        every = self.config.evaluate_every
        until, losses = min(self.config.steps, (self.step // every + 1) * every), []
        self.network.train()
        while self.step < until:
            order, before = self._order(train), self.step
            for indices in order[self.done_of_epoch :]:
                losses += self._learn(self.problem.batch(train, indices).to(self.device))
                self.done_of_epoch += 1
                if self.step >= until:
                    break
            if self.step == before:
                raise ValueError("No target of the training examples is scored: all are IGNORED.")
            if self.done_of_epoch == len(order):
                self.epoch, self.done_of_epoch = self.epoch + 1, 0
        return losses

    def _order(self, train: Examples) -> list[np.ndarray]:
        """Return the batches of the present epoch: the same after an interruption."""
        rng = np.random.default_rng([self.config.seed, self.epoch])
        return list(batches([len(row) for row in train.inputs], self.config.batch_size, rng))

    def _learn(self, batch: Batch) -> list[float]:
        """Take an optimiser step for a batch, or for each of its pieces; return their losses."""
        horizon = self.config.bptt_horizon
        if horizon is None or len(batch.inputs) <= horizon:
            loss, _ = self._one_step(batch, None)
            return [loss]
        losses, state = [], None
        for piece in pieces(batch, horizon):
            if self.step >= self.config.steps:
                break
            loss, state = self._one_step(piece.batch, carried(state, piece.columns))
            losses.append(loss)
        return losses

    def _one_step(self, batch: Batch, state: Any) -> tuple[float, Any]:
        predicted, state = self.network(batch, state)
        each = self.problem.losses(predicted, batch)
        if not len(each):  # a piece in which nothing is scored
            return 0.0, state
        loss = each.mean()
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"The loss is {value} at step {self.step}. Lower learning_rate or clip_norm, or look at the inputs' scale."
            )
        loss.backward()
        take_step(self.network, self.optimiser, self.config, self.step)
        self.step += 1
        return value, state

    def _evaluate(self, validation: Examples) -> dict[str, float]:
        """Return scores, and keep the parameters if they are the best so far."""
        scores = self.problem.scores(
            predict(self.network, self.problem, validation, self.config.bptt_horizon), validation
        )
        score, loss = scores[self.metric], scores[self.problem.loss_name]
        gain = self.sign * (score - self.best_score)
        self.without_gain = 0 if gain > 0 else self.without_gain + 1
        if not self.best or gain > 0 or (gain == 0 and loss < self.best_loss):
            self.best_score, self.best_loss, self.best_step = score, loss, self.step
            self.best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        return {f"validation/{name}": value for name, value in scores.items()}

    _COUNTERS = (
        "step", "epoch", "done_of_epoch", "without_gain", "best_score", "best_loss", "best_step", "seconds", "cpu_seconds",
    )  # fmt: skip

    def _state(self) -> dict[str, Any]:
        return {
            "config": asdict(self.config),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "random": torch.get_rng_state(),
            **{name: vars(self)[name] for name in self._COUNTERS},
        }

    def _restore(self, path: Path) -> None:
        state = checkpoint.load(path, self.device)
        if state["config"] != asdict(self.config):
            raise ValueError(f"{path} is of a run with other settings; delete it, or use its own: {state['config']}.")
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best = state["best"]
        torch.set_rng_state(state["random"].cpu())
        vars(self).update({name: state[name] for name in self._COUNTERS})


def _device(name: str) -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else torch.device(name)
