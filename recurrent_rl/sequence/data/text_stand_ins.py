"""Made-up texts of the same types and shapes as the real ones, that can be learned, for tests.

No figure on them says anything about the real tasks.
"""

from collections.abc import Callable, Sequence

import numpy as np

from recurrent_rl.sequence.data import movie_reviews, pronunciations, reuters, tweet_entities
from recurrent_rl.sequence.data.labelled_texts import Text
from recurrent_rl.sequence.data.tweet_entities import TAGS, Tweet
from recurrent_rl.sequence.task import Splits

_FILLERS = ("the", "a", "of", "and", "it", "was", "in", "that", "for", "said", "will", "be")
_VERDICTS = (("dull", "weak", "bad", "boring"), ("fine", "great", "moving", "bright"))
_SPELLINGS = {
    "sh": "SH", "th": "TH", "a": "AE", "e": "EH", "i": "IH", "o": "AA", "b": "B", "d": "D", "g": "G", "k": "K",
    "l": "L", "m": "M", "n": "N", "s": "S", "t": "T",
}  # fmt: skip
_VOWELS, _CONSONANTS = ("a", "e", "i", "o"), ("sh", "th", "b", "d", "g", "k", "l", "m", "n", "s", "t")


def _topics(rng: np.random.Generator) -> Splits:
    """Texts of fillers with words of their topic among them."""
    keys = [tuple(f"{topic}-{number}" for number in range(3)) for topic in reuters.TOPICS]
    train, test = ([_text(rng, keys[label], label) for label in _in_turn(8, count)] for count in (160, 40))
    return reuters.official(train, test).splits


def _in_turn(labels: int, count: int) -> list[int]:
    return [number % labels for number in range(count)]


def _text(rng: np.random.Generator, keys: Sequence[str], label: int) -> Text:
    words = [*rng.choice(keys, size=3), *rng.choice(_FILLERS, size=rng.integers(5, 20))]
    return Text(tuple(str(word) for word in rng.permutation(words)), label)


def _reviews(kind: movie_reviews.Kind) -> Callable[[np.random.Generator], Splits]:
    """Return what makes texts with a word of a verdict, which `not` before it turns around."""

    def make(rng: np.random.Generator) -> Splits:
        texts = [_review(rng, label) for label in _in_turn(2, 400)]
        return movie_reviews.split(texts, kind).splits

    return make


def _review(rng: np.random.Generator, label: int) -> Text:
    turned = bool(rng.random() < 0.2)
    verdict = (["not"] if turned else []) + [str(rng.choice(_VERDICTS[label ^ turned]))]
    before, after = (list(map(str, rng.choice(_FILLERS, size=rng.integers(2, 6)))) for _ in range(2))
    return Text((*before, *verdict, *after), label)


def _tweets(rng: np.random.Generator) -> Splits:
    return tweet_entities.split([_tweet(rng) for _ in range(200)]).splits


def _tweet(rng: np.random.Generator) -> Tweet:
    """Return fillers with a name of one or two words, whose beginning tells its type, in two tweets of three."""
    words = list(map(str, rng.choice(_FILLERS, size=rng.integers(4, 10))))
    tags = ["O"] * len(words)
    if rng.random() < 2 / 3:
        name, length, place = rng.choice(tweet_entities.TYPES), rng.integers(1, 3), rng.integers(len(words))
        words[place:place] = [f"{name[:3].capitalize()}{rng.integers(4)}" for _ in range(length)]
        tags[place:place] = [f"B-{name}", f"I-{name}"][:length]
    return Tweet(tuple(words), tuple(TAGS.index(tag) for tag in tags))


def _sounds(rng: np.random.Generator) -> Splits:
    """Words of two or three syllables; of one in ten the last phone may be left out."""
    said: dict[str, list[tuple[str, ...]]] = {}
    while len(said) < 300:
        pieces = [str(rng.choice(kind)) for _ in range(rng.integers(2, 4)) for kind in (_CONSONANTS, _VOWELS)]
        way = tuple(_SPELLINGS[piece] for piece in pieces)
        said["".join(pieces)] = [way, way[:-1]] if rng.random() < 0.1 else [way]
    return pronunciations.split(said, 300)


TEXT_STAND_INS: dict[str, Callable[[np.random.Generator], Splits]] = {
    "reuters-r8": _topics,
    "movie-reviews": _reviews(movie_reviews.SHORT),
    "movie-reviews-long": _reviews(movie_reviews.LONG),
    "tweet-entities": _tweets,
    "spelling-to-sound": _sounds,
}
"""By the name of the task."""
