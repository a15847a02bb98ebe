import numpy as np
import pytest

from pomdp_envs.control.mountain_car import LEFT_WALL, RIGHT_WALL, _acceleration, _rounded_acceleration
from pomdp_envs.control.rounding import SQUARE_ERROR, rounded, scalar_squares

CHUNK = 1 << 20
BITS_OF_TWO = 0x40000000


def assert_squares_equal_scalar_squares(values: np.ndarray) -> None:
    expected = np.array([value**2 for value in values], dtype=np.float32)
    np.testing.assert_array_equal(scalar_squares(values), expected)


@pytest.mark.parametrize("sign", [1, -1])
def test_squares_of_values_all_over_the_torques_equal_those_of_scalars(sign):
    rng = np.random.default_rng(0)
    assert_squares_equal_scalar_squares((sign * rng.uniform(0, 2, CHUNK)).astype(np.float32))
    every_size = rng.integers(0, BITS_OF_TWO, CHUNK, endpoint=True).astype(np.uint32)
    assert_squares_equal_scalar_squares(sign * every_size.view(np.float32))
    assert_squares_equal_scalar_squares(np.float32(sign) * np.array([0, 1, 2, 0.5, 1e-45, 1.2e-38], dtype=np.float32))


@pytest.mark.slow
def test_squares_of_every_float32_in_three_binades_equal_those_of_scalars():
    for start in range(BITS_OF_TWO - 3 * (1 << 23), BITS_OF_TWO, CHUNK):
        values = np.arange(start, start + CHUNK, dtype=np.uint32).view(np.float32)
        assert_squares_equal_scalar_squares(values)


def test_few_squares_have_to_be_computed_one_by_one():
    squares = np.square(np.random.default_rng(0).uniform(0, 2, CHUNK).astype(np.float32), dtype=np.float64)
    asked = []
    rounded(squares, squares * SQUARE_ERROR, lambda index: asked.append(index) or 0.0)
    assert 0 < len(asked) < 0.04 * CHUNK


def test_an_entry_beside_a_rounding_boundary_is_asked_for_and_no_other():
    boundary = 1 + 2.0**-24  # between 1 and the next float32
    values = np.array([boundary - 1e-12, boundary - 1e-8, boundary + 1e-8, boundary + 1e-12])
    following = 1 + 2.0**-23
    exact = {0: following, 3: 1.0}  # the wrong sides: they must be taken from here
    assert rounded(values, 1e-11, exact.__getitem__).tolist() == [following, 1.0, following, 1.0]


@pytest.mark.parametrize("reach", [1.0, 1.5])
def test_the_cars_rounded_acceleration_equals_the_one_by_one_form(reach):
    rng = np.random.default_rng(1)
    position = rng.uniform(LEFT_WALL, RIGHT_WALL, CHUNK).astype(np.float32)
    force = rng.uniform(-reach, reach, CHUNK).astype(np.float32)
    expected = _acceleration(position, force).astype(np.float32)
    np.testing.assert_array_equal(_rounded_acceleration(position, force), expected)
