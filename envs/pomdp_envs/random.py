"""Counter-based randomness: every number is a hash of where it is used, so no generator state exists."""

import functools

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_MANTISSA_SHIFT = np.uint64(11)
_MANTISSA_STEP = 2.0**-53
MOST_DRAWS = 2**16  # of a step; further ones would be the next step's
with np.errstate(over="ignore"):
    _STEP_STRIDE = _GOLDEN << np.uint64(16)  # 2**16 draws per step, modulo 2**64


def mix(counter: np.ndarray) -> np.ndarray:
    """Scramble 64-bit counters; one-to-one, and one flipped input bit flips about half of the output bits.

    Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators"; the constants are
    Stafford's variant 13, as in SplitMix64.

    Args:
        counter: uint64 of any shape with at least one dimension.

    Returns:
        uint64 of the same shape.
    """
    bits = counter >> _SHIFT_1
    bits ^= counter
    return _finish(bits)


def _finish(bits: np.ndarray) -> np.ndarray:
    """Do all but the first line of `mix`, in place."""
    shifted = np.empty_like(bits)
    bits *= _MULTIPLIER_1
    bits ^= np.right_shift(bits, _SHIFT_2, out=shifted)
    bits *= _MULTIPLIER_2
    bits ^= np.right_shift(bits, _SHIFT_3, out=shifted)
    return bits


def episode_keys(seed: np.ndarray, episode: np.ndarray) -> np.ndarray:
    """Return the key of each episode's random numbers: output number `episode` of the SplitMix64 stream from `seed`.

    Args:
        seed: int64 [B], not negative.
        episode: int64 [B], counted from 0.

    Returns:
        uint64 [B].
    """
    return mix(seed.view(np.uint64) + (episode.view(np.uint64) + np.uint64(1)) * _GOLDEN)


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
    first = step.view(np.uint64) * _STEP_STRIDE
    first += key  # [B], the counter of draw 0
    counter = first + _draw_offsets(draws)  # [draws, B]
    counter ^= counter >> _SHIFT_1
    bits = _finish(counter)
    bits >>= _MANTISSA_SHIFT
    return bits * _MANTISSA_STEP


@functools.cache
def _draw_offsets(draws: int) -> np.ndarray:
    """Return what each draw adds to the counter, uint64 [draws, 1]."""
    return np.arange(draws, dtype=np.uint64)[:, None] * _GOLDEN


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


def other_uniforms(uniforms: np.ndarray) -> np.ndarray:
    """Turn uniform numbers in [0, 1) into others that look independent of them, by hashing each; of the same shape."""
    bits = mix((uniforms / _MANTISSA_STEP).astype(np.uint64) + _GOLDEN)
    return (bits >> _MANTISSA_SHIFT) * _MANTISSA_STEP


def shuffles(uniforms: np.ndarray) -> np.ndarray:
    """Turn uniform numbers [n, B] into one permutation of 0 .. n - 1 per column, int64 [n, B], all equally likely."""
    return np.ascontiguousarray(uniforms.T.argsort(axis=1).T)  # [n, B]


def normals(uniforms: np.ndarray) -> np.ndarray:
    """Turn uniform numbers in [0, 1) into independent standard normal ones, two into two, to float64 accuracy.

    radius = sqrt(-2 log(1 - u_1)), angle = 2 pi u_2; the two are radius * (cos(angle), sin(angle)).

    Source: Box and Muller (1958), "A note on the generation of random normal deviates".

    Args:
        uniforms: float64 [2 n, B]: n radii, then n angles.

    Returns:
        float64 [2 n, B].
    """
    half = len(uniforms) // 2
    radius = np.log(1 - uniforms[:half])  # [n, B]; the difference is exact for multiples of 2**-53, which ours are
    radius *= -2
    np.sqrt(radius, out=radius)
    angle = uniforms[half:] * (2 * np.pi)
    result = np.empty_like(uniforms)
    np.multiply(radius, np.cos(angle), out=result[:half])
    np.multiply(radius, np.sin(angle), out=result[half:])
    return result
