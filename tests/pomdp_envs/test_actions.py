import numpy as np
import pytest
from gymnasium import spaces

from pomdp_envs.actions import checked_actions

FORCE = spaces.Box(-1.0, 1.0, (1,), np.float32)


@pytest.mark.parametrize("action", [2, -1])
def test_a_discrete_action_outside_the_space_is_named_with_its_column(action):
    with pytest.raises(ValueError, match=rf"action {action} in column 1 is outside Discrete\(2\)"):
        checked_actions(spaces.Discrete(2), np.array([0, action, 1]), 3, "World")


def test_fractions_are_no_discrete_actions():
    with pytest.raises(ValueError, match="must be integers in every column, not float64"):
        checked_actions(spaces.Discrete(2), np.array([0.5, 1.0]), 2, "World")


@pytest.mark.parametrize(("space", "actions"), [(spaces.Discrete(2), np.zeros((3, 1), int)), (FORCE, np.zeros(3))])
def test_actions_of_the_wrong_shape_are_refused(space, actions):
    with pytest.raises(ValueError, match="shape"):
        checked_actions(space, actions, 3, "World")


def test_a_nan_force_is_refused():
    with pytest.raises(ValueError, match="column 1"):
        checked_actions(FORCE, np.array([[0.0], [np.nan]]), 2, "World")


def test_a_force_outside_the_bounds_is_left_to_the_dynamics():
    assert checked_actions(FORCE, np.array([[3.0]]), 1, "World").tolist() == [[3.0]]


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_any_integers_are_discrete_actions(dtype):
    actions = checked_actions(spaces.Discrete(3), np.array([0, 2], dtype=dtype), 2, "World")
    assert actions.dtype == np.int64
    assert actions.tolist() == [0, 2]


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64])
def test_integers_of_any_width_are_taken_and_looked_at(dtype):
    assert checked_actions(spaces.Discrete(2), np.array([0, 1], dtype=dtype), 2, "World").tolist() == [0, 1]
    with pytest.raises(ValueError, match="in column 1 is outside"):
        checked_actions(spaces.Discrete(2), np.array([0, -1]).astype(dtype), 2, "World")
