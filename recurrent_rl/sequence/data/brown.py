"""The Brown corpus: 500 documents of tagged sentences, split by document.

A document of the package is lines of word/tag pairs parted by blanks; a line is a sentence, and many are empty:

    The/at Fulton/np-tl County/nn-tl Grand/jj-tl Jury/nn-tl said/vbd ...
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recurrent_rl.sequence.data.archive import read_members
from recurrent_rl.sequence.data.manifest import BROWN

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True)
class Sentence:
    """Words with a simplified tag each, and the index of the document that they stand in."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    document: int


def read_documents() -> list[list[Sentence]]:
    """Return the corpus's 500 documents, from the cache."""
    contents = read_members(BROWN, BROWN.members).values()
    return [parse(content.decode(), number) for number, content in enumerate(contents)]


def parse(text: str, document: int) -> list[Sentence]:
    """Return the sentences of a document; the last slash parts a word from its tag."""
    sentences = []
    for line in text.splitlines():
        pairs = [pair.rpartition("/") for pair in line.split()]
        if pairs:
            words, tags = tuple(pair[0] for pair in pairs), tuple(simplified(pair[2]) for pair in pairs)
            sentences.append(Sentence(words, tags, document))
    return sentences


def part_of(document: int) -> str:
    """Return the part of a document by its index: of ten the last is test, the one before it validation."""
    return {9: TEST, 8: VALIDATION}.get(document % 10, TRAIN)


def by_part(documents: Sequence[list[Sentence]]) -> dict[str, list[list[Sentence]]]:
    """Return the documents of each part."""
    return {
        part: [sentences for number, sentences in enumerate(documents) if part_of(number) == part]
        for part in (TRAIN, VALIDATION, TEST)
    }


def simplified(tag: str) -> str:
    """Return a tag without what it says beyond the part of speech; 92 of 472 remain.

    fw-in+nn-tl becomes in: without fw- (foreign), -tl, -hl, -nc (title, headline, cited), without the second part of
    a contraction after +, and without the * of a contracted `not`, unless the tag is nothing else.
    """
    tag = tag.removeprefix("fw-").split("+")[0]
    while tag.endswith(("-tl", "-hl", "-nc")):
        tag = tag[:-3]
    return tag if tag == "*" else tag.removesuffix("*")
