"""The real data by the name of the task, for the command line's border."""

from collections.abc import Callable

from recurrent_rl.sequence.data import (
    brown_characters,
    brown_tags,
    ecg5000,
    electricity,
    japanese_vowels,
    spoken_digits,
)
from recurrent_rl.sequence.task import Splits

LOADERS: dict[str, Callable[[int], Splits]] = {
    "japanese-vowels": japanese_vowels.load,
    "spoken-digits": spoken_digits.load,
    "ecg5000": ecg5000.load,
    "brown-tags": brown_tags.load,
    "brown-characters": brown_characters.load,
    "electricity": electricity.load,
}
"""Each returns the splits of a seed, the same for all; the archive must be in the cache."""
