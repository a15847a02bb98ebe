"""Tables put the best model first, correct for the number of models, and name floors and published figures."""

from dataclasses import replace

import numpy as np
import pytest

from recurrent_rl.sequence.benchmark.costs import Cost
from recurrent_rl.sequence.benchmark.tables import failures, lines, number, probability, protocol, table
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.statistics import paired_t_test
from recurrent_rl.sequence.tasks import MADE_UP
from tests.sequence.benchmark.results import SCORES, found

TASK = MADE_UP["mnist1d"]()


def test_the_best_comes_first():
    rows = lines(TASK, found(), {})
    assert [row.model for row in rows] == ["gru", "lstm", "bag"]
    assert rows[0].score.mean == 91.0
    assert rows[0].mean("cpu_seconds") == 11.0


def test_a_lower_loss_is_better():
    assert [row.model for row in lines(MADE_UP["adding-200"](), found("mse"), {})] == ["bag", "lstm", "gru"]


def test_p_values_are_paired_over_seeds_and_corrected_by_holm():
    rows = lines(TASK, found(), {})
    single = [paired_t_test(SCORES["gru"], SCORES[model]).p_value for model in ("lstm", "bag")]
    assert rows[0].p_value is None
    assert rows[2].p_value == pytest.approx(2 * min(single))
    assert rows[1].p_value == pytest.approx(max(single))


def test_a_single_seed_has_no_interval_and_no_p_value():
    rows = lines(TASK, found(scores={"gru": [90.0, 91.0], "bag": [30.0]}), {})
    assert np.isnan(rows[1].score.low)
    assert rows[1].p_value is None
    assert "nan" not in table(TASK, rows)


def test_diverged_seeds_are_counted_and_do_not_enter_the_mean():
    results = found()
    results["lstm"][1] = {"seed": 1, "error": "The loss is nan at step 3."}
    row = next(row for row in lines(TASK, results, {}) if row.model == "lstm")
    assert row.score.mean == 89.0
    assert row.diverged == 1
    assert "2 (1 diverged)" in table(TASK, [row])


def test_a_model_of_which_all_seeds_diverged_has_no_line():
    assert lines(TASK, {"gru": [{"seed": 0, "error": "The loss is nan."}]}, {}) == []


def test_the_table_has_models_lengths_costs_and_anchors():
    task = MADE_UP["parity"]()
    cost = Cost(step_us=120.4, state_bytes=1234, growth=1.02, steps=40)
    text = table(task, lines(task, found(longer=("100", "500")), {"gru": cost}))
    assert "| at 100 | at 500 |" in text.splitlines()[0]
    assert "| 120 | 1,234 | 1.02 |" in text
    assert len({line.count("|") for line in text.splitlines()}) == 1
    assert all(f"*{anchor.name}*" in text for anchor in task.anchors)


def test_figures_of_other_data_are_context_only():
    task = MADE_UP["copy-100"]()
    text = table(task, lines(task, found("nats"), {}))
    assert "| *TCN, T=1000* | 3.5e-05 | *Bai et al. 2018, table 1; context only* |" in text


def test_cuts_of_the_protocol_are_said():
    assert protocol(WORKS["japanese-vowels"]) == ""
    assert "1,000 of 2,000 steps" in protocol(WORKS["adding-200"])
    said = protocol(WORKS["adding-600"])
    assert "tuned on adding-200" in said
    assert "3 seeds" in said
    assert protocol(replace(WORKS["japanese-vowels"], seeds=5)) == ""


def test_models_are_named_of_which_every_seed_diverged():
    results = {**found(), "lstm": [{"seed": 0, "error": "The loss is nan."}], "rnn": []}
    assert failures(results) == "Every seed diverged: lstm."
    assert failures(found()) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(5.3e-5, "5.3e-05"), (0.167, "0.167"), (98.123, "98.12"), (-0.001, "-0.001")]
)
def test_numbers_have_four_figures_or_a_power_of_ten(value, text):
    assert number(value) == text


def test_no_probability_is_said_to_be_zero():
    assert probability(0.0) == "<0.001"
    assert probability(0.0123) == "0.012"


def test_intervals_stay_within_what_a_score_can_be():
    (row,) = lines(TASK, found(scores={"gru": [99.9, 90.0]}), {})
    assert row.score.high == 100.0
    (row,) = lines(MADE_UP["adding-200"](), found("mse", scores={"gru": [0.1, 0.5]}), {})
    assert row.score.low == 0.0


def test_what_a_model_does_not_tell_stays_empty():
    assert number(float("nan")) == ""
