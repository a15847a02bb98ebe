import torch

from recurrent_rl.rollout import Rollout, refresh_entry_states, shuffled, state_drift, whole_rollout

T, B, K = 12, 3, 4


def identifiable():
    """A rollout whose value is 1000 t + b everywhere."""
    rollout = Rollout(T, K, torch.zeros(B, 2), torch.zeros(B), (torch.zeros(B, 1),))
    grid = 1000.0 * torch.arange(T).unsqueeze(1) + torch.arange(B)
    rollout.values.copy_(grid)
    rollout.actions.copy_(grid)
    rollout.observations.copy_(grid.unsqueeze(-1).expand(T, B, 2))
    rollout.entry_states[0].copy_(grid[::K].unsqueeze(-1))
    rollout.starts.copy_(grid % 5000 == 0)
    return rollout


def test_a_chunk_is_consecutive_rows_of_one_column_with_the_state_that_enters_it():
    chunks = whole_rollout(identifiable())
    assert chunks.values.shape == (K, T // K * B)
    assert torch.equal(chunks.values[1:] - chunks.values[:-1], torch.full((K - 1, T // K * B), 1000.0))
    assert torch.equal(chunks.entry_state[0].squeeze(1), chunks.values[0])
    assert torch.equal(chunks.observations[..., 0], chunks.values)


def test_every_row_is_seen_exactly_once_per_epoch_and_in_a_new_order():
    torch.manual_seed(0)
    chunks = whole_rollout(identifiable())
    epochs = [torch.cat([m.values.flatten() for m in shuffled(chunks, 2)]) for _ in range(2)]
    for epoch in epochs:
        assert torch.equal(epoch.sort().values, chunks.values.flatten().sort().values)
    assert not torch.equal(epochs[0], epochs[1])


def test_minibatches_mix_columns_and_times():
    torch.manual_seed(1)
    chunks = whole_rollout(identifiable())
    first = next(iter(shuffled(chunks, 4)))
    assert len(set((first.values[0] % 1000).tolist())) > 1
    assert len(set((first.values[0] // 1000).tolist())) > 1
    assert torch.equal(first.entry_state[0].squeeze(1), first.values[0])


def test_the_last_minibatch_takes_what_is_left_and_a_large_size_takes_all():
    chunks = whole_rollout(identifiable())
    assert [m.values.shape[1] for m in shuffled(chunks, 4)] == [4, 4, 1]
    assert [m.values.shape[1] for m in shuffled(chunks, 100)] == [9]


def test_only_chunk_entry_states_are_stored():
    assert identifiable().entry_states[0].shape == (T // K, B, 1)


def running_sum(observations, state, starts):
    """A memory: sum of its episode's observations."""
    (total,) = state
    for row, flags in zip(observations, starts, strict=True):
        total = torch.where(flags.unsqueeze(1), torch.zeros_like(total), total) + row[:, :1]
    return (total,)


def test_refreshed_states_are_what_the_memory_gives_today_and_equal_weights_do_not_drift():
    rollout = identifiable()
    state = (rollout.entry_states[0][0].clone(),)
    for chunk in range(T // K):
        rollout.entry_states[0][chunk].copy_(state[0])
        rows = slice(chunk * K, (chunk + 1) * K)
        state = running_sum(rollout.observations[rows], state, rollout.starts[rows])
    stored = whole_rollout(rollout)
    refreshed = refresh_entry_states(stored, B, running_sum)
    assert torch.equal(stored.entry_state[0], refreshed.entry_state[0])
    assert state_drift(stored, refreshed).item() == 0.0
    half = refresh_entry_states(stored, B, lambda *rows: (0.5 * running_sum(*rows)[0],))
    assert torch.equal(half.entry_state[0][:B], stored.entry_state[0][:B])
    assert state_drift(stored, half).item() > 0.1
