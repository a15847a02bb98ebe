from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from experiments.memory_zoo import costs
from experiments.memory_zoo.costs import WIDTH, at_width, measure, memories, passes, state_bytes, training_ms
from experiments.memory_zoo.costs_plot import GAP, LOOKS, draw, spread
from experiments.throughput.timing import Effort
from recurrent_rl import memory as package
from recurrent_rl.memory import GRU, LSTM, Attention, FrameWindow, MemorySpec, NoMemory

EXPORTED = [
    kind
    for name in package.__all__
    if isinstance(kind := getattr(package, name), type) and issubclass(kind, MemorySpec) and kind is not MemorySpec
]


@pytest.fixture
def tiny(monkeypatch):
    """Few rows and turns."""
    monkeypatch.setattr(costs, "GROWTH", (2, 3, 4))
    monkeypatch.setattr(costs, "RATES", (3, 5))
    monkeypatch.setattr(costs, "ROWS_OF_A_TURN", 4)
    monkeypatch.setattr(costs, "STEPS_OF_A_TURN", 2)
    monkeypatch.setattr(costs, "TURNS_OF_A_REPETITION", 1)


@pytest.mark.parametrize("kind", EXPORTED)
def test_every_exported_spec_gets_the_width(kind):
    """Of the controls, one has the inputs' width and the other four times as much."""
    assert at_width(kind).build(WIDTH).output_size == (4 * WIDTH if kind is FrameWindow else WIDTH)


def test_the_table_holds_every_exported_spec_once_and_the_linear_recurrences_by_name():
    everything = memories()
    assert [type(spec) for name, spec in everything.items() if name != "MinGRU-signed"] == sorted(
        EXPORTED, key=lambda kind: kind.__name__
    )
    assert set(costs.LINEAR) <= set(everything)


@pytest.mark.parametrize(("spec", "gates", "leaves"), [(GRU, 3, 1), (LSTM, 4, 2)])
def test_parameters_and_state_of_step_cells_are_those_known_by_hand(tiny, spec, gates, leaves):
    row = measure("cell", at_width(spec), repetitions=1)
    assert row["parameters"] == gates * (128 * 128 + 128 * 128 + 128 + 128)
    assert row["state_bytes"] == leaves * 128 * 4


def test_state_bytes_count_leaves_of_every_type_and_none():
    assert state_bytes(Attention(hidden_size=8, num_heads=2, window=3).build(5)) == 2 * 2 * 8 * 4 + 8
    assert state_bytes(NoMemory().build(5)) == 0


def test_a_row_has_all_figures_and_they_agree(tiny):
    row = measure("NoMemory", NoMemory(), repetitions=1)
    assert list(row) == [
        "memory", "parameters", "state_bytes", "act_1_us", "act_16_us", "steps/s_3", "steps/s_5",
        "ms_2", "ms_3", "ms_4", "exponent", "times_GRU",
    ]  # fmt: skip
    assert row["steps/s_3"] == pytest.approx(3 * 16 / (1e-3 * row["ms_3"]))
    assert (4 / 3) ** row["exponent"] == pytest.approx(row["ms_4"] / row["ms_3"])


def test_times_are_those_of_one_pass_however_many_fill_a_turn(tiny, monkeypatch):
    assert [passes(steps) for steps in (1, 2, 4, 5)] == [4, 2, 1, 1]
    clock = iter(range(10**6))
    monkeypatch.setattr(costs, "time", SimpleNamespace(perf_counter=lambda: next(clock)))  # each turn takes a second
    times, gru = training_ms(NoMemory().build(WIDTH), Effort(repetitions=2))
    assert times == {2: 500.0, 3: 1000.0, 4: 1000.0, 5: 1000.0}
    assert gru == 1000.0


def test_measuring_leaves_no_gradient_in_the_entry_state(tiny):
    """A learned initial state is data to a pass: a second pass would otherwise go back through a graph that is gone."""
    memory = GRU(hidden_size=WIDTH, learned_initial_state=True).build(WIDTH)
    run = costs.training(memory, 2)
    assert run().whole > 0
    assert run().whole > 0


def test_the_picture_has_a_look_for_every_memory(tmp_path):
    assert len(set(LOOKS)) >= len(memories())
    draw(
        [{"memory": name, "ms_16": 1.0, "ms_64": 2.0} for name in memories()], (16, 64), "here", tmp_path / "costs.png"
    )
    assert (tmp_path / "costs.png").stat().st_size > 10_000


def test_chosen_memories_are_printed_and_not_written(tiny, monkeypatch, capsys, tmp_path):
    threads = torch.get_num_threads()
    monkeypatch.setattr(costs, "RESULTS", tmp_path / "results")
    monkeypatch.setattr("sys.argv", ["costs", "--memories", "MinGRU", "--repetitions", "1", "--threads", str(threads)])
    costs.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f"{threads} threads")
    assert lines[-1].startswith("MinGRU: times_GRU at least 2: ")
    assert not (tmp_path / "results").exists()


def test_names_keep_their_order_and_a_gap_and_stay_where_nothing_is_near():
    heights = spread([0.0, 0.5, 0.5, 0.501, 1.0])
    assert (heights[0], *heights[3:]) == (0.0, 0.501, 1.0)
    assert min(high - low for low, high in pairwise(heights)) >= GAP - 1e-9
