"""Chords as a MIDI file, to be heard or read by a notation program."""

from pathlib import Path

import numpy as np

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.data.music_xml import LOWEST, NOTES
from recurrent_rl.sequence.data.optional import optional

TICKS, LOUDNESS = 480, 64  # of a quarter note; of all notes, from 0 to 127


def write_midi(path: str | Path, roll: Array, quarters_per_minute: float = 80.0) -> None:
    """Write which notes sound at each quarter.

    A note that sounds at successive quarters is held: a roll does not tell whether it was struck again.

    Args:
        path: Of the file, for example "chorale.mid".
        roll: [T, 88] of 0 and 1, the piano's keys from the lowest on.
        quarters_per_minute: How fast it is played.

    Raises:
        DataError: The package mido is not installed.
        ValueError: The roll has another shape, or no step.
    """
    mido = optional("mido", "mido", "A MIDI file")
    sounding = np.asarray(roll, dtype=np.float64) > 0.5
    if sounding.ndim != 2 or sounding.shape[1] != NOTES or len(sounding) == 0:
        raise ValueError(f"roll must be [T, {NOTES}] with a step at least, not {list(sounding.shape)}.")
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(quarters_per_minute))])
    now = 0
    for step, key, begins in changes(sounding):
        kind = "note_on" if begins else "note_off"
        track.append(mido.Message(kind, note=LOWEST + key, velocity=LOUDNESS, time=(step - now) * TICKS))
        now = step
    mido.MidiFile(tracks=[track], ticks_per_beat=TICKS).save(str(path))


def changes(sounding: Array) -> list[tuple[int, int, bool]]:
    """Return quarter, key, and whether it begins or ends, of each note [T, keys] bool; at one quarter ends come first."""
    silence = np.zeros_like(sounding[:1])
    steps, keys = np.nonzero(np.diff(np.concatenate([silence, sounding, silence]).astype(np.int8), axis=0))
    padded = np.concatenate([sounding, silence])
    found = [(int(step), int(key), bool(padded[step, key])) for step, key in zip(steps, keys, strict=True)]
    return sorted(found, key=lambda change: (change[0], change[2]))
