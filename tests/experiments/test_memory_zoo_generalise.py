import csv
import json

import pytest
import torch

from experiments.memory_zoo.generalise import (
    LENGTHS,
    MEMORIES,
    Run,
    Tracker,
    accuracies,
    draw,
    execute,
    load,
    table,
    write_csv,
)
from experiments.memory_zoo.state_tracking import ARRANGEMENTS, TASKS, swap

PARITY, PERMUTATIONS = TASKS["parity"], TASKS["permutations"]


def test_labels_of_parity_are_the_sum_of_the_bits_so_far_modulo_two():
    bits, labels = PARITY.draw(50, 7, torch.Generator().manual_seed(0))
    assert bits.shape == labels.shape == (50, 7)
    assert torch.equal(labels, bits.cumsum(0) % 2)
    assert set(bits.flatten().tolist()) == {0, 1}


def test_labels_of_permutations_are_where_five_things_lie_after_swaps_done_by_hand():
    symbols = torch.tensor([0, 1, 2, 4, 1]).unsqueeze(-1)
    by_hand = [(0, 1, 2, 3, 4), (1, 0, 2, 3, 4), (1, 2, 0, 3, 4), (1, 2, 0, 4, 3), (2, 1, 0, 4, 3)]
    assert [ARRANGEMENTS[label] for label in PERMUTATIONS.label(symbols)[:, 0]] == by_hand


def test_labels_of_permutations_are_products_of_matrices():
    symbols, labels = PERMUTATIONS.draw(60, 3, torch.Generator().manual_seed(0))
    eye = torch.eye(5, dtype=torch.long)
    factors = torch.stack([eye, *[eye[list(swap(tuple(range(5)), i))] for i in range(4)]])
    things = torch.arange(5).expand(3, 5).unsqueeze(-1)  # [B, 5, 1]
    for symbol, label in zip(symbols, labels, strict=True):
        things = factors[symbol] @ things
        assert [tuple(column) for column in things.squeeze(-1).tolist()] == [ARRANGEMENTS[i] for i in label]


def test_swaps_of_neighbours_reach_all_120_arrangements_and_undo_themselves():
    assert (PERMUTATIONS.states, PERMUTATIONS.symbols) == (120, 5)
    assert PERMUTATIONS.after.unique().tolist() == list(range(120))
    reached = {0}
    for _ in range(10):  # the longest product that is needed reverses the row: 10 swaps
        reached |= {state for before in reached for state in PERMUTATIONS.after[before].tolist()}
    assert len(reached) == 120
    twice = PERMUTATIONS.after.gather(0, PERMUTATIONS.after)
    assert torch.equal(twice, torch.arange(120).unsqueeze(-1).expand(120, 5))


def test_the_same_generator_gives_the_same_data():
    one, other = (PERMUTATIONS.draw(9, 4, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_accuracy_counts_the_last_quarter_of_each_length():
    """A tracker that is right until step 90 and wrong from then on."""

    class Until90(Tracker):
        def forward(self, symbols):
            states = PARITY.label(symbols)
            states[90:] = 1 - states[90:]
            return torch.nn.functional.one_hot(states, 2).float()

    found = accuracies(Run(task="parity", memory="rnn", tested=5), Until90(PARITY, MEMORIES["rnn"]))
    assert found == pytest.approx({"40": 1.0, "100": 15 / 25, "250": 0.0, "500": 0.0})


@pytest.mark.parametrize("memory", MEMORIES)
def test_every_memory_tracks_both_tasks_with_a_readout_of_their_states(memory):
    for task in TASKS.values():
        symbols, _ = task.draw(3, 2, torch.Generator().manual_seed(0))
        assert Tracker(task, MEMORIES[memory])(symbols).shape == (3, 2, task.states)


def test_a_run_writes_what_the_table_and_the_picture_show_and_is_not_done_again(tmp_path):
    folder = tmp_path / "generalise"
    folder.mkdir()
    runs = [
        Run(task=task, memory=memory, seed=seed, steps=3, columns=4, tested=4)
        for task, memory, seed in [("permutations", "gru", 0), ("parity", "gru", 1), ("parity", "gru", 0)]
    ]
    for run in runs:
        execute(run, folder)
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert {path.name for path in written} == {"permutations_gru_0.json", "parity_gru_1.json", "parity_gru_0.json"}
    execute(runs[0], folder)
    assert written == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    results = load(folder)
    assert [(r["task"], r["seed"]) for r in results] == [("parity", 0), ("parity", 1), ("permutations", 0)]
    lines = table(results).splitlines()
    assert lines[2].startswith("| parity | gru | 2 |")
    assert lines[3].startswith("| permutations | gru | 1 |")
    write_csv(results, tmp_path / "generalise.csv")
    rows = list(csv.DictReader((tmp_path / "generalise.csv").open()))
    assert [float(row["500"]) for row in rows] == [r["accuracy"]["500"] for r in results]
    draw(results, tmp_path / "generalise.png")
    assert (tmp_path / "generalise.png").stat().st_size > 5000


def test_a_run_with_another_number_of_steps_is_done_anew(tmp_path):
    for steps in (1, 2):
        execute(Run(task="parity", memory="mingru", steps=steps, columns=2, tested=2), tmp_path)
    assert json.loads((tmp_path / "parity_mingru_0.json").read_text())["steps"] == 2
    assert list(load(tmp_path)[0]["accuracy"]) == [str(length) for length in LENGTHS]
