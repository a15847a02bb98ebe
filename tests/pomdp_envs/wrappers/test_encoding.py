import numpy as np
import pytest
from gymnasium import spaces

from pomdp_envs.wrappers.encoding import action_width, encode_actions, join, joint_space

CASES = {
    "discrete": (spaces.Discrete(3), [0, 2], [[1, 0, 0], [0, 0, 1]]),
    "discrete from -1": (spaces.Discrete(3, start=-1), [-1, 1], [[1, 0, 0], [0, 0, 1]]),
    "multi-discrete": (spaces.MultiDiscrete([2, 3]), [[1, 0], [0, 2]], [[0, 1, 1, 0, 0], [1, 0, 0, 0, 1]]),
    "multi-discrete from 5": (spaces.MultiDiscrete([2, 2], start=[5, 0]), [[6, 0]], [[0, 1, 1, 0]]),
    "multi-binary": (spaces.MultiBinary(3), [[1, 0, 1]], [[1, 0, 1]]),
    "box": (spaces.Box(-2, 2, (2, 2)), [[[0.5, -1], [2, 0]]], [[0.5, -1, 2, 0]]),
}


@pytest.mark.parametrize("name", CASES)
def test_actions_are_encoded_as_stated(name):
    space, actions, expected = CASES[name]
    encoded = encode_actions(space, np.array(actions))
    assert encoded.tolist() == expected
    assert encoded.dtype == np.float32
    assert encoded.shape[1] == action_width(space)


@pytest.mark.parametrize("name", CASES)
def test_a_joined_observation_lies_in_the_joint_space(name):
    space, actions, _ = CASES[name]
    encoded = encode_actions(space, np.array(actions))[0]
    for base in (spaces.Box(-1, 1, (4,)), spaces.Discrete(5), spaces.Box(0, 255, (8, 8, 3), np.uint8)):
        joint = joint_space(base, space)
        for action in (encoded, np.zeros_like(encoded)):  # zeros stand for "none yet"
            assert joint.contains(join(base, base.sample(), action, np.float64(-3.5)))


def test_a_flat_observation_stays_flat_and_ends_with_the_reward():
    base = spaces.Box(-1, 1, (2,), np.float64)
    joined = join(base, np.array([0.25, 0.5]), np.array([0.0, 1.0], dtype=np.float32), np.float64(7.0))
    assert joined.tolist() == [0.25, 0.5, 0, 1, 7]
    assert joined.dtype == np.float32


def test_a_dict_keeps_its_keys_and_gets_two_and_a_clash_is_refused():
    base = spaces.Dict({"a": spaces.Box(-1, 1, (2,)), "b": spaces.Discrete(4)})
    joint = joint_space(base, spaces.Discrete(2))
    assert set(joint.spaces) == {"a", "b", "previous_action", "previous_reward"}
    joined = join(base, base.sample(), np.array([0.0, 1.0], dtype=np.float32), np.float64(2.5))
    assert joint.contains(joined)
    assert joined["previous_reward"].tolist() == [2.5]
    assert set(base.spaces) == {"a", "b"}  # the space that was given is not changed
    with pytest.raises(ValueError, match=r"\['previous_reward'\] already"):
        joint_space(spaces.Dict({"previous_reward": spaces.Box(0, 1, (1,))}), spaces.Discrete(2))


def test_an_action_space_away_from_zero_still_has_room_for_no_action():
    space = joint_space(spaces.Box(0, 1, (1,)), spaces.Box(2, 3, (1,)))
    assert isinstance(space, spaces.Box)
    assert space.low.tolist() == [0, 0, -np.inf]
    assert space.high.tolist() == [1, 3, np.inf]


def test_a_tuple_of_actions_is_refused():
    with pytest.raises(ValueError, match="not Tuple"):
        action_width(spaces.Tuple([spaces.Discrete(2)]))
