"""Next frames: the head says what changes, so who says nothing copies; scores are in the units of the pixels."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.frames import NextFrame, copying_error


def films(*lengths, pixels=6):
    rng = np.random.default_rng(0)
    return Examples([rng.random((length, pixels), dtype=np.float32) for length in lengths])


def test_the_input_is_the_film_without_its_last_frame_and_the_target_what_changes_after_each():
    examples = films(4, 2)
    batch = NextFrame(pixels=6, scale=0.5).batch(examples, [0, 1])
    assert batch.lengths.tolist() == [3, 1]
    np.testing.assert_array_equal(batch.inputs[:3, 0, :6], examples.inputs[0][:-1])
    np.testing.assert_allclose(batch.inputs[0, 1, :6] + 0.5 * batch.targets[0, 1], examples.inputs[1][1], atol=1e-6)
    assert batch.targets.dtype == torch.float32
    assert batch.targets[1:, 1].isnan().all()


def test_beside_a_frame_stands_how_it_changed():
    problem, examples = NextFrame(pixels=6, scale=0.5), films(4, 2)
    batch, film = problem.batch(examples, [0, 1]), examples.inputs[0]
    assert batch.inputs.shape == (3, 2, problem.input_size)
    assert (batch.inputs[0, :, 6:] == 0).all()
    np.testing.assert_allclose(batch.inputs[2, 0, 6:], (film[2] - film[1]) / 0.5, atol=1e-6)


def test_who_says_nothing_has_the_error_of_copying():
    problem, examples = NextFrame(pixels=6, scale=0.3), films(5, 2, 9)
    found = problem.scores([np.zeros((len(film) - 1, 6)) for film in examples.inputs], examples)
    by_hand = np.mean([np.mean((film[t + 1] - film[t]) ** 2) for film in examples.inputs for t in range(len(film) - 1)])
    assert found["mse"] == pytest.approx(by_hand)
    assert copying_error(examples) == pytest.approx(by_hand, rel=1e-5)
    assert found["relative"] == pytest.approx(1)


def test_who_knows_the_changes_has_no_error():
    problem, examples = NextFrame(pixels=6, scale=0.3), films(5, 3)
    found = problem.scores([np.diff(film.astype(np.float64), axis=0) / 0.3 for film in examples.inputs], examples)
    assert found["mse"] == pytest.approx(0, abs=1e-12)
    assert found["relative"] == pytest.approx(0, abs=1e-10)


def test_the_mean_loss_is_the_score_in_units_of_the_scale():
    problem, examples = NextFrame(pixels=6, scale=0.2), films(5, 2)
    predicted = torch.randn(4, 2, 6)
    losses = problem.losses(predicted, problem.batch(examples, [0, 1]))
    assert len(losses) == 5
    rows = [predicted[:4, 0].numpy(), predicted[:1, 1].numpy()]
    assert float(losses.mean()) * 0.2**2 == pytest.approx(problem.scores(rows, examples)["mse"], rel=1e-5)


def test_padding_has_no_gradient():
    problem, examples = NextFrame(pixels=6), films(5, 2)
    predicted = torch.randn(4, 2, 6, requires_grad=True)
    problem.losses(predicted, problem.batch(examples, [0, 1])).mean().backward()
    assert (predicted.grad[1:, 1] == 0).all()
    assert (predicted.grad[0] != 0).all()


def test_a_film_that_stands_still_is_copied_without_error():
    still = Examples([np.full((3, 6), 0.5, dtype=np.float32)])
    assert NextFrame(pixels=6).scores([np.zeros((2, 6))], still) == {"mse": 0.0, "relative": 1.0}


@pytest.mark.parametrize("fields", [{"pixels": 0}, {"pixels": 4, "scale": 0.0}, {"pixels": 4, "scale": float("nan")}])
def test_bad_fields_are_refused(fields):
    with pytest.raises(ValueError, match="must be above 0"):
        NextFrame(**fields)


def test_bytes_are_copied_with_the_error_of_their_numbers():
    assert copying_error(Examples([np.array([[200], [100]], dtype=np.uint8)])) == 100.0**2


def test_frames_are_read_as_a_batch_has_them():
    problem, examples = NextFrame(pixels=6, scale=0.5), films(4)
    frames = torch.from_numpy(examples.inputs[0]).unsqueeze(1)
    torch.testing.assert_close(problem.read(frames)[:-1], problem.batch(examples, [0]).inputs)
    problem.require_inputs(problem.read(frames))
    with pytest.raises(ValueError, match=r"\[T, B, 12\], as NextFrame.read makes them of frames \[T, B, 6\]"):
        problem.require_inputs(frames)
