"""Intervals and tests give hand-worked values, closed forms, and scipy's numbers."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from recurrent_rl.sequence.statistics import (
    bootstrap_difference,
    holm,
    incomplete_beta,
    mcnemar_test,
    mean_interval,
    paired_t_test,
    sign_flip_test,
    student_quantile,
    student_tails,
)  # fmt: skip

# Hours of sleep gained with two drugs (Student 1908), and heights of crossed less self-fertilised maize (Darwin 1876).
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_the_interval_of_one_to_five_is_the_hand_worked_one():
    found = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])  # s^2 = 10 / 4, so s / sqrt(5) = sqrt(1 / 2); t = 2.7764451
    assert found.mean == 3.0
    assert found.high - 3.0 == pytest.approx(2.7764451051977987 * math.sqrt(0.5), rel=1e-12)
    assert 3.0 - found.low == pytest.approx(found.high - 3.0, rel=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_intervals_are_scipys(count, level):
    values = np.random.default_rng(count).normal(3.0, 2.0, count)
    found = mean_interval(values, level)
    expected = stats.t.interval(level, count - 1, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-8)


def test_equal_values_have_an_interval_of_no_width():
    found = mean_interval([0.5, 0.5, 0.5])
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("probability", [1e-6, 0.025, 0.3, 0.5, 0.6, 0.975, 0.9995])
def test_quantiles_are_the_closed_forms_at_one_and_two_degrees(probability):
    spread = math.sqrt(2 * probability * (1 - probability))
    assert student_quantile(probability, 1) == pytest.approx(
        math.tan(math.pi * (probability - 0.5)), rel=1e-8, abs=1e-12
    )
    assert student_quantile(probability, 2) == pytest.approx((2 * probability - 1) / spread, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 4, 9.5, 29, 1000, 1e6])
@pytest.mark.parametrize("probability", [0.001, 0.025, 0.4, 0.51, 0.95, 0.975, 0.995, 1 - 1e-7])
def test_quantiles_are_scipys(probability, degrees):
    assert student_quantile(probability, degrees) == pytest.approx(stats.t.ppf(probability, degrees), rel=1e-8)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, math.nan])
def test_a_quantile_needs_a_probability_inside(probability):
    with pytest.raises(ValueError, match="probability must"):
        student_quantile(probability, 4)


@pytest.mark.parametrize("degrees", [1, 4, 30, 3000])
@pytest.mark.parametrize("t", [0.0, 1e-9, 0.7, -2.5, 12.0, 1e4])
def test_tails_are_scipys(t, degrees):
    assert student_tails(t, degrees) == pytest.approx(2 * stats.t.sf(abs(t), degrees), rel=1e-8, abs=1e-300)


@given(x=st.floats(0, 1), a=st.floats(0.1, 1e5), b=st.floats(0.1, 1e5))
def test_the_incomplete_beta_function_is_scipys(x, a, b):
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-8, abs=1e-12)


def test_students_sleepers_give_the_textbooks_t_test():
    found = paired_t_test(FIRST_DRUG, SECOND_DRUG)
    assert found.pairs == 10
    assert found.difference.mean == pytest.approx(-1.58)
    assert found.effect * math.sqrt(10) == pytest.approx(-4.0621, abs=5e-5)
    assert found.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (found.difference.low, found.difference.high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)


@pytest.mark.parametrize("count", [2, 5, 300])
def test_the_paired_t_test_is_scipys(count):
    first, second = np.random.default_rng(count).normal(size=(2, count))
    found, expected = paired_t_test(first, second), stats.ttest_rel(first, second)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    assert found.effect * math.sqrt(count) == pytest.approx(expected.statistic, rel=1e-10)


def test_differences_that_are_all_the_same_are_certain_or_none():
    assert paired_t_test([2.0, 3.0], [1.0, 2.0]).p_value == 0.0
    assert paired_t_test([1.0, 2.0], [2.0, 3.0]).effect == -math.inf
    same = paired_t_test([2.0, 3.0], [2.0, 3.0])
    assert (same.p_value, same.effect) == (1.0, 0.0)


def test_fisher_counted_1726_of_the_sign_flips_of_darwins_maize():
    assert sign_flip_test(MAIZE, np.zeros(15)) == 1726 / 2**15


def test_three_pairs_of_one_sign_are_two_flips_of_eight():
    assert sign_flip_test([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]) == 0.25


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=8))
def test_sign_flips_are_counted_as_by_hand(differences):
    flips = [sum(s * d for s, d in zip(signs, differences)) for signs in product((1, -1), repeat=len(differences))]
    expected = np.mean([abs(flip) >= abs(sum(differences)) for flip in flips])
    tenths = [d / 10 for d in differences]  # which floats cannot hold: ties must be ties all the same
    assert sign_flip_test(tenths, np.zeros(len(tenths))) == expected


def test_one_to_nine_is_22_of_1024():
    first = [1] * 9 + [0] + [1] * 50 + [0] * 5
    second = [0] * 9 + [1] + [1] * 50 + [0] * 5
    assert mcnemar_test(first, second) == pytest.approx(2 * (1 + 10) / 2**10, rel=1e-12)
    assert mcnemar_test(second, first) == mcnemar_test(first, second)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (0, 1), (3, 3), (4, 3), (0, 30), (5200, 5000), (30_000, 30_500)])
def test_mcnemar_is_scipys_binomial_test(better, worse):
    first = np.repeat([True, False, True], [better, worse, 7])
    second = np.repeat([False, True, True], [better, worse, 7])
    expected = stats.binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert mcnemar_test(first, second) == pytest.approx(expected, rel=1e-8)


def test_the_bootstrap_of_zero_and_one_has_all_there_is():
    found = bootstrap_difference([0.0, 1.0], [0.0, 0.0])  # means 0, 1/2, 1 with chances 1/4, 1/2, 1/4
    assert (found.mean, found.low, found.high) == (0.5, 0.0, 1.0)


def test_the_bootstrap_of_many_items_is_the_normal_interval():
    first, second = np.random.default_rng(0).random((2, 2000))
    found, error = bootstrap_difference(first, second), stats.sem(first - second)
    np.testing.assert_allclose([found.low, found.high], found.mean + np.array([-1.96, 1.96]) * error, atol=0.05 * error)


def test_groups_are_drawn_whole():
    """A hundred copies of each item say no more than one."""
    rng = np.random.default_rng(1)
    scores, names = rng.random(60), rng.permutation(60) * 7
    repeated, zeros = np.repeat(scores, 100), np.zeros(6000)
    grouped = bootstrap_difference(repeated, zeros, np.repeat(names, 100))
    once, ungrouped = bootstrap_difference(scores, zeros[:60]), bootstrap_difference(repeated, zeros, draws=1000)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.05)
    assert ungrouped.high - ungrouped.low == pytest.approx((once.high - once.low) / 10, rel=0.15)


def test_groups_weigh_as_many_items_as_they_have():
    found = bootstrap_difference([1.0, 1.0, 1.0, 0.0], [0.0] * 4, [5, 5, 5, 2])  # means 0, 3/4, 1
    assert (found.mean, found.low, found.high) == (0.75, 0.0, 1.0)


def test_the_bootstrap_is_the_same_for_the_same_seed():
    first, second = np.random.default_rng(2).random((2, 50))
    found = [bootstrap_difference(first, second, draws=500, seed=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_holms_adjusted_values_are_the_hand_worked_ones():
    # Sorted: 4 x 0.005 = 0.02, 3 x 0.01 = 0.03, 2 x 0.03 = 0.06, 1 x 0.04, but not below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0.001, 0.999))
def test_holm_rejects_what_its_step_down_procedure_does(p_values, level):
    rejected = set()
    for place in sorted(range(len(p_values)), key=lambda i: p_values[i]):
        if (len(p_values) - len(rejected)) * p_values[place] > level:
            break
        rejected.add(place)
    assert {place for place, adjusted in enumerate(holm(p_values)) if adjusted <= level} == rejected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([1.0]), "values must be 2 values or more"),
        (lambda: mean_interval([[1.0, 2.0]]), "in a row"),
        (lambda: mean_interval([1.0, math.nan]), r"values\[1\] is nan: leave out"),
        (lambda: paired_t_test([1.0, 2.0], [1.0]), "second must be 2"),
        (lambda: paired_t_test([1.0, 2.0, 3.0], [1.0, 2.0]), "first has 3 values and second 2"),
        (lambda: sign_flip_test([math.inf, 2.0], [1.0, 2.0]), r"first\[0\] is inf"),
        (lambda: sign_flip_test(np.ones(21), np.ones(21)), "use paired_t_test"),
        (lambda: mcnemar_test([0.5, 1.0], [1.0, 1.0]), "whether each item is right"),
        (lambda: bootstrap_difference([1.0, 2.0], [1.0, 2.0], [1]), "1 groups for 2 items"),
        (lambda: bootstrap_difference([1.0, 2.0], [1.0, 2.0], [3, 3]), "two groups or more"),
        (lambda: holm([0.5, 1.2]), "within"),
        (lambda: holm([0.5, math.nan]), "within"),
    ],
)
def test_bad_values_are_refused_and_told_what_to_change(call, message):
    with pytest.raises(ValueError, match=message):
        call()
