import itertools

import gymnasium as gym
import numpy as np
import pytest

from pomdp_envs import SingleEnv
from pomdp_envs.classic import MemoryChain


def env_with(dynamics: MemoryChain, asked: int, bits: list[int]) -> SingleEnv:
    env = SingleEnv(dynamics)
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0, 1:] = [asked, *bits]
    env.set_state(state)
    return env


@pytest.mark.parametrize(("answer", "reward"), [(0, 1.0), (1, -1.0)])
def test_the_bits_are_shown_first_the_question_last_and_only_the_last_action_counts(answer, reward):
    env = env_with(MemoryChain(memory_length=4, num_bits=3), 2, [1, 1, 0])
    assert env.dynamics.observe(env.hidden_state()[:, None]).tolist() == [[1.0, 0, 1, 1, -1]]
    steps = [env.step(action) for action in (1, 0, 1, answer)]
    seen = [[0.75, 0, 0, 0, 0], [0.5, 0, 0, 0, 0], [0.25, 2, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert [step[0].tolist() for step in steps] == seen
    assert [step[1] for step in steps] == [0, 0, 0, reward]
    assert [step[2] for step in steps] == [False, False, False, True]
    assert not any(step[3] for step in steps)


def bsuite_stream(memory_length: int, asked: int, bits: list[int]) -> list[list[float]]:
    """bsuite's observations at times 0 .. memory_length, as its paper and code lay them out."""
    stream = []
    for time in range(memory_length + 1):
        query = asked if time == memory_length - 1 else 0
        context = [2 * bit - 1 if time == 0 else 0 for bit in bits]
        stream.append(np.float32([1 - time / memory_length, query, *context]).tolist())
    return stream


@pytest.mark.parametrize(("length", "bits"), [(2, [1]), (7, [0]), (2, [1, 0, 1, 1]), (5, [0, 1])])
def test_the_observations_are_those_of_bsuite_without_the_repeated_first_one(length, bits):
    env = env_with(MemoryChain(length, len(bits)), len(bits) - 1, bits)
    stream = [env.dynamics.observe(env.hidden_state()[:, None])[0].tolist()]
    stream += [env.step(0)[0].tolist() for _ in range(length)]
    assert stream == bsuite_stream(length, len(bits) - 1, bits)


def test_every_bit_and_question_is_equally_likely():
    corners = np.array(list(itertools.product([0.1, 0.9], repeat=2))).T  # [2, 4]
    asked = np.linspace(0, 1, 20, endpoint=False)
    uniforms = np.concatenate([asked.repeat(4)[None], np.tile(corners, 20)])
    states, counts = np.unique(MemoryChain(5, 2).initial(uniforms), axis=1, return_counts=True)
    assert states.shape == (4, 8)
    assert (counts == 10).all()


@pytest.mark.parametrize(("length", "num_bits"), [(2, 1), (3, 2), (2, 3)])
def test_whatever_is_answered_to_the_last_observation_alone_the_mean_return_is_the_stated_one(length, num_bits):
    """All deterministic answers to all last observations; one that randomises is a mixture of them."""
    dynamics = MemoryChain(length, num_bits)
    states = np.array(list(itertools.product([length - 1], range(num_bits), *[(0, 1)] * num_bits))).T
    last, which = np.unique(dynamics.observe(states), axis=0, return_inverse=True)
    for answers in itertools.product((0, 1), repeat=len(last)):
        action = np.array(answers)[which.ravel()]
        _, reward, ended = dynamics.transition(states.copy(), action, np.empty((0, len(action))))
        assert ended.all()
        assert reward.mean() == dynamics.memoryless_return == 0.0
    assert reward.max() == dynamics.optimal_return == 1.0


def test_both_ids_take_length_and_number_of_bits():
    for env_id in ("MemoryChain", "MemorySize"):
        env = gym.make_vec(f"pomdp_envs/{env_id}-v0", num_envs=2, memory_length=3, num_bits=40)
        assert env.single_observation_space.shape == (42,)
        assert env.single_observation_space.high.max() == 39
    assert gym.make("pomdp_envs/MemorySize-v0").unwrapped.dynamics.memory_length == 2


def test_impossible_chains_are_refused():
    for wrong in ({"memory_length": 1}, {"memory_length": 2.5}, {"num_bits": 0}, {"num_bits": 1.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            MemoryChain(**wrong)
