"""The tasks on music, films, genes and motion, besides those of `real`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from recurrent_rl.sequence.chords import NextChord
from recurrent_rl.sequence.data import chorales as chorale_data
from recurrent_rl.sequence.data import music_xml, physiotherapy, splice, video
from recurrent_rl.sequence.problems import Classification
from recurrent_rl.sequence.task import Anchor, Splits, Task

_BAI = {"RNN": 8.91, "LSTM": 8.45, "GRU": 8.43, "TCN": 8.10}
CHORDS = 64
"""Of the mixture that all networks give: the four voices are not independent, and a hidden Markov model knows that."""

_FLOORS = (
    Anchor("floor", 11.167, "frequencies of the notes in training"),
    Anchor("last chord", 10.487, "each note by whether it was there one step before, counted in training"),
)


def chorales(path: str | Path | None = None) -> Task:
    """Return Bach's chorales: the notes of the next quarter. See `data.chorales`.

    Args:
        path: A JSON file of the usual split, on which the published figures compare, with independent notes as theirs; None
            for our own, with a mixture of chords.
    """
    usual = path is not None
    anchors = (
        *([] if usual else _FLOORS),
        *(Anchor(name, value, "Bai et al. 2018, table 1", comparable=usual) for name, value in _BAI.items()),
        # Their code leaves out notes that training never has, and divides by all chords, the first ones too.
        Anchor("HMM", 8.28, "Obermeyer et al. 2019, Tensor Variable Elimination", comparable=False),
    )
    load = chorale_data.load if path is None else partial(_from_json, path)
    problem = NextChord(music_xml.NOTES, components=1 if usual else CHORDS)
    return Task("chorales", "music", problem, "nats", False, load, features=music_xml.NOTES, anchors=anchors)


def _from_json(path: str | Path, seed: int) -> Splits:
    return chorale_data.from_json(path)


def bikes() -> Task:
    """Return bikes: the next frame of a film of cyclists and traffic. See `data.video`."""
    problem = video.bikes_problem()
    anchors = (Anchor("copy", 0.001305, "the last frame; .00235 over the whole film, .00384 with its cuts"),)
    return Task("bikes", "video", problem, "mse", False, video.load_bikes, features=problem.input_size, anchors=anchors)


def carphone() -> Task:
    """Return carphone: the next frame of a film of a man in a car. See `data.video`."""
    problem, load = video.carphone_problem(), video.load_carphone
    anchors = (Anchor("copy", 0.0000970, "the last frame; .000187 over the whole film"),)
    return Task("carphone", "video", problem, "mse", False, load, features=problem.input_size, anchors=anchors)


def splice_sites() -> Task:
    """Return splice sites: donor, acceptor or neither? See `data.splice`."""
    source = "notes of the UCI archive, ten-fold cross-validation, classes weighed"
    anchors = (
        Anchor("floor", 55.0, "the most frequent kind"),
        Anchor("each place by itself", 94.17, "naive Bayes, counted in training"),
        Anchor("ID3", 89.4, source, comparable=False),
        Anchor("perceptron, one hidden layer", 93.2, source, comparable=False),
        Anchor("KBANN", 93.7, source, comparable=False),
    )
    return Task(
        "splice", "genomics", Classification(splice.CLASSES), "accuracy", True, splice.load,
        symbols=splice.SYMBOLS, anchors=anchors,
    )  # fmt: skip


def exercises() -> Task:
    """Return physiotherapy: which of seven exercises, by people not heard of in training? See `data.physiotherapy`."""
    anchors = (Anchor("floor", 14.3, "any of seven"),)
    return Task(
        "physiotherapy", "motion", Classification(physiotherapy.CLASSES), "accuracy", True, physiotherapy.load,
        features=physiotherapy.FEATURES, anchors=anchors,
    )  # fmt: skip


ARTS: dict[str, Callable[[], Task]] = {
    "chorales": chorales,
    "bikes": bikes,
    "carphone": carphone,
    "splice": splice_sites,
    "physiotherapy": exercises,
}
"""By name; the same names as in `data.arts_entries`, which tells where the data come from."""
