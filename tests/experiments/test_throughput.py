import numpy as np
import pytest
import torch

from experiments.throughput import latency, layer
from experiments.throughput.arithmetic import flops_per_step
from experiments.throughput.environments import EPISODES, LIMITS, LONG, SHORT, make_env
from experiments.throughput.loop import THEIRS, loop_table, make_model
from experiments.throughput.memory import (
    FLOAT,
    KEPT,
    layer_numbers,
    layer_peak,
    policy_numbers,
    update_model,
    update_peak,
)
from experiments.throughput.output import load, save, verdict
from experiments.throughput.settings import GRU_128, LOOP, SB3_POLICY, TWO_LSTMS, Bar, Panel, Workload, swept
from experiments.throughput.sweep import measure_cell
from experiments.throughput.timing import Effort, Stopwatch, Timing, alternate
from pomdp_envs.batched import BatchedEnv

TINY = Workload(
    name="tiny",
    policy_kwargs={"lstm_hidden_size": 8},
    n_envs=2,
    n_steps=8,
    batch_size=8,
    n_epochs=1,
    bars={"float32": Bar(measure="ratio", least=0.0)},
)
ONCE = Effort(repetitions=1)


def starts(episodes, n_envs, n_steps):
    """Where episodes ended [T, B], and the largest observations [4], under actions that differ between columns."""
    env = make_env(episodes, n_envs)
    env.reset()
    ended, largest = [], np.zeros(4)
    for t in range(n_steps):
        observation, _, done, _ = env.step((np.arange(n_envs) + t) % 3 % 2)
        ended.append(done)
        largest = np.maximum(largest, np.abs(observation).max(axis=0))
    return np.array(ended), largest


def test_a_step_of_the_gru_workload_costs_3_43_megaflops():
    policy = make_model("float32", GRU_128, "short").policy
    assert flops_per_step(policy, GRU_128.n_epochs) == pytest.approx(3.43e6, rel=1e-3)


@pytest.mark.parametrize("workload", [w for w in LOOP if w.policy == SB3_POLICY], ids=lambda w: w.name)
def test_both_libraries_train_the_same_network_with_the_same_settings(workload):
    ours, theirs = (make_model(side, workload, "short") for side in ("float32", THEIRS))
    shapes = [sorted(tuple(p.shape) for p in model.policy.parameters()) for model in (ours, theirs)]
    assert shapes[0] == shapes[1]
    for name in ("n_steps", "n_envs", "batch_size", "n_epochs", "gamma", "gae_lambda", "learning_rate"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.bptt_horizon == theirs.n_steps


@pytest.mark.parametrize("n_envs", [1, 2, 16])
def test_a_sweep_gives_both_sides_the_same_number_of_optimiser_steps(n_envs):
    workload = swept(n_envs=n_envs)
    chunks_of_a_minibatch, rest = divmod(workload.batch_size, workload.n_steps)
    assert rest == 0
    assert n_envs % chunks_of_a_minibatch == 0


@pytest.mark.parametrize(("episodes", "length", "within"), [("short", SHORT, 0.05), ("long", LONG, 0.15)])
def test_episodes_last_as_long_as_they_say_on_average(episodes, length, within):
    ended, largest = starts(episodes, 64, 2048)
    assert 1 / ended.mean() == pytest.approx(length, rel=within)
    assert (largest <= LIMITS[:, 0]).all()


def test_endless_episodes_never_end_and_stay_within_bounds():
    ended, largest = starts("endless", 64, 2048)
    assert not ended.any()
    assert (largest <= np.float32(LIMITS[:, 0])).all()


@pytest.mark.parametrize("dynamics", EPISODES.values())
def test_a_column_alone_equals_the_column_in_a_batch(dynamics):
    alone, batch = BatchedEnv(dynamics(), 1, "SameStep"), BatchedEnv(dynamics(), 5, "SameStep")
    alone.reset(seed=[13])
    batch.reset(seed=[10, 11, 12, 13, 14])
    for t in range(300):
        one, many = alone.step(np.array([t % 2])), batch.step(np.full(5, t % 2))
        for mine, theirs in zip(one[:4], many[:4], strict=True):
            np.testing.assert_array_equal(mine[0], theirs[3])


def test_the_loop_table_has_all_lengths_and_all_figures():
    rows = list(loop_table(ONCE, (TINY,)))
    assert [row["episodes"] for row in rows] == ["short", "long", "endless"]
    for row in rows:
        figures = ("ours", THEIRS, "ratio", "floor", "share_of_floor", "collection_s", "update_s", "their_update_s")
        assert all(row[figure] > 0 for figure in figures)
        assert row["ratio"] == pytest.approx(row["ours"] / row[THEIRS])
        assert row["collection_s"] + row["update_s"] < TINY.n_envs * TINY.n_steps / row["ours"]
        assert row["bar"] == "ratio at least 0: met"


def test_a_cell_of_the_sweep_survives_its_file(tmp_path):
    panel = Panel(name="environments", values=(2,), workload=lambda _: TINY)
    row = measure_cell(panel, 2, "short", ONCE)
    save(tmp_path / "sweep.csv", [row])
    (again,) = load(tmp_path / "sweep.csv")
    assert again["panel"] == "environments"
    assert float(again["ours"]) == pytest.approx(row["ours"], rel=1e-3)


def test_sides_take_turns_and_a_slow_one_stops_at_its_budget():
    order = []
    runs = {
        "slow": lambda: order.append("slow") or Timing(4.0, 1.0, 3.0),
        "fast": lambda: order.append("fast") or Timing(1.0),
    }
    medians = alternate(runs, Effort(repetitions=3, budget=6.0))
    assert order == ["slow", "fast", "slow", "fast", "slow", "fast", "fast"]  # the first of each is not counted
    assert medians == {"slow": Timing(4.0, 1.0, 3.0), "fast": Timing(1.0)}


def test_a_stopwatch_passes_arguments_and_results_through():
    watch = Stopwatch(lambda a, *, b: a + b)
    assert watch(1, b=2) == 3
    assert watch.seconds > 0


def test_a_verdict_names_measure_bar_and_outcome():
    bar = Bar(measure="ratio", least=8.0)
    assert verdict({"ratio": 8.0}, bar) == "ratio at least 8: met"
    assert verdict({"ratio": 7.9}, bar) == "ratio at least 8: missed"
    assert verdict({"ratio": None}, bar) == "ratio not measured"


def test_the_layer_table_has_a_row_for_every_share_of_resets(monkeypatch):
    monkeypatch.setattr(layer, "RUNS_PER_REPETITION", 1)
    rows = list(layer.measure(layer.LAYERS[0], ONCE))
    assert [row["resets_percent"] for row in rows] == list(layer.RESETS)
    assert [row["bar"] is not None for row in rows] == [False, True, False]


def test_the_latency_table_leaves_the_number_of_threads_alone(monkeypatch):
    monkeypatch.setattr(latency, "BLOCK", 5)
    rows = list(latency.latency_table(ONCE))
    assert [(row["what"], row["threads"]) for row in rows] == [
        ("predict", 1), ("policy step", 1), ("predict", 2), ("policy step", 2),
    ]  # fmt: skip
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("spec", KEPT)
def test_a_layers_peak_memory_is_linear_and_at_most_a_fifth_above_its_activations(spec):
    needed = layer_numbers(spec) * 128 * 64 * FLOAT
    short, long = layer_peak(spec, 128, 64), layer_peak(spec, 256, 64)
    assert short <= 1.2 * needed
    assert long - short == pytest.approx(needed, rel=0.02)  # twice the steps: the activations once more


@pytest.mark.parametrize(("workload", "most"), [(GRU_128, 1.3), (TWO_LSTMS, 1.1)], ids=lambda x: getattr(x, "name", x))
def test_an_updates_peak_memory_is_linear_in_steps_and_columns(workload, most):
    model = update_model(workload)
    short, long, wide = (update_peak(model, *shape) for shape in ((128, 64), (256, 64), (128, 128)))
    assert short <= most * policy_numbers(model.policy) * 128 * 64 * FLOAT
    assert long / short == pytest.approx(2.0, rel=0.02)
    assert wide / short == pytest.approx(2.0, rel=0.02)
