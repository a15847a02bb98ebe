"""A wrapped native batch gives the training rows of wrapped single environments, in every autoreset mode."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import DummyVecEnv

sys.path.insert(0, str(Path(__file__).parent))
from streams import stream

from pomdp_envs import (
    Delay,
    Flicker,
    FrameDrop,
    MaskObservation,
    ObservationNoise,
    PreviousActionReward,
    VectorDelay,
    VectorFlicker,
    VectorFrameDrop,
    VectorMaskObservation,
    VectorObservationNoise,
    VectorPreviousActionReward,
)
from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU
from recurrent_rl.vector import as_vec_env, get_env_state, set_env_state

MODES = list(AutoresetMode)
B = 3
WRAPPERS = {
    "flicker": (Flicker, VectorFlicker, {"probability": 0.4}),
    "delay": (Delay, VectorDelay, {"delay": 2}),
    "frame drop": (FrameDrop, VectorFrameDrop, {"probability": 0.5}),
    "noise": (ObservationNoise, VectorObservationNoise, {"std": 0.1}),
    "mask": (MaskObservation, VectorMaskObservation, {"hidden": (1,)}),
    "previous": (PreviousActionReward, VectorPreviousActionReward, {}),
}
BASES = {"terminates": ("CartPoleNoVel", {}), "is truncated": ("TMaze", {"corridor_length": 3, "time_limit": 5})}


def batch(wrapper: str, base: str, mode: AutoresetMode):
    name, options = BASES[base]
    _, vector, arguments = WRAPPERS[wrapper]
    return as_vec_env(
        vector(gym.make_vec(f"pomdp_envs/{name}-v0", num_envs=B, autoreset_mode=mode, **options), **arguments)
    )


def columns(wrapper: str, base: str):
    name, options = BASES[base]
    single, _, arguments = WRAPPERS[wrapper]
    return as_vec_env(DummyVecEnv([lambda: single(gym.make(f"pomdp_envs/{name}-v0", **options), **arguments)] * B))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_rows_are_those_of_wrapped_single_environments(wrapper, base, mode):
    ours, theirs = stream(batch(wrapper, base, mode), 60), stream(columns(wrapper, base), 60)
    for found, expected in zip(ours, theirs, strict=True):
        assert found == expected[: len(found)]
        assert len(found) > 40
        assert any(row[3] or row[4] for row in found)
    assert base == "terminates" or any(row[5] is not None for column in ours for row in column)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_training_tensors_are_those_of_wrapped_single_environments(wrapper, mode):
    def train(env):
        memory = GRU(hidden_size=4)
        model = RecurrentPPO("MlpRecurrentPolicy", env, memory=memory, n_steps=32, batch_size=32, n_epochs=1, seed=1)
        return model.learn(1).rollout_buffer

    ours, theirs = train(batch(wrapper, "is truncated", mode)), train(columns(wrapper, "is truncated"))
    assert ours.truncated.any()
    for field in (
        "observations",
        "actions",
        "rewards",
        "starts",
        "terminated",
        "truncated",
        "advantages",
        "final_values",
    ):
        assert torch.equal(getattr(ours, field), getattr(theirs, field)), field


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_state_put_into_a_fresh_environment_goes_on_identically(wrapper, mode):
    env, fresh = batch(wrapper, "is truncated", mode), batch(wrapper, "is truncated", mode)
    env.seed(4)
    env.reset()
    fresh.reset()
    actions = np.random.default_rng(0).integers(4, size=(60, B))
    for row in actions[:23]:
        env.step(row)
    set_env_state(fresh, get_env_state(env))
    for row in actions[23:]:
        for a, b in zip(fresh.step(row)[:3], env.step(row)[:3], strict=True):
            np.testing.assert_array_equal(a, b)
