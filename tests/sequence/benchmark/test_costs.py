"""Costs at inference are of the state that a model has, or of reading all again, and are measured once."""

import time

import pytest
import torch

from recurrent_rl.sequence.benchmark import costs
from recurrent_rl.sequence.benchmark.costs import measure, measure_all, read
from recurrent_rl.sequence.benchmark.entrants import entrant_of
from recurrent_rl.sequence.benchmark.networks import INPUT_SIZE, Sizes
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import WORKS

TASK = WORKS["mnist1d"].task()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(costs, "PATIENCE", 0.0)
    monkeypatch.setattr(costs, "SHORTEST", 16)


def network(name, width):
    return entrant_of(name).network(TASK, Sizes(width=width, longest=40))


def test_a_memory_keeps_its_state_and_a_model_that_looks_ahead_all_inputs():
    inputs = torch.randn(160, 1, 1)
    assert measure(network("gru", 8), inputs, 40).state_bytes == 4 * 8
    assert measure(network("lstm", 8), inputs, 40).state_bytes == 2 * 4 * 8
    assert measure(network("bi-gru", 8), inputs, 40).state_bytes == 40 * 4 * INPUT_SIZE


def test_waiting_for_the_cpu_costs_nothing():
    waiting = network("gru", 8)
    waiting.register_forward_pre_hook(lambda *_: time.sleep(0.02))
    assert measure(waiting, torch.randn(160, 1, 1), 40).step_us < 20_000


def test_attention_to_everything_grows_faster_than_a_memory():
    inputs = torch.randn(8192, 1, 1)
    grown = {name: measure(network(name, 8), inputs, 40).growth for name in ("gru", "transformer")}
    assert grown["transformer"] > grown["gru"] + 0.2


def test_costs_are_measured_once(tmp_path, monkeypatch):
    suite = Suite(works={"mnist1d": WORKS["mnist1d"]}, models=["gru", "hmm"], folder=tmp_path)
    measure_all(suite)
    first = read(tmp_path, "mnist1d")
    assert first.keys() == {"gru"}
    assert first["gru"].steps == 40
    monkeypatch.setattr(costs, "measure", None)
    measure_all(suite)
    assert read(tmp_path, "mnist1d") == first


def test_what_another_suite_adds_meanwhile_is_kept(tmp_path, monkeypatch):
    gru, lstm = (
        Suite(works={"mnist1d": WORKS["mnist1d"]}, models=[model], folder=tmp_path / "new") for model in ("gru", "lstm")
    )

    def measure_between(*given):
        monkeypatch.setattr(costs, "measure", measure)
        measure_all(lstm)
        return measure(*given)

    monkeypatch.setattr(costs, "measure", measure_between)
    measure_all(gru)
    assert read(tmp_path / "new", "mnist1d").keys() == {"gru", "lstm"}
