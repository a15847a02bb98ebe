"""What the comparison of memories counts and adds up."""

import numpy as np
import pytest

from experiments.memory_zoo import report, run
from experiments.memory_zoo.entrants import ENTRANTS, budget, memory_fields, parameters, size_for
from recurrent_rl.runs.memories import MEMORIES, make_memory


@pytest.mark.parametrize("entrant", [e for e in ENTRANTS if e.matched], ids=lambda entrant: entrant.name)
def test_all_have_as_many_parameters_within_five_percent(entrant):
    for world in ("RepeatPreviousEasy", "NoisyPositionOnlyCartPoleHard"):
        count = parameters(entrant.memory, entrant.fields, size_for(entrant, world), world)
        assert abs(count / budget(world) - 1) < 0.05


def test_every_memory_of_the_library_takes_part():
    composed = {"normed", "residual", "dense", "xlstm"}  # its cells are there
    assert {entrant.memory for entrant in ENTRANTS} == MEMORIES.keys() - composed
    for entrant in ENTRANTS:
        make_memory(entrant.memory, memory_fields(entrant, "RepeatPreviousEasy"))


def test_the_interquartile_mean_leaves_out_a_quarter_on_both_sides():
    assert report.interquartile_mean([0.0, 1.0, 2.0, 100.0]) == 1.5
    assert report.interquartile_mean([0.0, 1.0], [2.0, 100.0]) == 1.5


def test_an_interval_lies_around_the_mean_and_needs_two_runs():
    strata = [[0.0, 0.5, 1.0], [0.2, 0.4, 0.6]]
    low, high = report.interval(strata)
    assert low < report.interquartile_mean(*strata) < high
    assert report.interval([[0.0], [1.0]]) is None


def test_a_run_is_recorded_once_and_its_result_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(run, "SETTINGS", run.SETTINGS | {"n_envs": 2, "n_steps": 16, "bptt_horizon": 16})
    monkeypatch.setattr(run, "EPISODES", 2)
    result = run.run(run.Job("RepeatPreviousEasy", "MinGRU", 0, 64))
    assert abs(result["parameters"] / budget("RepeatPreviousEasy") - 1) < 0.05
    assert result["state_numbers"] == size_for(ENTRANTS[2], "RepeatPreviousEasy")
    assert -1 <= result["mean_return"] <= 1
    again = run.run(run.Job("RepeatPreviousEasy", "MinGRU", 0, 64))
    assert again["mean_return"] == result["mean_return"]
    assert again["cpu_seconds"] >= result["cpu_seconds"]


def test_rows_hold_means_and_the_middle_of_all():
    results = [
        {"memory": "GRU", "world": world, "seed": seed, "steps": run.STEPS, "mean_return": float(seed)}
        for world in run.WORLDS
        for seed in range(3)
    ]
    line = report.row(results, "GRU")
    assert line[:5] == ["GRU", *["1.000 (3)"] * 4]
    assert float(line[5]) == np.float64(1.0)
    assert report.row(results[:3], "GRU")[2:] == [""] * 5
