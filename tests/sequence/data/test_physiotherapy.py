"""Samples become means of ten, and nobody is in two parts."""

import io

import numpy as np

from recurrent_rl.sequence.data.physiotherapy import coarser, parse, split


def recordings():
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(25 + index, 6)) for index in range(40)]
    buffer = io.BytesIO()
    value = {"X": rows, "y": np.arange(40) % 7, "subject": np.arange(40) // 4 + 1, "y_labels": ["PEN"]}
    np.save(buffer, np.array(value, dtype=object), allow_pickle=True)
    return rows, buffer.getvalue()


def test_a_step_is_the_mean_of_ten_samples_and_the_rest_is_left_out():
    samples = np.arange(50.0).reshape(25, 2)
    found = coarser(samples)
    np.testing.assert_allclose(found, [samples[:10].mean(0), samples[10:20].mean(0)])
    assert found.dtype == np.float32


def test_recordings_keep_their_exercise_and_their_subject():
    rows, content = recordings()
    found = parse(content)
    assert len(found) == 40
    np.testing.assert_allclose(found.inputs[7], coarser(rows[7]))
    assert [int(found.targets[i]) for i in (0, 7, 39)] == [0, 0, 4]
    assert [int(found.groups[i]) for i in (0, 7, 39)] == [1, 2, 10]


def test_nobody_is_in_two_parts_and_training_is_standardised():
    found = split(parse(recordings()[1]))
    parts = [set(map(int, part.groups)) for part in (found.train, found.validation, found.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 10
    assert [len(part) for part in parts] == [5, 2, 3]
    steps = np.concatenate(found.train.inputs)
    np.testing.assert_allclose(steps.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(steps.std(0), 1, atol=1e-5)
