"""The tiles give the matrix product; bfloat16 rounds the factors and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.compiled.multiply import pack_weights
from recurrent_rl.compiled.product import HAS_BFLOAT16, WIDTH, padded, product
from recurrent_rl.compiled.threads import run_tasks


def rounded(x):
    """float32 rounded to bfloat16, ties to even."""
    bits = x.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def pairs_of(x):
    """Neighbours along the last axis as 32-bit words."""
    if x.shape[-1] % 2:
        x = np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1)
    bits = rounded(np.ascontiguousarray(x)).view(np.uint32) >> 16
    return np.ascontiguousarray(bits[..., 0::2] | (bits[..., 1::2] << 16))


def multiply(left, matrix, bfloat16):
    """left @ matrix^T by the tiles, with the matrix packed by the task that programs use."""
    (rows, depth), columns = left.shape, len(matrix)
    words = -(-depth // 2) if bfloat16 else depth
    panels = np.empty(padded(columns) * words, dtype=np.uint32)
    job = [matrix.ctypes.data, columns, depth, bfloat16, panels.ctypes.data]
    run_tasks(pack_weights, np.array([job], dtype=np.int64))
    factors = pairs_of(left) if bfloat16 else left
    out = np.zeros((rows, padded(columns)), dtype=np.float32)
    table = [out.ctypes.data, out.shape[1], factors.ctypes.data, words, 1, panels.ctypes.data, WIDTH, words * WIDTH]
    run_tasks(product, np.array([[*table, rows, out.shape[1], words, bfloat16]], dtype=np.int64))
    assert not out[:, columns:].any()
    return out[:, :columns]


SIZES = {
    "rows": st.integers(1, 40),
    "depth": st.integers(1, 70),
    "columns": st.integers(1, 70),
    "seed": st.integers(0, 99),
}


@settings(max_examples=60, deadline=None)
@given(**SIZES)
def test_the_tiles_give_the_matrix_product(rows, depth, columns, seed):
    random = np.random.default_rng(seed)
    left, matrix = (random.normal(size=(n, depth)).astype(np.float32) for n in (rows, columns))
    np.testing.assert_allclose(multiply(left, matrix, False), left @ matrix.T, rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(not HAS_BFLOAT16, reason="needs AVX512-BF16")
@settings(max_examples=60, deadline=None)
@given(**SIZES)
def test_bfloat16_rounds_the_factors_and_nothing_else(rows, depth, columns, seed):
    random = np.random.default_rng(seed)
    left, matrix = (random.normal(size=(n, depth)).astype(np.float32) for n in (rows, columns))
    np.testing.assert_allclose(multiply(left, matrix, True), rounded(left) @ rounded(matrix).T, rtol=1e-5, atol=1e-5)


def test_a_row_gets_the_same_bits_in_any_batch():
    random = np.random.default_rng(0)
    left, matrix = (random.normal(size=(n, 33)).astype(np.float32) for n in (29, 40))
    together = multiply(left, matrix, False)
    alone = np.concatenate([multiply(left[i : i + 1].copy(), matrix, False) for i in range(29)])
    assert np.array_equal(together, alone)
