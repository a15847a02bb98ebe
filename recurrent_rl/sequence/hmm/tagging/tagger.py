"""A tagger of words by trigrams or bigrams of tags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recurrent_rl.memory.checks import require_between, require_one_of, require_whole
from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.hmm.tagging.counts import TagCounts, from_state
from recurrent_rl.sequence.hmm.tagging.lattice import best_paths
from recurrent_rl.sequence.hmm.tagging.ngrams import count_grams, interpolation, log_transitions
from recurrent_rl.sequence.hmm.tagging.words import Words, count_words, spread

_LARGEST_TABLE = 3e7
_BATCH = 64

Sentences = Sequence[Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class HMMTagger:
    """p(words, tags) ~ prod_t p(tag[t] | tag[t-1], tag[t-2]) p(tag[t] | word[t]) / p(tag[t]), and the boundary at the end.

    By Bayes' rule the last two factors are p(word[t] | tag[t]), up to a factor that is the same for all tags.

    Args:
        tags: Number of tags, K.
        order: 3 for trigrams of tags, 2 for bigrams.
        candidates: Most tags that are tried for a word, the likeliest of p(tag | word); the search is exact among them.
        ending_length: Longest ending by which new words are guessed.
        rare: Words that came at most so often teach the endings.
        theta: Weight of the shorter ending; None for the paper's, the standard deviation of the tags' probabilities, which
            on the Brown corpus is 0.02 and too little.
        guess_weight: How many counts the guess by the ending is worth for known words: 0 as in the paper, where a known word
            has only tags that it was seen with.

    Source: Brants 2000, TnT: A Statistical Part-of-Speech Tagger. Its states carry whether a word is capitalised too; ours
    do not, but shapes of words do, and of new words: more of them than there.
    """

    tags: int = 2
    order: int = 3
    candidates: int = 8
    ending_length: int = 5
    rare: int = 3
    theta: float | None = 1.0
    guess_weight: float = 0.5

    def __post_init__(self) -> None:
        require_whole(self, "tags", "candidates")
        require_whole(self, "ending_length", "rare", least=0)
        require_one_of(self, "order", (2, 3))
        require_between(self, "guess_weight", 0.0, float("inf"))
        if self.theta is not None:
            require_between(self, "theta", 0.0, float("inf"))
        if (self.tags + 1) ** self.order > _LARGEST_TABLE:
            raise ValueError(f"{self}: a table of trigrams of {self.tags} tags is too large; use order=2.")

    def build(self) -> "HMMTaggerModel":
        """Return a tagger without any counts, for `load_state_dict`."""
        return HMMTaggerModel(self)


class HMMTaggerModel:
    """Tables that are counted, so nothing is trained.

    Attributes:
        log_table: [K + 1] to the power of the order, log p(tag | those before), K the boundary.
        words: What words say.
    """

    log_table: NDArray[np.float64]
    words: Words

    def __init__(self, spec: HMMTagger) -> None:
        self.spec = spec

    def predict(self, sentences: Sentences) -> list[NDArray[np.int64]]:
        """Return the most likely tags [T] of each sentence.

        Raises:
            ValueError: A sentence is empty.
        """
        _check_sentences(sentences)
        index, tags, scores = self._candidates(sentences)
        found: dict[int, NDArray[np.int64]] = {}
        for chosen in _by_length(sentences):
            lengths = np.array([len(sentences[i]) for i in chosen])
            rows = np.zeros((lengths.max(), len(chosen)), dtype=np.int64)
            for column, i in enumerate(chosen):
                rows[: lengths[column], column] = [index[token] for token in _tokens(sentences[i])]
            paths = best_paths(self.log_table, tags[rows], scores[rows], lengths)
            found.update({i: paths[: lengths[column], column].copy() for column, i in enumerate(chosen)})
        return [found[i] for i in range(len(sentences))]

    def log_score(self, sentence: Sequence[str], tags: Sequence[int]) -> float:
        """Return log p(words, tags), up to what is the same for all tags."""
        boundary = self.spec.tags
        line = [*[boundary] * (self.spec.order - 1), *tags, boundary]
        runs = zip(*(line[start:] for start in range(self.spec.order)), strict=False)
        steps = sum(float(self.log_table[run]) for run in runs)
        return steps + float(self.word_scores(sentence)[np.arange(len(sentence)), list(tags)].sum())

    def word_scores(self, sentence: Sequence[str]) -> NDArray[np.float64]:
        """Return log p(tag | word) - log p(tag), [T, K]."""
        return np.stack([self._scores(token) for token in _tokens(sentence)])

    def state_dict(self) -> dict[str, Any]:
        """Return tensors, lists of strings and numbers."""
        counts = {"lexicon": self.words.lexicon.state(), "endings": self.words.endings.state()}
        arrays = {"log_table": torch.from_numpy(self.log_table), "tags": torch.from_numpy(self.words.tags)}
        return {**counts, **arrays, "theta": self.words.theta}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the tables that `state_dict` gave, of a tagger of the same spec."""
        table = state["log_table"].numpy()
        if table.shape != (self.spec.tags + 1,) * self.spec.order:
            raise ValueError(f"{self.spec} cannot load a table {list(table.shape)}: the tagger had another spec.")
        lexicon, endings = from_state(state["lexicon"]), from_state(state["endings"])
        self.log_table = table
        self.words = _words(self.spec, lexicon, endings, state["tags"].numpy(), float(state["theta"]))

    def _candidates(
        self, sentences: Sentences
    ) -> tuple[dict[tuple[str, bool], int], NDArray[np.int64], NDArray[np.float64]]:
        """Return rows of different words (and whether first), their candidates [U, C], the likeliest first, and scores."""
        index: dict[tuple[str, bool], int] = {}
        for sentence in sentences:
            for token in _tokens(sentence):
                index.setdefault(token, len(index))
        width = min(self.spec.candidates, self.spec.tags)
        tags, scores = np.empty((len(index), width), np.int64), np.empty((len(index), width))
        for (word, first), row in index.items():
            tags[row] = np.argsort(-self.words.probabilities(word, first), kind="stable")[:width]
            scores[row] = self._scores((word, first))[tags[row]]
        return index, tags, scores

    def _scores(self, token: tuple[str, bool]) -> NDArray[np.float64]:
        """Return log p(tag | word) - log p(tag), [K]; -inf for tags that never came."""
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.log(self.words.probabilities(*token)) - np.log(self.words.tags / self.words.tags.sum())
        return np.where(self.words.tags > 0, scores, -np.inf)


def fit_tagger(spec: HMMTagger, sentences: Sentences, tags: Sequence[Array]) -> HMMTaggerModel:
    """Return the tagger counted from tagged sentences.

    Args:
        spec: What to count.
        sentences: Words, as strings.
        tags: Of each sentence, [T] int64 below `spec.tags`.

    Raises:
        ValueError: A sentence is empty, or tags do not fit.
    """
    _check_sentences(sentences)
    _check_tags(spec, sentences, tags)
    model = spec.build()
    grams, counts = count_grams(tags, spec.tags, spec.order)
    model.log_table = log_transitions(grams, counts, interpolation(grams, counts), spec.tags)
    total = np.bincount(np.concatenate(list(tags)), minlength=spec.tags).astype(np.float64)
    lexicon, endings = count_words(sentences, tags, spec.tags, spec.rare, spec.ending_length)
    model.words = _words(spec, lexicon, endings, total, spread(total) if spec.theta is None else spec.theta)
    return model


def _words(spec: HMMTagger, lexicon: TagCounts, endings: TagCounts, total: NDArray[np.float64], theta: float) -> Words:
    return Words(lexicon, endings, total, theta, spec.guess_weight, spec.ending_length)


def _tokens(sentence: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield each word and whether it is the first."""
    return ((word, place == 0) for place, word in enumerate(sentence))


def _by_length(sentences: Sentences) -> Iterator[list[int]]:
    """Yield numbers of sentences in batches, the longest first."""
    order = sorted(range(len(sentences)), key=lambda index: -len(sentences[index]))
    return (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))


def _check_sentences(sentences: Sentences) -> None:
    if len(sentences) == 0:
        raise ValueError("There are no sentences: one at least is needed.")
    for index, sentence in enumerate(sentences):
        if isinstance(sentence, str) or len(sentence) == 0:
            raise ValueError(f"Sentence {index} must be a sequence of one word or more, not {sentence!r}.")


def _check_tags(spec: HMMTagger, sentences: Sentences, tags: Sequence[Array]) -> None:
    if len(tags) != len(sentences):
        raise ValueError(f"There are {len(sentences)} sentences but tags for {len(tags)}.")
    for index, (sentence, row) in enumerate(zip(sentences, tags, strict=True)):
        if len(row) != len(sentence):
            raise ValueError(f"Sentence {index} has {len(sentence)} words but {len(row)} tags.")
        if row.min() < 0 or row.max() >= spec.tags:
            raise ValueError(f"Tags of sentence {index} must be from 0 to {spec.tags - 1} (tags={spec.tags}).")
