"""Notes out of MusicXML, as far as scores of plain voices need them: pitches, and when they begin and end.

    <part> <measure>  <attributes> <divisions>        units of time in a quarter note, from here on
                      <note> <pitch> <duration>       sounds for so long, and time goes on
                      <note> <rest/> <duration>       time goes on
                      <note> <chord/> ...             begins with the note before
                      <note> <grace/> ...             takes no time: left out
                      <backup>, <forward> <duration>  time goes back, or on

Repeats are not played twice, and tied notes are two.

Source: MusicXML 3.1, W3C Music Notation Community Group.
"""

import io
import math
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.data.errors import DataError

LOWEST, NOTES = 21, 88
"""The piano's: MIDI numbers 21 to 108."""
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Note:
    """A MIDI number, and begin and end in quarter notes from the start."""

    pitch: int
    begin: Fraction
    end: Fraction


def read_score(content: bytes) -> Element:
    """Return the root of a score that is MusicXML, or that zipped (.mxl).

    Raises:
        DataError: It is neither.
    """
    try:
        if not content.startswith(b"PK"):
            return ElementTree.fromstring(content)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            place = ElementTree.fromstring(file.read("META-INF/container.xml")).find(".//{*}rootfile")
            assert place is not None
            return ElementTree.fromstring(file.read(place.attrib["full-path"]))
    except (ElementTree.ParseError, zipfile.BadZipFile, KeyError, AssertionError) as error:
        raise DataError(f"This is no MusicXML: {error}") from error


def voices(score: Element, names: Collection[str]) -> list[list[Note]]:
    """Return the notes of the parts whose name begins with one of the words, in the order of the score."""
    called = {part.get("id"): (part.findtext("part-name") or "").split() for part in score.iter("score-part")}
    return [list(notes(part)) for part in score.iter("part") if set(called[part.get("id")][:1]) & set(names)]


def notes(part: Element) -> Iterator[Note]:
    """Yield the notes of a part."""
    now = begun = Fraction(0)
    unit = Fraction(1)
    for element in (element for measure in part.iter("measure") for element in measure):
        if element.tag == "attributes":
            unit = 1 / Fraction(element.findtext("divisions") or 1 / unit)
        elif element.tag in ("backup", "forward"):
            now += _duration(element, unit) if element.tag == "forward" else -_duration(element, unit)
        elif element.tag == "note" and element.find("grace") is None:
            length, pitch = _duration(element, unit), element.find("pitch")
            if element.find("chord") is None:
                begun, now = now, now + length
            if pitch is not None:
                yield Note(midi_number(pitch), begun, begun + length)


def _duration(element: Element, unit: Fraction) -> Fraction:
    return Fraction(element.findtext("duration") or 0) * unit


def midi_number(pitch: Element) -> int:
    """Return the number of a pitch, 60 for C in octave 4; quarter tones become the semitone nearer to the note's name."""
    semitone = _SEMITONES[pitch.findtext("step") or ""] + int(float(pitch.findtext("alter") or 0))
    return 12 * (int(pitch.findtext("octave") or 0) + 1) + semitone


def piano_roll(parts: list[list[Note]]) -> NDArray[np.float32]:
    """Return which notes sound at the beginning of each quarter, [T, 88] float32 of 0 and 1, up to the last note's end.

    Raises:
        DataError: There is no note, or one that a piano lacks.
    """
    heard = [note for part in parts for note in part]
    strange = [note.pitch for note in heard if not LOWEST <= note.pitch < LOWEST + NOTES]
    if strange or not heard:
        raise DataError(f"A piano roll needs notes from 21 to 108; there are {strange[:5] or 'none'}.")
    roll = np.zeros((math.ceil(max(note.end for note in heard)), NOTES), dtype=np.float32)
    for note in heard:
        roll[math.ceil(note.begin) : math.ceil(note.end), note.pitch - LOWEST] = 1
    return roll
