"""The real data are what the entries say, with the floors that are printed beside results; needs fetched archives."""

from collections import Counter

import numpy as np
import pytest

from recurrent_rl.sequence.chords import last_chord, note_frequencies
from recurrent_rl.sequence.data import chorales, physiotherapy, splice, video
from recurrent_rl.sequence.data.archive import archive_path, read_member, read_members
from recurrent_rl.sequence.data.arts_entries import ARTS_ENTRIES, BIKES, CARPHONE, SPLICE
from recurrent_rl.sequence.data.music_xml import read_score, voices
from recurrent_rl.sequence.frames import copying_error
from recurrent_rl.sequence.tasks.arts import ARTS

pytestmark = pytest.mark.slow


def need(name):
    if not archive_path(ARTS_ENTRIES[name]).is_file():
        pytest.skip(f"{name} is not fetched")


def parts_of(splits):
    return splits.train, splits.validation, splits.test


def floors(name):
    return {anchor.name: anchor.value for anchor in ARTS[name]().anchors}


def root_mean_square(examples):
    return np.sqrt(np.mean(np.concatenate([np.square(np.diff(row, axis=0)).ravel() for row in examples.inputs])))


def test_chorales():
    need("chorales")
    entry = ARTS_ENTRIES["chorales"]
    assert len(entry.members) == 350
    scores = [voices(read_score(score), chorales.VOICES) for score in read_members(entry, entry.members).values()]
    assert Counter(map(len, scores)) == {4: 349, 5: 1}
    assert sum(max(part[-1].end for part in score) for score in scores) == 19_091
    found = chorales.split(scores)
    parts = parts_of(found)
    assert [len(part) for part in parts] == [208, 70, 71]
    assert [len(set(map(int, part.groups))) for part in parts] == [102, 47, 48]
    chords = np.concatenate([row for part in parts for row in part.inputs])
    assert chords.shape == (19_059, 88)
    assert chords.sum(1).mean() == pytest.approx(3.853, abs=1e-3)
    assert floors("chorales")["floor"] == pytest.approx(note_frequencies(found.train, found.test), abs=5e-4)
    assert floors("chorales")["last chord"] == pytest.approx(last_chord(found.train, found.test), abs=5e-4)


def test_the_first_chorale_is_aus_meines_herzens_grunde():
    need("chorales")
    entry, path = ARTS_ENTRIES["chorales"], "music21/corpus/bach/bwv269.mxl"
    score = voices(read_score(read_member(entry, path)), chorales.VOICES)
    roll = chorales.piano_roll(score)
    assert [sorted(np.flatnonzero(row) + 21) for row in roll[:4]] == [
        [43, 59, 62, 67], [55, 59, 62, 67], [52, 60, 64, 67], [54, 57, 62, 74],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "name", "load", "change", "frames", "sizes", "whole"),
    [
        (BIKES, "bikes", video.load_bikes, video.BIKES_CHANGE, 250, [115, 2, 4], 0.00235),
        (CARPHONE, "carphone", video.load_carphone, video.CARPHONE_CHANGE, 120, [69, 1, 2], 0.000187),
    ],
)
def test_films(entry, name, load, change, frames, sizes, whole):
    pytest.importorskip("av")
    need(name)
    film = video.decode(read_member(entry, entry.members[0]))
    assert film.shape == (frames, video.PIXELS)
    assert 0 <= film.min() < 0.1
    assert 0.9 < film.max() <= 1
    changes = [np.square(np.diff(scene, axis=0)).mean(1) for scene in video.scenes(film)]
    assert np.concatenate(changes).mean() == pytest.approx(whole, rel=0.02)
    assert len(changes) == (6 if name == "bikes" else 1)
    found = load(0)
    assert [len(part) for part in parts_of(found)] == sizes
    assert root_mean_square(found.train) == pytest.approx(change, rel=0.01)
    assert copying_error(found.test) == pytest.approx(floors(name)["copy"], rel=0.01)


def test_splice():
    need("splice")
    everything = splice.parse(read_member(SPLICE, SPLICE.members[0]))
    assert Counter(map(int, everything.targets)) == {0: 767, 1: 765, 2: 1654}
    texts = ["".join(splice.NUCLEOTIDES[symbol % 4] for symbol in row) for row in everything.inputs]
    assert len(set(texts)) == 3001
    for label, middle in ((0, slice(30, 32)), (1, slice(28, 30))):
        pairs = Counter(text[middle] for text, own in zip(texts, everything.targets) if own == label)
        assert pairs["GT" if label == 0 else "AG"] / pairs.total() > 0.98
    found = splice.load(0)
    parts = parts_of(found)
    assert [len(part) for part in parts] == [1950, 451, 600]
    test = np.array(found.test.targets)
    assert 100 * np.mean(test == 2) == pytest.approx(floors("splice")["floor"], abs=0.05)
    assert naive_bayes(found.train, found.test) == pytest.approx(floors("splice")["each place by itself"], abs=0.01)


def naive_bayes(train, test):
    """Return the accuracy, in percent, of nucleotides that are independent at their places, each counted once more."""
    rows, labels = np.stack(train.inputs), np.array(train.targets)
    counts = np.stack([np.bincount(rows[labels == label].ravel(), minlength=splice.SYMBOLS) + 1 for label in range(3)])
    shares = counts.reshape(splice.CLASSES, splice.STEPS, 4)
    logs = np.log(shares / shares.sum(2, keepdims=True)).reshape(splice.CLASSES, -1)
    said = logs[:, np.stack(test.inputs)].sum(2) + np.log(np.bincount(labels))[:, None]
    return 100 * np.mean(said.argmax(0) == np.array(test.targets))


def test_physiotherapy():
    need("physiotherapy")
    found = physiotherapy.load(0)
    parts = parts_of(found)
    assert [len(part) for part in parts] == [70, 28, 42]
    assert [len(set(map(int, part.groups))) for part in parts] == [5, 2, 3]
    lengths = [len(row) for part in parts for row in part.inputs]
    assert (min(lengths), max(lengths)) == (94, 261)
    assert Counter(map(int, found.test.targets)) == dict.fromkeys(range(physiotherapy.CLASSES), 6)
    assert np.isfinite(np.concatenate(found.train.inputs)).all()
