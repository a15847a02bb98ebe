"""The floors learn no order: a running mean, and the present input alone."""

import torch

from recurrent_rl.sequence.models import Bag, PerStep


def test_bag_gives_a_linear_map_of_the_mean_of_what_was_read():
    torch.manual_seed(0)
    model, inputs = Bag(hidden_size=4).build(3).double(), torch.randn(6, 2, 3, dtype=torch.float64)
    outputs, (mean, count) = model(inputs, torch.tensor([6, 6]))
    for t in range(6):
        torch.testing.assert_close(outputs[t], model.layer(inputs[: t + 1].mean(0)))
    torch.testing.assert_close(mean, inputs.mean(0))
    assert count.tolist() == [6, 6]


def test_the_summary_of_a_bag_knows_no_order():
    torch.manual_seed(0)
    model, inputs, lengths = Bag().build(3), torch.randn(6, 2, 3), torch.tensor([6, 6])
    one, other = (
        model.summary(model(x, lengths)[0], lengths) for x in (inputs, inputs[torch.tensor([3, 0, 5, 1, 4, 2])])
    )
    torch.testing.assert_close(one, other)


def test_a_bag_stays_a_mean_over_a_long_stream():
    model, lengths = Bag(hidden_size=1).build(1), torch.tensor([1000])
    with torch.no_grad():
        model.layer.weight.fill_(1.0)
        model.layer.bias.zero_()
        state, outputs = None, torch.zeros(())
        for _ in range(100):
            outputs, state = model(torch.linspace(0.0, 2.0, 1000).view(-1, 1, 1), lengths, state)
    assert abs(outputs[-1].item() - 1.0) < 1e-4


def test_a_bag_of_half_precision_is_a_mean_too():
    model, lengths = Bag(hidden_size=1).build(1).bfloat16(), torch.tensor([1000])
    with torch.no_grad():
        model.layer.weight.fill_(1.0)
        model.layer.bias.zero_()
        outputs, state = model(torch.linspace(0.0, 2.0, 1000).view(-1, 1, 1).bfloat16(), lengths)
        more, _ = model(torch.full((1000, 1, 1), 3.0).bfloat16(), lengths, state)
    assert outputs.dtype == torch.bfloat16
    assert abs(outputs[-1].item() - 1.0) < 0.01
    assert abs(more[-1].item() - 2.0) < 0.01


def test_per_step_sees_the_present_input_alone():
    torch.manual_seed(0)
    model, inputs = PerStep(hidden_size=4).build(3), torch.randn(5, 2, 3)
    outputs, state = model(inputs, torch.tensor([5, 5]))
    torch.testing.assert_close(outputs[3], model.layer(inputs[3]))
    assert state == ()
