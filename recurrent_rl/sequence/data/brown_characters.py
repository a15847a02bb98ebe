"""Brown characters: the next of 85 characters; a document is one stream, to be read in pieces with a carried state."""

from collections.abc import Sequence

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.brown import TEST, TRAIN, VALIDATION, Sentence, by_part, read_documents
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.task import Splits

SYMBOLS = 85


def load(seed: int = 0) -> Splits:
    """Return the streams of 400 / 50 / 50 documents, the same for each seed; see `streams`.

    Source: Francis and Kucera 1964, A Standard Corpus of Present-Day Edited American English.
    """
    return streams(read_documents())


def streams(documents: Sequence[list[Sentence]]) -> Splits:
    """Return a stream [T] int64 for each document, split by index: words parted by blanks, sentences ended by a new line.

    Characters are numbered in the order of their codes, those of training only. Groups are the documents.

    Raises:
        DataError: A character of validation or test is not in training.
    """
    parts = by_part(documents)
    numbers = {character: number for number, character in enumerate(_characters(parts[TRAIN]))}
    made = {part: _examples(texts, numbers) for part, texts in parts.items()}
    return Splits(made[TRAIN], made[VALIDATION], made[TEST])


def alphabet(documents: Sequence[list[Sentence]]) -> str:
    """Return the character of each symbol."""
    return "".join(_characters(by_part(documents)[TRAIN]))


def decode(symbols: Sequence[int], alphabet: str) -> str:
    """Return symbols as text."""
    return "".join(alphabet[symbol] for symbol in symbols)


def text_of(sentences: Sequence[Sentence]) -> str:
    """Return a document as text."""
    return "".join(" ".join(sentence.words) + "\n" for sentence in sentences)


def unigram_bits(train: Examples, test: Examples, symbols: int) -> float:
    """Return the bits per symbol of test streams under the frequencies of training, one added to each count.

    The first symbol of a stream is given, as in `NextStep`.
    """
    counts = np.bincount(np.concatenate([np.asarray(row) for row in train.inputs]), minlength=symbols) + 1
    wanted = np.concatenate([np.asarray(row)[1:] for row in test.inputs])
    return float(-np.mean(np.log2(counts / counts.sum())[wanted]))


def _characters(texts: Sequence[list[Sentence]]) -> list[str]:
    return sorted({character for sentences in texts for character in text_of(sentences)})


def _examples(texts: Sequence[list[Sentence]], numbers: dict[str, int]) -> Examples:
    return Examples(
        [_numbered(text_of(sentences), numbers) for sentences in texts], None, [t[0].document for t in texts]
    )


def _numbered(text: str, numbers: dict[str, int]) -> Array:
    if strange := set(text) - numbers.keys():
        raise DataError(f"A document has characters that training lacks: {sorted(strange)}.")
    return np.array([numbers[character] for character in text], dtype=np.int64)
