"""Counter-based randomness: every number is a hash of where it is used, so no generator state exists."""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_MANTISSA_SHIFT = np.uint64(11)
_MANTISSA_STEP = 2.0**-53
_DRAW_BITS = np.uint64(16)


def mix(counter: np.ndarray) -> np.ndarray:
    """Scramble 64-bit counters; one-to-one, and one flipped input bit flips about half of the output bits.

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators"; the constants are
    Stafford's variant 13, as in SplitMix64.

    Args:
        counter: uint64 of any shape with at least one dimension.

    Returns:
        uint64 of the same shape.
    """
    bits = counter ^ (counter >> _SHIFT_1)
    bits *= _MULTIPLIER_1
    bits ^= bits >> _SHIFT_2
    bits *= _MULTIPLIER_2
    bits ^= bits >> _SHIFT_3
    return bits


def episode_keys(seed: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """Return the key of each episode's random numbers: output number `episode` of a SplitMix64 stream from `seed`.

    Args:
        seed: int64 [B], not negative.
        episode: int64 [B], counted from 0.

    Returns:
        uint64 [B].
    """
    return mix(seed.view(np.uint64) + episode.view(np.uint64) * _GOLDEN)


def numbers_at(key: np.ndarray, step: np.ndarray, draws: int) -> np.ndarray:
    """Draw uniform numbers in [0, 1): output `step * 2**16 + draw` of the SplitMix64 stream that starts at the key.

    Neighbouring seeds, episodes and steps thus share nothing, and a column gives the same numbers whichever batch it
    stands in.

    Args:
        key: uint64 [B], from `episode_keys`.
        step: int64 [B], counted from 0 inside the episode.
        draws: how many numbers per column; below 2**16.

    Returns:
        float64 [draws, B].
    """
    draw = np.arange(draws, dtype=np.uint64)[:, None]  # [draws, 1]
    counter = (step.view(np.uint64) << _DRAW_BITS) + draw  # [draws, B]
    return (mix(key + counter * _GOLDEN) >> _MANTISSA_SHIFT) * _MANTISSA_STEP


def uniforms(seed: np.ndarray, episode: np.ndarray, step: np.ndarray, draws: int) -> np.ndarray:
    """Draw uniform numbers that depend on (seed, episode, step, draw) and on nothing else.

    Args:
        seed: int64 [B], not negative.
        episode: int64 [B], counted from 0.
        step: int64 [B], counted from 0 inside the episode.
        draws: how many numbers per column; below 2**16.

    Returns:
        float64 [draws, B].
    """
    return numbers_at(episode_keys(seed, episode), step, draws)


def shuffles(uniforms: np.ndarray) -> np.ndarray:
    """Turn uniform numbers [n, B] into one permutation of 0 .. n - 1 per column, int64 [n, B], all equally likely."""
    return np.ascontiguousarray(uniforms.T.argsort(axis=1).T)  # [n, B]
