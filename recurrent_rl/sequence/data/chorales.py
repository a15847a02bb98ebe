"""Chorales of J. S. Bach, a step for each quarter note: which of a piano's 88 notes sound next?

The 371 of Riemenschneider's edition are 350 pieces, some of which set the same tune. Pieces of one tune stay in one part.
The usual split is of 382 chorales and another one, so its published figures are context only.

Of a score its soprano, alto, tenor and bass are read. As in the usual data the pieces are not transposed, a held note is
like one that is struck again, and what lies between two quarters is not heard.
"""

import json
from itertools import combinations
from pathlib import Path

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.archive import read_members
from recurrent_rl.sequence.data.arts_entries import CHORALES
from recurrent_rl.sequence.data.cut import Cut, first_of_equals, splits_of
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.music_xml import LOWEST, NOTES, Note, piano_roll, read_score, voices
from recurrent_rl.sequence.task import Splits

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
PHRASE, SHARED = 5, 0.4
"""Intervals in a row, and the share of those of the shorter tune that two tunes have in common if they are the same."""
CUT = Cut(validation=0.2, test=0.2, seed=0)


def load(seed: int = 0) -> Splits:
    """Return 208 / 70 / 71 chorales [T, 88] float32 of 0 and 1, the same for each seed; groups are tunes.

    Source: scores of the corpus of music21; steps and notes as in Boulanger-Lewandowski et al. 2012, Modeling Temporal
    Dependencies in High-Dimensional Sequences.
    """
    return split([voices(read_score(score), VOICES) for score in read_members(CHORALES, CHORALES.members).values()])


def split(scores: list[list[list[Note]]]) -> Splits:
    """Return splits of scores, the voices of each, that share no tune; pieces that equal an earlier one are left out."""
    rolls = [piano_roll(parts) for parts in scores]
    tunes = np.array(same_tunes([intervals(parts[0]) for parts in scores]))
    chosen = first_of_equals(rolls)
    examples = Examples([rolls[index] for index in chosen], None, tunes[chosen])
    return splits_of(examples, CUT.by_group(tunes[chosen]))


def intervals(voice: list[Note]) -> tuple[int, ...]:
    """Return the steps of a voice from quarter to quarter, in semitones, without those that stay: the same in any key."""
    heard = [np.flatnonzero(row)[-1] for row in piano_roll([voice]) if row.any()]
    return tuple(int(step) for step in np.diff(heard) if step != 0)


def same_tunes(tunes: list[tuple[int, ...]]) -> list[int]:
    """Return for each tune the number of the first one that it is the same as, by way of others between if need be."""
    phrases = [{tune[start : start + PHRASE] for start in range(len(tune) - PHRASE + 1)} for tune in tunes]
    first = list(range(len(tunes)))
    for one, other in combinations(range(len(tunes)), 2):
        shorter = min(len(phrases[one]), len(phrases[other]))
        if shorter and len(phrases[one] & phrases[other]) >= SHARED * shorter and first[one] != first[other]:
            low, high = sorted((first[one], first[other]))
            first = [low if number == high else number for number in first]
    return first


def from_json(path: str | Path) -> Splits:
    """Return the usual split from its JSON file: {"train": [[[60, 64, 67], ...], ...], "valid": ..., "test": ...}.

    A chord is a list of MIDI numbers from 21 to 108, a piece one of chords, a step a quarter note. Such files go round by
    the name of jsb-chorales-quarter.json; on them the figures of Bai et al. compare.

    Raises:
        DataError: It is no JSON, a part is missing, something is no MIDI number, or a piece has fewer than two chords.
    """
    try:
        content = json.loads(Path(path).read_text())
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}") from error
    parts = []
    for name in ("train", "valid", "test"):
        if not isinstance(content, dict) or name not in content:
            has = ", ".join(content) if isinstance(content, dict) else "a " + type(content).__name__
            raise DataError(f"{path} has no part {name}; it has {has}.")
        parts.append(Examples([_roll(f"{path}, {name} {number}", piece) for number, piece in enumerate(content[name])]))
    return Splits(*parts)


def _roll(name: str, piece: list[list[int]]) -> Array:
    if len(piece) < 2:
        raise DataError(f"{name} has fewer than two chords.")
    roll = np.zeros((len(piece), NOTES), dtype=np.float32)
    for step, chord in enumerate(piece):
        if not isinstance(chord, list):
            raise DataError(f"{name} has {chord!r} at step {step}, where a list of notes should be, empty for a rest.")
        for note in chord:
            if note not in range(LOWEST, LOWEST + NOTES):
                raise DataError(f"{name} has the note {note} at step {step}; notes are whole numbers from 21 to 108.")
            roll[step, int(note) - LOWEST] = 1
    return roll
