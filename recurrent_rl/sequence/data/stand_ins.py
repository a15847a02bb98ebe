"""Made-up data of the same types and shapes as the real ones, a few dozen sequences that can be learned, for tests.

No figure on them says anything about the real tasks.
"""

from collections.abc import Callable

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data import ecg5000, electricity, japanese_vowels, spoken_digits
from recurrent_rl.sequence.data.arts_stand_ins import ARTS_STAND_INS
from recurrent_rl.sequence.data.brown_characters import streams
from recurrent_rl.sequence.data.brown_tags import tagged
from recurrent_rl.sequence.data.electricity_table import Table
from recurrent_rl.sequence.data.made_text import documents
from recurrent_rl.sequence.data.text_stand_ins import TEXT_STAND_INS
from recurrent_rl.sequence.task import Splits


def stand_in(name: str, seed: int = 0) -> Splits:
    """Return made-up splits for a task on real data, the same for the same seed."""
    return STAND_INS[name](np.random.default_rng(seed))


def _japanese_vowels(rng: np.random.Generator) -> Splits:
    shapes = rng.normal(size=(japanese_vowels.CLASSES, 2, japanese_vowels.FEATURES))
    train, test = (_curves(rng, shapes, np.arange(count) % len(shapes), (7, 29)) for count in (54, 36))
    return japanese_vowels.official(train, test, japanese_vowels.HELD_OUT)


def _spoken_digits(rng: np.random.Generator) -> Splits:
    shapes = rng.normal(size=(spoken_digits.CLASSES, 2, spoken_digits.FEATURES))
    return spoken_digits.split(_curves(rng, shapes, np.arange(100) % len(shapes), (6, 40)))


def _ecg5000(rng: np.random.Generator) -> Splits:
    shapes = rng.normal(size=(ecg5000.CLASSES, 2, ecg5000.FEATURES))
    frequent = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4])
    train, test = (_curves(rng, shapes, np.tile(frequent, times), (140, 140)) for times in (4, 3))
    return ecg5000.official(train, test)


def _curves(rng: np.random.Generator, shapes: np.ndarray, labels: np.ndarray, lengths: tuple[int, int]) -> Examples:
    """Return noisy half-waves of two frequencies, with amplitudes [classes, 2, F] that tell the class."""
    inputs = []
    for label in labels:
        phase = np.linspace(0, np.pi, rng.integers(lengths[0], lengths[1] + 1))
        waves = np.stack([np.cos(phase), np.sin(phase)], axis=1)  # [T, 2]
        inputs.append((waves @ shapes[label] + 0.3 * rng.normal(size=(len(phase), shapes.shape[2]))).astype(np.float32))
    return Examples(inputs, labels.astype(np.int64))


def _electricity(rng: np.random.Generator) -> Splits:
    """Forty days: a wave for the day, lower at weekends, with a drift that lasts for hours."""
    rows = 40 * 48
    local = np.datetime64("2012-01-01T00:00") + 30 * np.arange(rows).astype("timedelta64[m]")
    day = 2 * np.pi * np.arange(rows) / 48
    weekend = np.isin((np.arange(rows) // 48) % 7, (0, 6))  # day 0 is a Sunday
    drift = np.convolve(rng.normal(size=rows + 23), np.ones(24) / 24**0.5, mode="valid")
    demand = 4700 - 900 * np.cos(day) - 800 * weekend + 100 * drift
    return electricity.windows(Table(demand, 15 - 5 * np.cos(day) + drift, np.zeros(rows), local))


STAND_INS: dict[str, Callable[[np.random.Generator], Splits]] = {
    "japanese-vowels": _japanese_vowels,
    "spoken-digits": _spoken_digits,
    "ecg5000": _ecg5000,
    "brown-tags": lambda rng: tagged(documents(rng)).splits,
    "brown-characters": lambda rng: streams(documents(rng)),
    "electricity": _electricity,
    **TEXT_STAND_INS,
    **ARTS_STAND_INS,
}
"""By the name of the task."""
