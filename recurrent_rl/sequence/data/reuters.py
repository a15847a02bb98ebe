"""Reuters R8: which of eight topics is a newswire about? The first 100 words are read, the title before the text."""

from collections.abc import Sequence

from recurrent_rl.sequence.data.archive import read_members
from recurrent_rl.sequence.data.cut import hold_out
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.labelled_texts import Labelled, Text, first_of_equals, labelled
from recurrent_rl.sequence.data.text_entries import REUTERS
from recurrent_rl.sequence.task import Splits

TOPICS = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
CLASSES = len(TOPICS)
SYMBOLS = 8_851
"""Of the inputs: the words that training holds at least LEAST times, and the unknown one."""

WORDS = 100
"""That are read of a text, its first ones; half of the texts have 66 or fewer."""

LEAST = 2
HELD_OUT = 0.1
"""Of training, for validation."""

HEADER_ROWS = 3


def load(seed: int = 0) -> Splits:
    """Return the newswires, the same for each seed; see `load_topics`."""
    return load_topics().splits


def load_topics() -> Labelled:
    """Return newswires: inputs [T] int64 below SYMBOLS, T at most WORDS, and the topic's number.

    The official test is whole. Of training, texts of which the same words stand in the test, or before in training, are
    left out; a tenth of each topic is validation, chosen by a fixed seed.

    Source: Cardoso-Cachopo 2007, Improving Methods for Single-label Text Categorization, of Lewis 1997, Reuters-21578.
    """
    train, test = (parse(content.decode()) for content in read_members(REUTERS, REUTERS.members).values())
    return official(train, test)


def official(train: Sequence[Text], test: Sequence[Text]) -> Labelled:
    """Return an official test, and its training without repetitions in two parts."""
    distinct = first_of_equals(train, {text.words for text in test})
    kept, held = hold_out([text.label for text in distinct], HELD_OUT, seed=0)
    return labelled([distinct[i] for i in kept], [distinct[i] for i in held], test, TOPICS, LEAST)


def parse(text: str) -> list[Text]:
    """Return the texts of a table with three header rows: the topic, a tab, and words parted by blanks.

    Raises:
        DataError: A row has not two columns, or a topic that is not one of the eight.
    """
    numbers, found = {topic: number for number, topic in enumerate(TOPICS)}, []
    for row, line in enumerate(text.splitlines()[HEADER_ROWS:], start=HEADER_ROWS + 1):
        if not line.strip():
            continue
        topic, tab, words = line.partition("\t")
        if not tab or topic not in numbers:
            raise DataError(f"Row {row} is not one of {', '.join(TOPICS)}, a tab, and words: {line[:40]!r}.")
        found.append(Text(tuple(words.split()[:WORDS]), numbers[topic]))
    return found
