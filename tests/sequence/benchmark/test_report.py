"""Tables put the best model first, correct for the number of models, and name their anchors."""

import csv

import pytest

from recurrent_rl.sequence.benchmark.report import draw, lines, number, table, write_trials
from recurrent_rl.sequence.statistics import paired_t_test
from recurrent_rl.sequence.tasks import MADE_UP

SCORES = {"gru": [90.0, 91.0, 92.0], "lstm": [88.0, 90.5, 90.0], "bag": [30.0, 31.0, 29.0]}


def results(task="mnist1d", longer=()):
    for model, values in SCORES.items():
        for seed, value in enumerate(values):
            yield {
                "task": task, "model": model, "seed": seed, "tuning": False, "parameters": 1000, "cpu_seconds": 10.0 + seed,
                "test": {"accuracy": value}, "longer": {name: {"accuracy": value - 1} for name in longer},
            }  # fmt: skip
        yield {"task": task, "model": model, "seed": 1000, "tuning": True, "validation": 100.0}


def test_the_best_comes_first_and_tuning_does_not_count():
    rows = lines(MADE_UP["mnist1d"](), results())
    assert [row.model for row in rows] == ["gru", "lstm", "bag"]
    assert rows[0].score.mean == 91.0
    assert rows[0].seconds == 11.0


def test_p_values_are_paired_over_seeds_and_corrected_by_holm():
    rows = lines(MADE_UP["mnist1d"](), results())
    single = [paired_t_test(SCORES["gru"], SCORES[model]).p_value for model in ("lstm", "bag")]
    assert rows[0].p_value is None
    assert rows[2].p_value == pytest.approx(2 * min(single))
    assert rows[1].p_value == pytest.approx(max(single))


def test_a_lower_loss_is_better():
    turned = [
        one | ({} if one["tuning"] else {"test": {"mse": one["test"]["accuracy"]}}) for one in results("adding-200")
    ]
    assert [row.model for row in lines(MADE_UP["adding-200"](), turned)] == ["bag", "lstm", "gru"]


def test_the_table_has_models_lengths_and_anchors(tmp_path):
    task = MADE_UP["parity"]()
    rows = lines(task, results("parity", longer=("100", "500")))
    text = table(task, rows)
    assert text.splitlines()[0] == "| model | accuracy | 95% | p | at 100 | at 500 | parameters | CPU s |"
    assert len({line.count("|") for line in text.splitlines()}) == 1
    assert all(anchor.name in text for anchor in task.anchors)
    draw(task, rows, tmp_path / "parity.png")
    assert (tmp_path / "parity.png").stat().st_size > 10_000


def test_every_trial_has_a_line_in_the_csv(tmp_path):
    write_trials(list(results()), tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[0]["test.accuracy"] == "90.0"


@pytest.mark.parametrize(
    ("value", "text"), [(5.3e-5, "5.3e-05"), (0.167, "0.167"), (98.123, "98.12"), (-0.001, "-0.001")]
)
def test_numbers_have_four_figures_or_a_power_of_ten(value, text):
    assert number(value) == text
