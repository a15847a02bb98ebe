"""Notes come out of MusicXML at their times, and a piano roll has those that sound at each quarter."""

import io
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.music_xml import Note, notes, piano_roll, read_score, voices


def note(step="C", octave=4, duration=2, alter=None, extra=""):
    alter = "" if alter is None else f"<alter>{alter}</alter>"
    pitch = f"<pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch>"
    return f"<note>{extra}{pitch}<duration>{duration}</duration></note>"


def score(*measures, name="Soprano", divisions=2):
    body = f"<attributes><divisions>{divisions}</divisions></attributes>".join(["", measures[0]])
    rest = "".join(f"<measure>{measure}</measure>" for measure in measures[1:])
    head = f'<part-list><score-part id="P1"><part-name>{name}</part-name></score-part></part-list>'
    return f'<score-partwise>{head}<part id="P1"><measure>{body}</measure>{rest}</part></score-partwise>'.encode()


def read(*measures, **given):
    return list(notes(read_score(score(*measures, **given)).find("part")))


def test_time_goes_on_by_notes_and_rests_over_measures():
    found = read(note("C", 4, 2) + "<note><rest/><duration>1</duration></note>", note("A", 3, 3))
    assert found == [Note(60, Fraction(0), Fraction(1)), Note(57, Fraction(3, 2), Fraction(3))]


def test_notes_of_a_chord_begin_together_and_grace_notes_take_no_time():
    found = read(note("C") + note("E", extra="<chord/>") + note("D", extra="<grace/>") + note("G"))
    assert [(n.pitch, n.begin, n.end) for n in found] == [(60, 0, 1), (64, 0, 1), (67, 1, 2)]


def test_voices_that_share_a_staff_are_written_by_going_back():
    back, on = (f"<{tag}><duration>4</duration></{tag}>" for tag in ("backup", "forward"))
    found = read(note("C", 4, 4) + back + note("E", 3, 2) + on + note("F", 3, 2))
    assert [(n.pitch, n.begin) for n in found] == [(60, 0), (52, 0), (53, 3)]


def test_divisions_may_change():
    found = read(note("C", 4, 2) + "<attributes><divisions>3</divisions></attributes>" + note("C", 4, 2), divisions=4)
    assert [n.end - n.begin for n in found] == [Fraction(1, 2), Fraction(2, 3)]


def test_attributes_without_divisions_change_none():
    assert read("<attributes><key/></attributes>" + note("C", 4, 2))[0].end == 1


@pytest.mark.parametrize(
    ("step", "octave", "alter", "number"), [("C", 4, None, 60), ("A", 0, None, 21), ("B", 3, 1, 60), ("C", 5, -1, 71)]
)
def test_pitches_are_midi_numbers(step, octave, alter, number):
    assert read(note(step, octave, 2, alter))[0].pitch == number


def test_parts_are_chosen_by_the_first_word_of_their_name():
    for name, count in (("Soprano", 1), ("Soprano 1", 1), ("Horn 1", 0), ("", 0)):
        assert len(voices(read_score(score(note(), name=name)), ("Soprano", "Bass"))) == count


def test_a_zipped_score_is_found_by_its_container():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("mimetype", "not this")
        root = '<rootfiles><rootfile full-path="in/some.musicxml"/></rootfiles>'
        file.writestr("META-INF/container.xml", f'<container xmlns="urn:any">{root}</container>')
        file.writestr("in/some.musicxml", score(note()))
    assert len(voices(read_score(buffer.getvalue()), ["Soprano"])[0]) == 1


@pytest.mark.parametrize("content", [b"no xml", b"PK\x03\x04 no zip"])
def test_what_is_no_score_is_refused(content):
    with pytest.raises(DataError, match="no MusicXML"):
        read_score(content)


def test_a_roll_has_the_notes_that_sound_at_each_quarter():
    half = Fraction(1, 2)
    one = [Note(60, Fraction(0), Fraction(2)), Note(62, Fraction(2), 2 + half), Note(64, 2 + half, Fraction(3))]
    other = [Note(21, half, Fraction(1)), Note(108, Fraction(1), 3 + half)]
    roll = piano_roll([one, other])
    assert roll.dtype == np.float32
    assert [set(np.flatnonzero(row) + 21) for row in roll] == [{60}, {60, 108}, {62, 108}, {108}]


@pytest.mark.parametrize(("pitches", "said"), [([60, 20], r"\[20\]"), ([109], r"\[109\]"), ([], "none")])
def test_a_roll_without_a_note_or_beyond_the_piano_is_refused(pitches, said):
    with pytest.raises(DataError, match=f"notes from 21 to 108; there are {said}"):
        piano_roll([[Note(pitch, Fraction(0), Fraction(1)) for pitch in pitches]])
