"""Every export plays as the policy does, and one that does not is never written."""

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers import TransformObservation
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv

from recurrent_rl import RecurrentPPO
from recurrent_rl.export import (
    ParityError,
    UnsupportedError,
    load_agent,
    numpy_agent,
    to_numpy,
    to_onnx,
    to_safetensors,
    to_torch_export,
)
from recurrent_rl.export.exportable import Exportable, exportable
from recurrent_rl.export.parity import compare, sample
from recurrent_rl.memory import GRU
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy
from recurrent_rl.vector import VecNormalize
from tests.export.conftest import CASES, FOUR, MEMORIES, Counting, make

WRITERS = {"numpy": to_numpy, "onnx": to_onnx, "torch": to_torch_export, "safetensors": to_safetensors}
OFTEN = ("GRU", "LSTM", "LRU", "Attention")  # with every form in each run of the tests; the others are slow


def same_actions_as_predict(policy, agent, steps: int = 500, rows: int = 4) -> None:
    """500 greedy actions, with resets, against the policy's own predict: none of the exporter's code on that side."""
    random, state = np.random.default_rng(1), None
    for step in range(steps):
        starts = random.random(rows) < (1.0 if step == 0 else 0.03)
        observation = sample(policy.observation_space, rows, random)
        wanted, state = policy.predict(observation, state, starts, deterministic=True)
        found = agent.act(observation, starts)
        if np.issubdtype(wanted.dtype, np.floating):
            np.testing.assert_allclose(found, wanted, atol=1e-4)
        else:
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("memory", MEMORIES, ids=lambda spec: type(spec).__name__)
def test_every_memory_plays_alike_without_torch(memory, tmp_path):
    policy = make(memory=memory)
    same_actions_as_predict(policy, numpy_agent.load(to_numpy(policy, tmp_path / "agent")))


@pytest.mark.parametrize("form", ["onnx", "torch", "safetensors"])
@pytest.mark.parametrize(
    "memory",
    [
        pytest.param(spec, marks=() if type(spec).__name__ in OFTEN else pytest.mark.slow, id=type(spec).__name__)
        for spec in MEMORIES
    ],
)
def test_every_memory_plays_alike_in_every_form(memory, form, tmp_path):
    policy = make(memory=memory)
    same_actions_as_predict(policy, load_agent(WRITERS[form](policy, tmp_path / "agent"), trust=True))


@pytest.mark.parametrize(
    "form", ["numpy", "safetensors", *(pytest.param(name, marks=pytest.mark.slow) for name in ("onnx", "torch"))]
)
@pytest.mark.parametrize("case", CASES)
def test_every_observation_action_and_layer_plays_alike(case, form, tmp_path):
    policy = CASES[case]()
    same_actions_as_predict(policy, load_agent(WRITERS[form](policy, tmp_path / "agent"), trust=True), steps=200)


@pytest.mark.parametrize("form", WRITERS)
def test_a_file_that_would_play_differently_is_not_written(form, tmp_path, policy, monkeypatch):
    found, another, agent_of = exportable(policy), exportable(make(seed=1)), Exportable.agent
    monkeypatch.setattr(Exportable, "agent", lambda self: agent_of(another if self is found else self))
    with pytest.raises(ParityError, match="no file was written"):
        WRITERS[form](found, tmp_path / "agent")
    assert not list(tmp_path.iterdir())


def test_a_leak_across_episodes_is_noticed(policy):
    found = exportable(policy)
    leaking = found.agent()
    leaking._start = lambda starts: None
    with pytest.raises(ParityError):
        compare(found.agent(), leaking)


class Contrary(RecurrentActorCriticPolicy):
    """Chooses what is least likely."""

    def distribution_from(self, parameters, latent=None):
        return super().distribution_from(-parameters, latent)


@pytest.mark.parametrize("form", ["numpy", "safetensors"])
def test_a_subclass_that_acts_otherwise_is_refused(form, tmp_path):
    policy = Contrary(FOUR, spaces.Discrete(3), lambda _: 1e-3)
    with pytest.raises(ParityError, match="subclass"):
        WRITERS[form](policy, tmp_path / "agent")
    assert not list(tmp_path.iterdir())


def test_a_bfloat16_policy_is_exported_in_float32(tmp_path):
    policy = make(precision="bfloat16")
    to_numpy(policy, tmp_path / "agent")
    assert policy.precision == "bfloat16"


def test_the_suffix_is_added_where_it_is_another(policy, tmp_path):
    for form, suffix in (("numpy", ".npz"), ("onnx", ".onnx"), ("torch", ".pt2"), ("safetensors", ".safetensors")):
        path = WRITERS[form](policy, tmp_path / "agent.v2")
        assert path.name == f"agent.v2{suffix}"
        load_agent(path, trust=True)


def test_keys_of_a_dict_may_be_names_of_other_inputs(tmp_path):
    space = spaces.Dict(dict.fromkeys(("starts", "action", "state_0"), FOUR))
    env = DummyVecEnv([lambda: TransformObservation(Counting(), lambda x: dict.fromkeys(space, x), space)])
    model = RecurrentPPO("MultiInputRecurrentPolicy", VecNormalize(env), memory=GRU(hidden_size=8), n_steps=16).learn(
        32
    )
    for form in WRITERS:
        load_agent(WRITERS[form](model, tmp_path / "agent"), trust=True)


def test_int8_that_fails_leaves_nothing_and_says_so_on_its_card(policy, tmp_path, monkeypatch):
    import onnxruntime.quantization as quantization

    text = to_onnx(policy, tmp_path / "ok.int8.onnx", int8=True).with_name("ok.int8.onnx.md").read_text()
    assert "rounded to 8 bits" in text
    monkeypatch.setattr(quantization, "quantize_dynamic", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no")))
    with pytest.raises(RuntimeError):
        to_onnx(policy, tmp_path / "x.int8.onnx", int8=True)
    assert not (tmp_path / "x.int8.onnx").exists()


class Averages(BaseFeaturesExtractor):
    def __init__(self, space):
        super().__init__(space, 4)

    def forward(self, observations):
        return observations - observations.mean() + torch.div(observations, 2.0, rounding_mode="floor")


def test_an_operation_in_a_form_that_numpy_agent_lacks_is_told(tmp_path):
    policy = make(features_extractor_class=Averages)
    with pytest.raises(UnsupportedError, match="to_onnx"):
        to_numpy(policy, tmp_path / "agent")
    with pytest.raises(ValueError, match="without code"):
        to_safetensors(policy, tmp_path / "agent")


def test_nan_is_a_disagreement(policy):
    broken = make()
    with torch.no_grad():
        broken.action_net.bias[0] = float("nan")
    with pytest.raises(ParityError):
        compare(exportable(policy).agent(), exportable(broken).agent())


def test_samples_lie_in_their_space():
    random = np.random.default_rng(0)
    for space in (
        FOUR,
        spaces.Box(0, np.inf, (3,)),
        spaces.Box(0, 255, (2, 2), np.uint8),
        spaces.MultiDiscrete([2, 5]),
    ):
        for row in sample(space, 50, random):
            assert space.contains(row)
