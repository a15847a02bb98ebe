"""The network for films is small, begins by repeating the last frame, and learns what moves."""

from pathlib import Path

import torch

from recurrent_rl.sequence.benchmark.entrant import Setting, Training
from recurrent_rl.sequence.benchmark.films import CHANNELS, CONV_GRU
from recurrent_rl.sequence.benchmark.networks import above_inputs
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.data import stand_in
from recurrent_rl.sequence.models import count_parameters
from recurrent_rl.sequence.training import TrainConfig

TASK = WORKS["bikes"].task()


def test_it_has_no_input_layer_and_few_parameters():
    network = CONV_GRU.network(TASK, CONV_GRU.matched(TASK, 15, 0.0))
    assert count_parameters(network) == count_parameters(above_inputs(network))
    assert network.model.spec.channels == CHANNELS
    assert count_parameters(network) < 12_000


def test_it_begins_as_good_as_the_last_frame_and_gets_better(tmp_path: Path):
    splits = stand_in("bikes")
    torch.manual_seed(0)
    config = TrainConfig(steps=30, evaluate_every=30, batch_size=4)
    training = Training(config=config, checkpoint=tmp_path / "film.pt")
    learned = CONV_GRU.learn(TASK, splits, Setting(learning_rate=0.01), training)
    scores = TASK.problem.scores(learned.predict(splits.test), splits.test)
    assert scores["relative"] < 0.9
