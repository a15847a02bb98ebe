"""The trainer learns, resumes bit for bit, ends early, keeps the best, and says what is wrong."""

import csv

import numpy as np
import pytest
import torch

from recurrent_rl.memory import GRU
from recurrent_rl.sequence.batch import IGNORED, Examples
from recurrent_rl.sequence.models import Inputs, Recurrent, SequenceNetwork
from recurrent_rl.sequence.problems import NextStep, Tagging
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict, to_csv

PROBLEM = Tagging(classes=3)
CONFIG = TrainConfig(learning_rate=0.01, steps=60, evaluate_every=20, batch_size=8, seed=3)


def lagged(count, seed, longest=12):
    """Return sequences of three symbols, whose labels are the symbol before."""
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(0, 3, rng.integers(2, longest)) for _ in range(count)]
    return Examples(inputs, [np.concatenate([[IGNORED], row[:-1]]) for row in inputs])


TRAIN, VALIDATION = lagged(64, 0), lagged(32, 1)


def network(problem=PROBLEM, dropout=0.0):
    torch.manual_seed(0)
    return SequenceNetwork(Recurrent(memory=GRU(hidden_size=16)), Inputs(symbols=3, size=8, dropout=dropout), problem)


def trainer(config=CONFIG, net=None):
    return Trainer(net or network(), PROBLEM, "accuracy", True, config)


def test_it_learns_what_a_memory_of_one_step_can():
    fitted = trainer(TrainConfig(learning_rate=0.02, steps=200, batch_size=8)).fit(TRAIN, VALIDATION)
    assert fitted.score > 99.0
    assert fitted.steps == 200


def test_interrupted_and_resumed_is_uninterrupted(tmp_path, monkeypatch):
    whole = trainer(net=network(dropout=0.2))
    expected = whole.fit(TRAIN, VALIDATION)
    first = trainer(net=network(dropout=0.2))
    saved = []

    def stop(step, figures):
        saved.append(step)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.fit(TRAIN, VALIDATION, tmp_path / "run.pt", (stop,))
    again = trainer(net=network(dropout=0.2))
    torch.manual_seed(99)  # what another process would have done meanwhile
    found = again.fit(TRAIN, VALIDATION, tmp_path / "run.pt")
    assert (found.score, found.step, found.steps) == (expected.score, expected.step, expected.steps)
    for one, two in zip(again.network.state_dict().values(), whole.network.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_two_runs_with_one_seed_are_identical_and_seeds_differ():
    results = []
    for seed in (3, 3, 4):
        one = trainer(TrainConfig(steps=30, batch_size=8, seed=seed))
        one.fit(TRAIN, VALIDATION)
        results.append(torch.cat([value.flatten() for value in one.network.state_dict().values()]))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_the_best_parameters_are_kept_and_training_ends_early():
    config = TrainConfig(learning_rate=0.02, steps=2000, evaluate_every=10, patience=5, batch_size=8)
    one = trainer(config)
    fitted = one.fit(TRAIN, VALIDATION)
    assert 50 < fitted.steps < 2000
    assert fitted.step <= fitted.steps
    assert PROBLEM.scores(predict(one.network, PROBLEM, VALIDATION), VALIDATION)["accuracy"] == fitted.score


def test_pieces_of_time_learn_with_the_state_carried_on():
    problem, period = NextStep(symbols=3), np.array([0, 0, 0, 1, 0, 0, 0, 2])
    streams = Examples([np.tile(period, 12)[shift : shift + 90 - shift] for shift in range(8)])
    config = TrainConfig(learning_rate=0.02, steps=300, batch_size=4, bptt_horizon=5, evaluate_every=100)
    one = Trainer(network(problem), problem, "bits", False, config)
    fitted = one.fit(streams, streams)
    # Within five steps nothing tells whether 1 or 2 comes next: 1/8 bit remains for a model that forgets.
    assert fitted.score < 0.08


def test_figures_are_written_and_rows_of_an_interrupted_run_replaced(tmp_path):
    record = to_csv(tmp_path / "figures.csv")
    for step, loss in ((20, 1.0), (40, 2.0), (20, 3.0)):
        record(step, {"train/loss": loss})
    with (tmp_path / "figures.csv").open() as file:
        assert [(row["step"], row["train/loss"]) for row in csv.DictReader(file)] == [("20", "3.0")]


def test_another_configuration_is_refused(tmp_path):
    trainer().fit(TRAIN, VALIDATION, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="other settings"):
        trainer(TrainConfig(steps=61, seed=3)).fit(TRAIN, VALIDATION, tmp_path / "run.pt")


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "run.pt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"run\.pt"):
        trainer().fit(TRAIN, VALIDATION, tmp_path / "run.pt")


def test_a_loss_that_is_no_number_says_when():
    broken = network()
    with torch.no_grad():
        broken.head.bias.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="step 0"):
        trainer(net=broken).fit(TRAIN, VALIDATION)


def test_targets_that_are_all_ignored_are_refused():
    nothing = Examples(TRAIN.inputs, [np.full(len(row), IGNORED) for row in TRAIN.inputs])
    with pytest.raises(ValueError, match="IGNORED"):
        trainer().fit(nothing, VALIDATION)


def test_predictions_are_those_of_each_sequence_alone():
    net = network().eval()
    alone = [predict(net, PROBLEM, VALIDATION.select([index]))[0] for index in range(5)]
    for one, two in zip(predict(net, PROBLEM, VALIDATION)[:5], alone, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
