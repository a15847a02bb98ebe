"""The recurrent model is the memory itself, on one episode in each column."""

import torch

from recurrent_rl.memory import GRU, LSTM, Attention, Stack
from recurrent_rl.sequence.models import Recurrent


def test_outputs_and_state_are_the_memorys_from_its_initial_state():
    torch.manual_seed(0)
    for spec in (
        GRU(hidden_size=4, learned_initial_state=True),
        Stack([LSTM(hidden_size=3), Attention(hidden_size=4)]),
    ):
        model, inputs = Recurrent(memory=spec).build(2), torch.randn(5, 3, 2)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter)  # a learned initial state is zero at first
        outputs, state = model(inputs, torch.tensor([5, 5, 5]))
        starts = torch.zeros(5, 3, dtype=torch.bool)
        expected, leaving = model.memory(inputs, model.memory.initial_state(3), starts)
        torch.testing.assert_close(outputs, expected)
        torch.testing.assert_close(state, leaving)


def test_the_summary_is_the_last_output_within_each_length():
    torch.manual_seed(0)
    model, lengths = Recurrent(memory=GRU(hidden_size=4)).build(2), torch.tensor([1, 4, 2])
    outputs, _ = model(torch.randn(4, 3, 2), lengths)
    torch.testing.assert_close(
        model.summary(outputs, lengths), torch.stack([outputs[0, 0], outputs[3, 1], outputs[1, 2]])
    )


def test_the_summary_may_be_the_mean_within_each_length():
    torch.manual_seed(0)
    model, lengths = Recurrent(memory=GRU(hidden_size=4), mean=True).build(2), torch.tensor([1, 4, 2])
    outputs, _ = model(torch.randn(4, 3, 2), lengths)
    expected = torch.stack([outputs[:length, column].mean(0) for column, length in enumerate(lengths)])
    torch.testing.assert_close(model.summary(outputs, lengths), expected)
