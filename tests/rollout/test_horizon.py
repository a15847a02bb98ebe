import pytest

from recurrent_rl.rollout import chunks_per_minibatch, resolve_horizon


@pytest.mark.parametrize(
    ("n_steps", "batch_size", "horizon"),
    [(128, 128, 128), (32, 256, 32), (1024, 128, 128), (1024, 256, 256), (100, 64, 50), (5, 128, 5), (7, 2, 1)],
)
def test_default_horizon_is_the_divisor_nearest_to_the_batch_size_in_ratio(n_steps, batch_size, horizon):
    assert resolve_horizon(None, n_steps, batch_size) == horizon


def test_a_horizon_that_does_not_divide_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"bptt_horizon=30 does not divide n_steps=128.*4, 8, 16, 32") as error:
        resolve_horizon(30, 128, 128)
    assert "change n_steps" in str(error.value)


def test_a_minibatch_has_at_least_one_chunk():
    assert chunks_per_minibatch(128, 1024) == 1
    assert chunks_per_minibatch(256, 32) == 8
    assert chunks_per_minibatch(100, 32) == 3
