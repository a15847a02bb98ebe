"""A MIDI file has the notes of the roll, held as long as they sound."""

import sys

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.midi import LOWEST, NOTES, TICKS, changes, write_midi


def roll(*notes, steps=6):
    """Of (key, first quarter, quarters)."""
    made = np.zeros((steps, NOTES), dtype=np.float32)
    for key, first, length in notes:
        made[first : first + length, key] = 1
    return made


def read(path):
    """(key, first quarter, quarters) of each note of a file."""
    mido = pytest.importorskip("mido")
    now, begun, found = 0, {}, []
    for message in mido.MidiFile(path).tracks[0]:
        now += message.time
        if message.type == "note_on":
            assert message.note not in begun
            begun[message.note] = now
        elif message.type == "note_off":
            first = begun.pop(message.note)
            found.append((message.note - LOWEST, first / TICKS, (now - first) / TICKS))
    assert not begun
    return sorted(found)


def test_a_note_is_held_while_it_sounds_and_struck_again_after_a_rest(tmp_path):
    notes = [(0, 0, 6), (39, 1, 2), (39, 4, 1), (87, 5, 1)]
    write_midi(tmp_path / "it.mid", roll(*notes))
    assert read(tmp_path / "it.mid") == sorted(notes)


def test_of_random_rolls_every_note_is_there(tmp_path):
    made = (np.random.default_rng(0).random((20, NOTES)) < 0.2).astype(np.float32)
    write_midi(tmp_path / "it.mid", made)
    found = np.zeros_like(made)
    for key, first, length in read(tmp_path / "it.mid"):
        found[int(first) : int(first + length), key] += 1
    np.testing.assert_array_equal(found, made)


def test_at_one_quarter_notes_end_before_others_begin():
    assert changes(np.array([[True, False], [False, True]])) == [
        (0, 0, True),
        (1, 0, False),
        (1, 1, True),
        (2, 1, False),
    ]


def test_the_speed_is_that_which_was_asked_for(tmp_path):
    mido = pytest.importorskip("mido")
    write_midi(tmp_path / "it.mid", roll((10, 0, 6)), quarters_per_minute=120)
    assert mido.MidiFile(tmp_path / "it.mid").length == pytest.approx(3.0)


@pytest.mark.parametrize("made", [np.zeros((4, 12)), np.zeros((0, NOTES)), np.zeros(NOTES)])
def test_what_is_no_roll_is_refused(made, tmp_path):
    with pytest.raises(ValueError, match=r"roll must be \[T, 88\]"):
        write_midi(tmp_path / "it.mid", made)


def test_a_missing_package_is_said_with_the_cure(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(DataError, match="pip install mido"):
        write_midi(tmp_path / "it.mid", roll())
