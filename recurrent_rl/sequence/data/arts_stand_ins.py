"""Made-up music, films, genes and motions of the same types and shapes as the real ones, for tests."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data import chorales, physiotherapy, splice, video
from recurrent_rl.sequence.data.music_xml import Note
from recurrent_rl.sequence.task import Splits

TUNE = 6
"""Quarters after which a made-up chorale repeats itself."""


def _chorales(rng: np.random.Generator) -> Splits:
    """A tune of six notes again and again, a voice an octave below, and one that holds on."""
    return chorales.split([_piece(rng, steps) for steps in rng.integers(12, 24, size=30)])


def _piece(rng: np.random.Generator, steps: int) -> list[list[Note]]:
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76])
    tune = np.resize(scale[rng.permutation(len(scale))[:TUNE]], steps)
    return [_voice(tune), _voice(tune - 12), _voice(np.full(steps, 45))]


def _voice(pitches: Array) -> list[Note]:
    return [Note(int(pitch), Fraction(step), Fraction(step + 1)) for step, pitch in enumerate(pitches)]


def _film(rng: np.random.Generator) -> Splits:
    """A hundred frames of a bright square that goes round a dark frame, a pixel at each step."""
    frames = np.full((100, video.SIDE, video.SIDE), 0.1, dtype=np.float32)
    frames[:, rng.integers(video.SIDE - 8) :][:, :8, :8] = 0.9
    moved = [np.roll(frame, step, axis=1) for step, frame in enumerate(frames)]
    return video.clips(np.stack(moved).reshape(len(moved), video.PIXELS))


def _splice(rng: np.random.Generator) -> Splits:
    """Random nucleotides, with GT behind the middle of donors and AG before that of acceptors."""
    labels = np.arange(120) % splice.CLASSES
    strands = rng.integers(len(splice.NUCLEOTIDES), size=(len(labels), splice.STEPS))
    middle = splice.STEPS // 2
    strands[labels == 0, middle : middle + 2] = [splice.NUCLEOTIDES.index(letter) for letter in "GT"]
    strands[labels == 1, middle - 2 : middle] = [splice.NUCLEOTIDES.index(letter) for letter in "AG"]
    return splice.split(Examples(list(splice.at_places(strands)), labels))


def _physiotherapy(rng: np.random.Generator) -> Splits:
    """Waves along a direction for each exercise, of a height for each person."""
    directions = rng.normal(size=(physiotherapy.CLASSES, physiotherapy.FEATURES))
    labels, subjects = np.tile(np.arange(physiotherapy.CLASSES), 10), np.repeat(np.arange(10), physiotherapy.CLASSES)
    inputs = []
    for label, subject in zip(labels, subjects, strict=True):
        time = np.arange(rng.integers(300, 500)) / 50  # seconds
        wave = (1 + 0.05 * subject) * np.abs(np.sin(2 * np.pi * 0.3 * time))[:, None] * directions[label]
        inputs.append(physiotherapy.coarser(wave + 0.2 * rng.normal(size=wave.shape)))
    return physiotherapy.split(Examples(inputs, labels, subjects))


ARTS_STAND_INS: dict[str, Callable[[np.random.Generator], Splits]] = {
    "chorales": _chorales,
    "bikes": _film,
    "carphone": _film,
    "splice": _splice,
    "physiotherapy": _physiotherapy,
}
"""By the name of the task."""
