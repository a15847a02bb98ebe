"""A convolutional GRU keeps the contract, sees neighbours alone, and begins by repeating the last frame."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.models.conv_gru import ConvGRU, FrameNetwork
from recurrent_rl.testing.sequence import check_sequence_model


@pytest.mark.parametrize(
    "spec",
    [
        ConvGRU(channels=2),
        ConvGRU(channels=3, patch=1, kernel_size=1, planes=1),
        ConvGRU(channels=1, patch=4, planes=3),
    ],
    ids=repr,
)
def test_model_keeps_the_contract(spec):
    check_sequence_model(spec, input_size=16 * spec.planes)


def test_of_one_place_it_is_torchs_gru():
    torch.manual_seed(0)
    model, gru = ConvGRU(channels=5, kernel_size=1, patch=1, planes=1).build(1), torch.nn.GRU(1, 5)
    with torch.no_grad():
        gru.weight_ih_l0.copy_(model.read.weight[:, :, 0, 0])
        gru.weight_hh_l0.copy_(model.recur.weight[:, :, 0, 0])
        gru.bias_ih_l0.copy_(model.read.bias)
        gru.bias_hh_l0.copy_(model.recur.bias)
    inputs = torch.randn(6, 3, 1)
    torch.testing.assert_close(model(inputs, torch.full((3,), 6))[0], gru(inputs)[0])


def test_what_is_seen_spreads_by_a_place_at_each_step():
    torch.manual_seed(0)
    model = ConvGRU(channels=2, patch=1, planes=1).build(11 * 11)
    inputs = torch.zeros(4, 1, 121)
    other = inputs.clone()
    other[0, 0, 60] = 1.0  # the middle
    lengths = torch.tensor([4])
    apart = (model(other, lengths)[0] - model(inputs, lengths)[0]).view(4, 2, 11, 11).abs().sum(1) > 0
    for step, seen in enumerate(apart):
        reach = 1 + step
        wanted = torch.zeros(11, 11, dtype=torch.bool)
        wanted[5 - reach : 6 + reach, 5 - reach : 6 + reach] = True
        assert torch.equal(seen, wanted)


def batch(lengths=(5, 3)):
    torch.manual_seed(0)
    return Batch(torch.rand(max(lengths), len(lengths), 2 * 64), torch.tensor(lengths))


def moved(network):
    """Give the head numbers, which begin at zero."""
    torch.nn.init.normal_(network.head.weight)
    torch.nn.init.normal_(network.head.bias)
    return network


def test_the_network_begins_by_saying_that_nothing_changes():
    predicted, _ = FrameNetwork(ConvGRU(), NextFrame(pixels=64))(batch())
    assert predicted.shape == (5, 2, 64)
    assert (predicted == 0).all()


@pytest.mark.parametrize("plane", [0, 1])
def test_each_pixel_is_said_at_its_own_place(plane):
    torch.manual_seed(0)
    network = moved(FrameNetwork(ConvGRU(channels=3, kernel_size=1, patch=2), NextFrame(pixels=64)))
    one, other = batch((1,)), batch((1,))
    other.inputs[0, 0, plane * 64 :][:64].view(8, 8)[2:4, 6:8] += 0.5  # a patch
    changed = (network(one)[0] != network(other)[0]).view(8, 8)
    assert changed[2:4, 6:8].all()
    assert changed.sum() == 4


def test_a_film_in_parts_gives_what_it_gives_whole():
    network, film = moved(FrameNetwork(ConvGRU(channels=2), NextFrame(pixels=64))).double(), batch((6, 6))
    frames = film.inputs.double()
    whole, _ = network(Batch(frames, film.lengths))
    first, state = network(Batch(frames[:4], torch.tensor([4, 4])))
    second, _ = network(Batch(frames[4:], torch.tensor([2, 2])), state)
    torch.testing.assert_close(torch.cat([first, second]), whole)


def test_what_stands_after_an_end_changes_nothing_within():
    network, one = moved(FrameNetwork(ConvGRU(channels=2), NextFrame(pixels=64))), batch()
    other = one.inputs.clone()
    other[3:, 1] = 7.0
    found = [network(Batch(inputs, one.lengths))[0] for inputs in (one.inputs, other)]
    torch.testing.assert_close(found[0][:, 0], found[1][:, 0])
    torch.testing.assert_close(found[0][:3, 1], found[1][:3, 1])


def test_a_few_steps_learn_what_copying_cannot():
    """A film whose square goes one pixel to the right at each step."""
    torch.manual_seed(0)
    frame = np.zeros((8, 8), dtype=np.float32)
    frame[2:5, 1:4] = 1
    film = np.stack([np.roll(frame, step, axis=1) for step in range(9)]).reshape(9, 64)
    problem = NextFrame(pixels=64, scale=0.3)
    network, examples = FrameNetwork(ConvGRU(channels=8, patch=1), problem), Examples([film])
    data = problem.batch(examples, [0])
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        problem.losses(network(data)[0], data).mean().backward()
        optimiser.step()
    assert problem.scores([network(data)[0][:, 0].detach().numpy()], examples)["relative"] < 0.3


@pytest.mark.parametrize("numbers", [10, 50, 16])
def test_frames_that_are_no_squares_of_patches_are_refused(numbers):
    with pytest.raises(ValueError, match=f"2 squares whose side is a multiple of 2, not {numbers} numbers"):
        ConvGRU(patch=2).build(numbers)


def test_bad_fields_are_refused():
    for fields in ({"channels": 0}, {"kernel_size": 2}, {"patch": 0}, {"planes": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(fields))} must be"):
            ConvGRU(**fields)


def test_a_network_of_films_needs_two_planes():
    with pytest.raises(ValueError, match="planes=2 for films"):
        FrameNetwork(ConvGRU(planes=8), NextFrame(pixels=1024))
