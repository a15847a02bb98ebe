"""Networks in the comparison: inputs, head, loss, batches and schedule are the same, the model between them varies."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from recurrent_rl.memory import (
    GRU,
    LRU,
    LSTM,
    RNN,
    S5,
    SLSTM,
    DeltaNet,
    Dense,
    MemorySpec,
    MinGRU,
    MinLSTM,
    Normed,
    Residual,
    Stack,
)
from recurrent_rl.sequence.benchmark.entrant import Entrant, Learned, Setting, Training
from recurrent_rl.sequence.models import (
    TCN,
    Bag,
    Bidirectional,
    FrameNetwork,
    Inputs,
    PerStep,
    Recurrent,
    SequenceNetwork,
    SequenceSpec,
    Transformer,
    WindowedMLP,
    count_parameters,
    match_width,
)
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import Trainer, predict
from recurrent_rl.sequence.translation import Translation

BUDGET_WIDTH = 96  # all networks have as many parameters as a GRU of so many units
INPUT_SIZE = 64  # of what models read: a symbol's embedding, or a linear map of the features
WINDOW = 16  # steps that the windowed MLP sees
RATES = (1e-3, 3e-3, 1e-2)
DROPOUTS = (0.0, 0.2)

AnyNetwork = SequenceNetwork | FrameNetwork


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a model is made for.

    Args:
        width: Units, which is chosen so that all models have as many parameters.
        longest: Steps that a training sequence has at most: a convolution is made deep enough to see so many.
        dropout: Of inputs, and between a model's layers where it has several.
    """

    width: int
    longest: int
    dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Network(Entrant):
    """A network, as wide as gives it the parameters of a GRU of 96 units, within 3%.

    Args:
        name: See `Entrant`.
        make: Returns the model's spec for sizes.
        multiple_of: What its width is a multiple of.
        causal: Whether it can be asked for the next step.
        whole: Whether it differs from another one only where a whole sequence is summed up: then it is asked for that alone.
    """

    name: str
    make: Callable[[Sizes], SequenceSpec]
    multiple_of: int = 1
    causal: bool = True
    whole: bool = False

    def suits(self, task: Task) -> bool:
        """See `Entrant.suits`."""
        problem = task.problem
        sees_too_much = problem.causal and not self.causal
        return not (isinstance(problem, Translation) or sees_too_much or (self.whole and problem.per_step))

    def settings(self, task: Task) -> tuple[Setting, ...]:
        """See `Entrant.settings`."""
        return rates_and_dropouts(task)

    def learn(self, task: Task, splits: Splits, setting: Setting, training: Training) -> Learned:
        """See `Entrant.learn`."""
        assert setting.learning_rate is not None
        config = replace(training.config, learning_rate=setting.learning_rate)
        sizes = self.matched(task, longest_read(splits, config.bptt_horizon), setting.dropout)
        torch.manual_seed(config.seed)
        network = self.network(task, sizes)
        task.problem.begin(network.head, splits.train)
        trainer = Trainer(network, task.problem, task.metric, task.higher_is_better, config)
        fitted = trainer.fit(splits.train, splits.validation, training.checkpoint, training.records)
        return Learned(
            predict=partial(predict, network, task.problem, horizon=config.bptt_horizon),
            parameters=count_parameters(above_inputs(network)),
            validation=fitted.score,
            validation_loss=fitted.loss,
            figures={"width": sizes.width, "best_step": fitted.step, "cpu_seconds": round(fitted.cpu_seconds, 2)},
            network=network,
        )

    def network(self, task: Task, sizes: Sizes) -> AnyNetwork:
        """Return a new network for a task."""
        inputs = Inputs(
            symbols=task.symbols, columns=task.columns, features=task.features, size=INPUT_SIZE, dropout=sizes.dropout
        )
        return SequenceNetwork(self.make(sizes), inputs, task.problem)

    def matched(self, task: Task, longest: int, dropout: float) -> Sizes:
        """Return sizes at which all above the input layer has as many parameters as with the GRU.

        The input layer is the same for all models, and where it is a table of many words it would drown what varies.
        """
        sizes = Sizes(width=BUDGET_WIDTH, longest=longest, dropout=dropout)
        with torch.device("meta"):
            budget = count_parameters(above_inputs(GRU_NETWORK.network(task, sizes)))
        width = match_width(
            lambda width: above_inputs(self.network(task, replace(sizes, width=width))),
            budget,
            multiple_of=self.multiple_of,
        )
        return replace(sizes, width=width)


def rates_and_dropouts(task: Task) -> tuple[Setting, ...]:
    """Return the settings that are tried of every network: six with the full protocol, else three."""
    dropouts = DROPOUTS if task.full else DROPOUTS[:1]
    return tuple(Setting(learning_rate=rate, dropout=dropout) for rate in RATES for dropout in dropouts)


def above_inputs(network: AnyNetwork) -> nn.Module:
    """Return the model and the head, without the input layer."""
    return nn.ModuleList([network.model, network.head])


def longest_read(splits: Splits, horizon: int | None) -> int:
    """Return the steps that the longest training sequence has, or the longest piece of one."""
    longest = max(len(row) for row in splits.train.inputs)
    return longest if horizon is None else min(longest, horizon)


def recurrent(memory: Callable[[int], MemorySpec], mean: bool = False) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a causal model of a memory of a width."""
    return lambda sizes: Recurrent(memory=memory(sizes.width), mean=mean)


def deep(memory: Callable[[int], MemorySpec]) -> Callable[[int], MemorySpec]:
    """Return what makes two normed layers with a way around each, over a dense one."""
    return lambda width: Stack([Dense(hidden_size=width), *[Residual(Normed(memory(width)))] * 2])


def both_ways(memory: Callable[[int], MemorySpec], mean: bool = False) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a memory of a width for each direction."""
    return lambda sizes: Bidirectional(memory=memory(sizes.width), dropout=sizes.dropout, mean=mean)


def transformer(causal: bool) -> Callable[[Sizes], SequenceSpec]:
    """Return what makes a Transformer of two layers and four heads.

    Its width is a multiple of 8; widths between make the layers inside wider, so that every number of parameters is near.
    """

    def make(sizes: Sizes) -> SequenceSpec:
        hidden = 8 * max(1, sizes.width // 8)
        inside = 4 * hidden + 12 * (sizes.width % 8)
        return Transformer(hidden_size=hidden, mlp_size=inside, dropout=sizes.dropout, causal=causal)

    return make


def tcn(sizes: Sizes) -> SequenceSpec:
    """Return a causal convolutional network that sees the longest training sequence.

    With L levels and a kernel of K it sees 1 + 2 (K - 1) (2^L - 1) steps. K is 3, and 2 where that would take more than
    seven levels: they would be too narrow.
    """
    kernel = 3 if _levels(3, sizes.longest) <= 7 else 2
    levels = _levels(kernel, sizes.longest)
    return TCN(hidden_size=sizes.width, num_levels=levels, kernel_size=kernel, dropout=sizes.dropout)


def cnn(sizes: Sizes) -> SequenceSpec:
    """Return a convolutional network that sees half of the longest training sequence to either side."""
    levels = _levels(3, sizes.longest // 2 + 1)
    return TCN(hidden_size=sizes.width, num_levels=levels, dropout=sizes.dropout, causal=False)


def _levels(kernel: int, longest: int) -> int:
    return max(2, math.ceil(math.log2((longest - 1) / (2 * (kernel - 1)) + 1)))


GRU_NETWORK = Network(name="gru", make=recurrent(lambda width: GRU(hidden_size=width)))
NETWORKS = (
    Network(name="rnn", make=recurrent(lambda width: RNN(hidden_size=width))),
    Network(name="lstm", make=recurrent(lambda width: LSTM(hidden_size=width))),
    GRU_NETWORK,
    Network(name="deep-gru", make=recurrent(deep(lambda width: GRU(hidden_size=width)))),
    Network(name="mingru", make=recurrent(deep(lambda width: MinGRU(hidden_size=width)))),
    Network(name="mingru-signed", make=recurrent(deep(lambda width: MinGRU(hidden_size=width, eigenvalues="signed")))),
    Network(name="minlstm", make=recurrent(deep(lambda width: MinLSTM(hidden_size=width)))),
    Network(name="lru", make=recurrent(deep(lambda width: LRU(hidden_size=width)))),
    Network(name="s5", make=recurrent(deep(lambda width: S5(hidden_size=width, state_size=width))), multiple_of=2),
    Network(
        name="deltanet", make=recurrent(deep(lambda width: DeltaNet(hidden_size=width, num_heads=2))), multiple_of=2
    ),
    Network(name="slstm", make=recurrent(lambda width: SLSTM(hidden_size=width)), multiple_of=4),
    Network(name="bi-lstm", make=both_ways(lambda width: LSTM(hidden_size=width)), causal=False),
    Network(name="bi-gru", make=both_ways(lambda width: GRU(hidden_size=width)), causal=False),
    Network(name="lstm-mean", make=recurrent(lambda width: LSTM(hidden_size=width), mean=True), whole=True),
    Network(
        name="bi-lstm-mean", make=both_ways(lambda width: LSTM(hidden_size=width), mean=True), causal=False, whole=True
    ),
    Network(name="transformer", make=transformer(True)),
    Network(name="transformer-both-ways", make=transformer(False), causal=False),
    Network(name="tcn", make=tcn),
    Network(name="cnn", make=cnn, causal=False),
    Network(name="mlp-window", make=lambda sizes: WindowedMLP(hidden_size=sizes.width, window=WINDOW)),
    Network(name="bag", make=lambda sizes: Bag(hidden_size=sizes.width)),
    Network(name="linear", make=lambda sizes: PerStep(hidden_size=sizes.width)),
)
