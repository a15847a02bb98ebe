"""Intervals and tests for tables of results: over seeds, and over the items of a test set.

Values over seeds are few, so their intervals are Student's, and pairs are compared by a t test or by all flips of signs.
Items are many, but seldom independent: the steps of a sequence belong together, and `groups` keeps them so. (For a p-value
over groups give their means to `paired_t_test`.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

Values = Sequence[float] | NDArray[np.generic]
Floats = NDArray[np.float64]

MOST_FLIPPED = 20  # pairs; 2^20 sums are 8 MB at a time and take a second
RESOLUTION = 1e-9  # of a sum, relative: sums this near are one, in whatever order they were added
SMALLEST_STEP = 1e-15
NUMBERS_AT_A_TIME = 2**20


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """What pairs say about the difference first - second.

    Args:
        difference: Its mean, with an interval.
        effect: The mean over the standard deviation of the differences; infinite where all are the same but not zero.
        p_value: Of no difference, on both sides.
        pairs: How many there are.
    """

    difference: Interval
    effect: float
    p_value: float
    pairs: int


def mean_interval(values: Values, level: float = 0.95) -> Interval:
    """Return the mean of values [n] with Student's interval.

        mean +- t s / sqrt(n)      s^2 = sum_i (x_i - mean)^2 / (n - 1),  t the (1 + level) / 2 quantile at n - 1 degrees

    Raises:
        ValueError: There are fewer than two values, or one is not finite.

    Source: Student 1908, The Probable Error of a Mean.
    """
    rows = _finite("values", values, least=2)
    mean, error = float(rows.mean()), float(rows.std(ddof=1)) / math.sqrt(len(rows))
    reach = student_quantile((1 + level) / 2, len(rows) - 1) * error
    return Interval(mean, mean - reach, mean + reach)


def paired_t_test(first: Values, second: Values, level: float = 0.95) -> Comparison:
    """Return the paired t test of two models, over the same seeds or the same items, [n] each.

        d_i = first_i - second_i,   t = mean(d) sqrt(n) / s,   p = P(|T| >= |t|),  T Student's at n - 1 degrees

    Where all differences are the same, p is 1 if they are zero and 0 if not.

    Raises:
        ValueError: There are fewer than two pairs, a value without its pair, or one that is not finite.
    """
    differences = _differences(first, second)
    interval, spread = mean_interval(differences, level), float(differences.std(ddof=1))
    effect = 0.0 if interval.mean == 0 else math.copysign(math.inf, interval.mean)
    effect = interval.mean / spread if spread > 0 else effect
    pairs = len(differences)
    return Comparison(interval, effect, student_tails(effect * math.sqrt(pairs), pairs - 1), pairs)


def sign_flip_test(first: Values, second: Values) -> float:
    """Return the exact p-value of no difference between pairs, on both sides.

        p = #{s in {-1, 1}^n: |sum_i s_i d_i| >= |sum_i d_i|} / 2^n          d_i = first_i - second_i

    It asks only that differences are as likely as their opposites. It is at least 2 / 2^n: with five pairs never below
    0.0625, so that six are needed for the usual 0.05.

    Raises:
        ValueError: There are fewer than two pairs or more than 20, a value without its pair, or one that is not finite.

    Source: Fisher 1935, The Design of Experiments (section 21).
    """
    differences = _differences(first, second)
    if len(differences) > MOST_FLIPPED:
        raise ValueError(
            f"{len(differences)} pairs have too many sign flips to try all, {MOST_FLIPPED} at most: use paired_t_test."
        )
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    least = abs(differences.sum()) - RESOLUTION * np.abs(differences).sum()
    return float(np.mean(np.abs(sums) >= least))


def mcnemar_test(first: Values, second: Values) -> float:
    """Return the exact p-value of two classifiers being right equally often, from whether each is right on item i, [n].

    Only items on which one alone is right count; under no difference each of the two is as likely to be that one:

        p = min(1, 2 P(X <= min(b, c))),   X binomial of b + c tries at 1/2;   1 if there are none

    Items must be independent: for steps of sequences use bootstrap_difference with groups.

    Raises:
        ValueError: An item has no pair, or something else than 0 and 1 (False and True) is there.

    Source: McNemar 1947, Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages.
    """
    differences = _differences(first, second, least=1)
    if not np.isin([*first, *second], (0, 1)).all():
        raise ValueError("mcnemar_test wants whether each item is right, 0 or 1; for other scores use paired_t_test.")
    better, worse = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    fewer, more = min(better, worse), max(better, worse)
    if fewer == more:
        return 1.0
    return min(1.0, 2 * incomplete_beta(0.5, more, fewer + 1))


def bootstrap_difference(
    first: Values, second: Values, groups: Values | None = None, *, draws: int = 10_000, seed: int = 0
) -> Interval:
    """Return the mean difference first - second over items [n], with the 95% interval of the percentile bootstrap.

    Items are drawn anew in pairs, or whole groups of them at once: then a draw's mean is over the items that it has. Without
    groups there should be some dozens of items, with groups as many of these; of fewer the interval is too narrow.

    Args:
        first: Scores of the one model, [n].
        second: Of the other, on the same items.
        groups: [n], the sequence, document or speaker of each item; None where items are independent.
        draws: How many samples to draw.
        seed: Of the draws.

    Raises:
        ValueError: There are fewer than two items or groups, a value without its pair, or one that is not finite.

    Source: Efron 1979, Bootstrap Methods: Another Look at the Jackknife.
    """
    differences = _differences(first, second)
    names = np.arange(len(differences)) if groups is None else np.asarray(groups)
    if len(names) != len(differences):
        raise ValueError(f"There are {len(names)} groups for {len(differences)} items: give one for each.")
    where = np.unique(names, return_inverse=True)[1].reshape(-1)
    sums, sizes = (np.bincount(where, weights).astype(np.float64) for weights in (differences, np.ones(len(where))))
    if len(sums) < 2:
        raise ValueError("A bootstrap needs two groups or more, and all items are of one.")
    low, high = np.quantile(_drawn_means(sums, sizes, draws, np.random.default_rng(seed)), [0.025, 0.975])
    return Interval(float(differences.mean()), float(low), float(high))


def holm(p_values: Values) -> list[float]:
    """Return p-values adjusted for their number, in the order given: the family's chance of a false alarm is what each says.

    With p sorted, p_(1) <= ... <= p_(m):

        adjusted_(i) = min(1, max_{j <= i} (m - j + 1) p_(j))

    Raises:
        ValueError: A value is not within [0, 1].

    Source: Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
    """
    values = np.asarray(p_values, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"holm wants p-values within [0, 1], not {list(p_values)}.")
    order, adjusted = np.argsort(values, kind="stable"), np.empty_like(values)
    scaled = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return adjusted.tolist()


def student_tails(t: float, degrees: float) -> float:
    """Return P(|T| >= |t|) of Student's T, I_x(degrees / 2, 1 / 2) at x = degrees / (degrees + t^2)."""
    return 0.0 if math.isinf(t) else incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def student_quantile(probability: float, degrees: float) -> float:
    """Return q with P(T <= q) = probability, of Student's T; probability within (0, 1), by halving an interval."""
    if not 0 < probability < 1:
        raise ValueError(f"probability must be above 0 and below 1, not {probability!r}.")
    if probability < 0.5:
        return -student_quantile(1 - probability, degrees)
    tails, low, high = 2 * (1 - probability), 0.0, 1.0
    while student_tails(high, degrees) > tails:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if student_tails(middle, degrees) > tails else (low, middle)
    return high


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), by its continued fraction.

    Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions (26.5.8); summed as Lentz 1976 does.
    """
    if x <= 0 or x >= 1:
        return float(x > 0)
    if x > (a + 1) / (a + b + 2):  # there the fraction converges slowly
        return 1.0 - incomplete_beta(1 - x, b, a)
    scale = a * math.log(x) + b * math.log1p(-x) - math.log(a)
    scale += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(scale) / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 / (1 + d2 / (1 + ...)) of the incomplete beta function."""
    value = upper = 1.0
    lower = 0.0
    for step in count(1):
        m = step // 2
        if step % 2:
            term = -x * (a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = x * m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
        lower, upper = 1 / (1 + term * lower), 1 + term / upper
        value *= upper * lower
        if abs(upper * lower - 1) < SMALLEST_STEP:
            break
    return value


def _differences(first: Values, second: Values, least: int = 2) -> Floats:
    """Return first - second [n], checked."""
    one, other = _finite("first", first, least), _finite("second", second, least)
    if len(one) != len(other):
        raise ValueError(f"first has {len(one)} values and second {len(other)}: give both of each pair.")
    return one - other


def _finite(name: str, values: Values, least: int) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 1 or len(rows) < least:
        raise ValueError(f"{name} must be {least} values or more in a row, not of shape {rows.shape}.")
    if not np.isfinite(rows).all():
        place = int(np.argmin(np.isfinite(rows)))
        raise ValueError(
            f"{name}[{place}] is {rows[place]}: leave out what failed, or give it the worst score there is."
        )
    return rows


def _drawn_means(sums: Floats, sizes: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Return the mean over the items of as many groups drawn as there are, [draws]; a block of draws at a time."""
    groups, means = len(sums), []
    block = max(1, NUMBERS_AT_A_TIME // groups)
    for start in range(0, draws, block):
        drawn = rng.integers(groups, size=(min(block, draws - start), groups))
        means.append(sums[drawn].sum(1) / sizes[drawn].sum(1))
    return np.concatenate(means)
