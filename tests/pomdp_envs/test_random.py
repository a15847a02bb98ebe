import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomdp_envs.random import episode_keys, mix, normals, other_uniforms, uniforms

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


def test_keys_of_episodes_are_the_published_stream_of_splitmix64_from_the_seed():
    keys = episode_keys(np.zeros(3, dtype=np.int64), np.arange(3))
    assert [hex(key) for key in keys] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_the_first_numbers_of_small_seeds_are_nothing_special():
    seeds = np.arange(50)
    first = uniforms(seeds, np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64), draws=2)
    assert first.min() > 1e-4


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


def test_normal_numbers_fall_between_the_exact_quantiles_as_often_as_they_should():
    radii_and_angles = uniforms(np.arange(COUNTS), np.zeros(COUNTS, dtype=np.int64), np.ones(COUNTS, dtype=np.int64), 4)
    numbers = normals(radii_and_angles)  # [4, COUNTS]
    quantiles = [NormalDist().inv_cdf(k / 64) for k in range(1, 64)]
    for row in numbers:
        observed = np.bincount(np.searchsorted(quantiles, row), minlength=64)
        chi_square = ((observed - COUNTS / 64) ** 2 / (COUNTS / 64)).sum()
        assert abs(chi_square - 63) < 5 * np.sqrt(2 * 63)
    error = 5 / np.sqrt(numbers.size)
    assert abs(numbers.mean()) < error
    assert abs((numbers**2).mean() - 1) < error * np.sqrt(2)
    assert abs((numbers**3).mean()) < error * np.sqrt(15)
    assert abs((numbers**4).mean() - 3) < error * np.sqrt(96)
    assert np.abs(np.corrcoef(numbers) - np.eye(4)).max() < 5 / np.sqrt(COUNTS)
    assert np.abs(np.corrcoef(numbers**2) - np.eye(4)).max() < 5 / np.sqrt(COUNTS)


def test_a_pair_of_normal_numbers_has_the_exact_length_and_direction():
    length_quantiles = np.array([0.0, 2**-53, 2**-30, 0.3, 0.999, 1 - 2**-53])  # of a Rayleigh distribution
    turns = np.array([0.0, 0.125, 0.25, 0.4, 0.75, 1 - 2**-53])
    x, y = normals(np.stack([length_quantiles, turns]))
    for one, other, u, turn in zip(x, y, length_quantiles, turns):
        exact = math.sqrt(-2 * math.log1p(-u))
        assert math.hypot(one, other) == pytest.approx(exact, rel=1e-14, abs=0)
        assert one == pytest.approx(exact * math.cos(2 * math.pi * turn), abs=1e-14)
        assert other == pytest.approx(exact * math.sin(2 * math.pi * turn), abs=1e-14)
    assert np.isfinite(normals(np.zeros((2, 1)))).all()


def test_other_uniforms_are_uniform_in_their_range_and_unrelated_to_those_they_are_made_of():
    numbers = np.random.default_rng(0).random((2, 20_000))
    others = other_uniforms(numbers)
    assert others.shape == numbers.shape
    assert ((others >= 0) & (others < 1)).all()
    assert abs(np.sort(others.ravel()) - np.arange(0.5, 40_000) / 40_000).max() < 0.01
    assert np.abs(np.corrcoef(np.concatenate([numbers, others])) - np.eye(4)).max() < 0.03
    assert other_uniforms(np.array([0.0]))[0] != 0
