"""Tunes are known again in any key, no tune is in two parts, and the usual file is read as it is written."""

import json
from fractions import Fraction

import numpy as np
import pytest

from recurrent_rl.sequence.data.chorales import from_json, intervals, same_tunes, split
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.music_xml import Note


def voice(pitches, length=1):
    return [Note(int(pitch), Fraction(t * length), Fraction((t + 1) * length)) for t, pitch in enumerate(pitches)]


def tune(seed, steps=20):
    return 60 + np.random.default_rng(seed).integers(0, 20, size=steps)


def test_intervals_are_the_same_in_any_key_and_without_repeated_notes():
    assert intervals(voice([60, 60, 64, 62])) == intervals(voice([55, 59, 59, 57])) == (4, -2)


def test_rests_part_no_tune():
    sung = voice([60, 64, 62])
    assert intervals([sung[0], *[Note(n.pitch, n.begin + 2, n.end + 2) for n in sung[1:]]]) == (4, -2)


def test_tunes_with_phrases_in_common_are_one_and_so_are_those_between():
    first, second, other = (tuple(np.diff(tune(seed))) for seed in range(3))
    mixed = (*first[:12], *second[:12])
    assert same_tunes([first, second, other, mixed, first]) == [0, 0, 2, 0, 0]
    assert same_tunes([first, second, other, first[:3]]) == [0, 1, 2, 3]  # shorter than a phrase


def test_no_tune_is_in_two_parts_and_equal_pieces_count_once():
    scores = [[voice(tune(seed)), voice(tune(seed) - 12)] for seed in range(12)]
    other_key = [[voice(tune(seed) + 2), voice(tune(seed) - 14)] for seed in range(12)]
    found = split([*scores, *other_key, *scores[:3]])
    parts = (found.train, found.validation, found.test)
    assert sum(map(len, parts)) == 24
    groups = [set(map(int, part.groups)) for part in parts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 12
    assert all(len(part) == 2 * len(own) for part, own in zip(parts, groups, strict=True))
    assert {(row.dtype, row.shape[1]) for row in found.train.inputs} == {(np.dtype(np.float32), 88)}


USUAL = {"train": [[[60, 64], []], [[21], [108], [21, 108]]], "valid": [[[60], [61]]], "test": [[[62], [63]]]}


@pytest.fixture
def path(tmp_path):
    def write(content):
        (tmp_path / "usual.json").write_text(json.dumps(content))
        return tmp_path / "usual.json"

    return write


def test_the_usual_file_has_its_own_parts(path):
    found = from_json(path(USUAL))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [2, 1, 1]
    assert [list(np.flatnonzero(row)) for row in found.train.inputs[0]] == [[39, 43], []]
    assert [list(np.flatnonzero(row)) for row in found.train.inputs[1]] == [[0], [87], [0, 87]]
    assert np.flatnonzero(found.test.inputs[0][0]) == [62 - 21]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"valid": [[[60]]]}, "valid 0 has fewer than two chords"),
        ({"test": [[[60], [60, 20]]]}, "test 0 has the note 20 at step 1"),
        ({"test": [[[109], [60]]]}, "the note 109 at step 0"),
        ({"test": [[[60], [60.5]]]}, "the note 60.5 at step 1"),
        ({"test": [[[60], [float("nan")]]]}, "the note nan at step 1"),
        ({"test": [[60, 61]]}, "test 0 has 60 at step 0, where a list of notes"),
    ],
)
def test_broken_pieces_are_named(path, change, message):
    with pytest.raises(DataError, match=message):
        from_json(path(USUAL | change))


def test_a_missing_part_is_named(path):
    with pytest.raises(DataError, match="no part valid; it has train, test"):
        from_json(path({name: USUAL[name] for name in ("train", "test")}))


def test_what_is_no_json_or_no_parts_is_said(path, tmp_path):
    with pytest.raises(DataError, match="no part train; it has a list"):
        from_json(path([1, 2]))
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(DataError, match=r"broken\.json is no JSON"):
        from_json(tmp_path / "broken.json")
