"""bfloat16 products: close to float32, with float32 weights, states and results; the same when acting and when updating."""

import pytest
import torch

from recurrent_rl import RecurrentPPO
from recurrent_rl.compiled.product import HAS_BFLOAT16
from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.vector import as_vec_env

TOLERANCE = 0.03  # of outputs and gradients, relative to the largest; eight bits of mantissa, over 20 steps
RATIO_TOLERANCE = 0.02

needs_bfloat16 = pytest.mark.skipif(not HAS_BFLOAT16, reason="needs AVX512-BF16")


@pytest.fixture(autouse=True)
def _compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


@needs_bfloat16
@pytest.mark.parametrize(
    "spec", [RNN(hidden_size=33), LSTM(hidden_size=64, num_layers=2), GRU(hidden_size=5)], ids=repr
)
def test_a_memory_under_autocast_is_near_float32(spec):
    torch.manual_seed(0)
    memory, starts = spec.build(7), torch.rand(20, 9) < 0.1
    inputs = torch.randn(20, 9, 7, requires_grad=True)

    def run(autocast):
        memory.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            outputs, state = memory(inputs, memory.initial_state(9), starts)
        assert outputs.dtype == state[0].dtype == torch.float32
        return [outputs, *state, *torch.autograd.grad(outputs.square().sum(), [inputs, *memory.parameters()])]

    for found, exact in zip(run(True), run(False), strict=True):
        error = (found - exact).abs().max() / exact.abs().max()
        assert 0.0 < error < TOLERANCE


@needs_bfloat16
def test_the_first_ratio_is_one_within_the_tolerance_of_bfloat16():
    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=8)
    model = RecurrentPPO(
        "MlpRecurrentPolicy",
        env,
        memory=GRU(hidden_size=64),
        n_steps=64,
        batch_size=256,
        n_epochs=2,
        policy_kwargs={"precision": "bfloat16"},
        seed=0,
    )
    model.learn(3 * 512)
    assert model.logger.name_to_value["train/first_ratio_error"] < RATIO_TOLERANCE
    assert all(parameter.dtype == torch.float32 for parameter in model.policy.parameters())


@pytest.mark.parametrize("spec", [RNN(hidden_size=5), LSTM(hidden_size=5), GRU(hidden_size=5)], ids=repr)
@pytest.mark.parametrize("steps", [1, 6])
def test_without_the_compiled_loops_autocast_leaves_float32(spec, steps, monkeypatch):
    monkeypatch.setenv("RECURRENT_RL_KERNELS", "loop")
    memory, inputs, starts = spec.build(3), torch.randn(steps, 2, 3), torch.zeros(steps, 2, dtype=torch.bool)
    expected = memory(inputs, memory.initial_state(2), starts)
    with torch.autocast("cpu", torch.bfloat16):
        found = memory(inputs, memory.initial_state(2), starts)
    torch.testing.assert_close(found, expected)


def test_precision_is_saved_and_checked(tmp_path):
    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=2)
    with pytest.raises(ValueError, match="precision"):
        RecurrentPPO("MlpRecurrentPolicy", env, policy_kwargs={"precision": "float16"})
    model = RecurrentPPO("MlpRecurrentPolicy", env, n_steps=8, policy_kwargs={"precision": "bfloat16"})
    model.save(tmp_path / "model.zip")
    assert RecurrentPPO.load(tmp_path / "model.zip").policy.precision == "bfloat16"
