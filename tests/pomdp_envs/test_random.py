import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomdp_envs.random import mix, uniforms

COUNTS = 1 << 16


def counters(**fixed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seed, episode and step with one of them counting up, [COUNTS] each."""
    running = np.arange(COUNTS)
    return tuple(np.full(COUNTS, fixed[k]) if k in fixed else running for k in ("seed", "episode", "step"))


NEIGHBOURS = {
    "seeds": uniforms(*counters(episode=0, step=0), draws=1)[0],
    "episodes": uniforms(*counters(seed=3, step=0), draws=1)[0],
    "steps": uniforms(*counters(seed=3, episode=5), draws=1)[0],
    "draws": uniforms(np.array([3]), np.array([5]), np.array([2]), draws=COUNTS - 1)[:, 0],
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_numbers_of_neighbouring_counters_are_uniform(name):
    numbers = NEIGHBOURS[name]
    assert numbers.min() >= 0
    assert numbers.max() < 1
    observed = np.histogram(numbers, bins=256, range=(0, 1))[0]
    expected = len(numbers) / 256
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("name", NEIGHBOURS)
@pytest.mark.parametrize("lag", [1, 2, 3, 64])
def test_numbers_of_neighbouring_counters_are_uncorrelated(name, lag):
    numbers = NEIGHBOURS[name]
    correlation = np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]
    assert abs(correlation) < 5 / np.sqrt(len(numbers))


def test_axes_do_not_repeat_each_other():
    together = np.concatenate(list(NEIGHBOURS.values()))
    # (3, 5, 2, 0) is on two axes, (3, 5, 0, 0) on two and (3, 0, 0, 0) on two.
    assert len(np.unique(together)) >= len(together) - 3


def test_one_flipped_bit_flips_half_of_the_output_bits():
    counter = np.arange(1000, dtype=np.uint64)
    for bit in range(64):
        flipped = mix(counter) ^ mix(counter ^ np.uint64(1 << bit))
        assert 28 < np.bitwise_count(flipped).mean() < 36


def test_mix_is_splitmix64():
    golden = np.uint64(0x9E3779B97F4A7C15)
    first_three = np.array([1, 2, 3], dtype=np.uint64) * golden
    assert mix(first_three).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@given(
    seed=st.integers(0, 2**63 - 1),
    episode=st.integers(0, 2**40),
    step=st.integers(0, 2**40),
    others=st.lists(st.integers(0, 2**63 - 1), max_size=5),
    draws=st.integers(1, 5),
)
def test_a_number_depends_on_its_own_counter_only(seed, episode, step, others, draws):
    alone = uniforms(np.array([seed]), np.array([episode]), np.array([step]), draws)[:, 0]
    seeds = np.array([*others, seed])
    batch = uniforms(seeds, np.full_like(seeds, episode), np.full_like(seeds, step), draws + 2)
    np.testing.assert_array_equal(batch[:draws, -1], alone)
    assert ((alone >= 0) & (alone < 1)).all()
