"""The belief filter keeps the contract, and is the exact Bayes filter of a chain whose matrices it is given."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import pomdp_envs  # noqa: F401
from recurrent_rl.memory.belief import BeliefFilter, forward_filter
from recurrent_rl.testing import check_memory

CHAIN = [[0.7, 0.3, 0.0], [0.0, 0.8, 0.2], [0.5, 0.1, 0.4]]
EMISSION = [[0.5, 0.4, 0.1, 0.0], [0.1, 0.3, 0.3, 0.3], [0.0, 0.0, 0.5, 0.5]]
START = [0.25, 0.75, 0.0]
SPECS = [
    BeliefFilter(),
    BeliefFilter(hidden_size=5, stay=0.5),
    BeliefFilter(hidden_size=5, output="log"),
    BeliefFilter(hidden_size=1),
]


def by_hand(chain, emission, start, **fields):
    """A filter that holds the matrices; a probability of zero is exp(-1000)."""
    chain, emission, start = (
        torch.tensor(rows, dtype=torch.float64).log().clamp(min=-1e3) for rows in (chain, emission, start)
    )
    memory = BeliefFilter(hidden_size=len(start), **fields).build(emission.shape[1]).double()
    with torch.no_grad():
        memory.transition.copy_(chain)
        memory.initial.copy_(start)
        memory.scores.weight.copy_(emission)
    return memory


def one_hot(symbols, dtype=torch.float64):
    return torch.nn.functional.one_hot(torch.as_tensor(np.array(symbols)), len(EMISSION[0])).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_belief_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)], ids=str)
def test_belief_is_that_of_the_world_across_episodes(dtype, tolerance):
    arguments = {"transition": CHAIN, "emission": EMISSION, "start": START, "episode_length": 7}
    env = gym.make_vec("pomdp_envs/HMMWorld-v0", num_envs=4, autoreset_mode=AutoresetMode.SAME_STEP, **arguments)
    observation, _ = env.reset(seed=3)
    starts = np.ones(4, dtype=bool)
    observations, flags, beliefs = [], [], []
    for _ in range(60):
        observations.append(observation)
        flags.append(starts)
        beliefs.append(env.unwrapped.belief())
        observation, _, starts, _, _ = env.step(np.zeros(4, dtype=int))
    assert np.array(flags).sum() > 4 * 8
    memory = by_hand(CHAIN, EMISSION, START).to(dtype)
    entry = (torch.full((4, 3), torch.nan, dtype=dtype),)
    outputs, _ = memory(one_hot(observations, dtype), entry, torch.from_numpy(np.array(flags)))
    np.testing.assert_allclose(outputs.detach().numpy(), np.array(beliefs), atol=tolerance, rtol=0)


def oracle(memory, inputs, starts):
    """The scaled forward recursion for inputs [T, I] of one column, in exponentials of plain scores."""
    transition = memory.transition.exp() / memory.transition.exp().sum(1, keepdim=True)
    initial = memory.initial.exp() / memory.initial.exp().sum()
    belief, beliefs = None, []
    for x, start in zip(inputs, starts, strict=True):
        prior = initial if start or belief is None else sum(belief[i] * transition[i] for i in range(len(belief)))
        joint = prior * torch.exp(memory.scores.weight @ x + memory.scores.bias)
        belief = joint / joint.sum()
        beliefs.append(belief)
    return torch.stack(beliefs)


@pytest.mark.parametrize("output", ["belief", "log"])
@pytest.mark.parametrize("density", [0.0, 0.2])
def test_belief_is_the_forward_recursion_with_gradients(density, output):
    torch.manual_seed(0)
    memory = BeliefFilter(hidden_size=4, output=output).build(3).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(torch.randn_like(parameter))
    inputs, starts = torch.randn(25, 2, 3).double().requires_grad_(), torch.rand(25, 2) < density
    expected = torch.stack([oracle(memory, inputs[:, b], starts[:, b].tolist()) for b in range(2)], dim=1)
    if output == "log":
        expected = expected.log()
    results = []
    for outputs in (memory(inputs, memory.initial_state(2), starts)[0], expected):
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradients = torch.autograd.grad((outputs * weights).sum(), [inputs, *memory.parameters()])
        results.append((outputs, *gradients))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("steps", [1, 12])
def test_gradients_pass_gradcheck_with_a_free_entry_state(steps):
    torch.manual_seed(0)
    tensors = [torch.rand(shape, dtype=torch.float64) + 0.1 for shape in ((steps, 2, 3), (2, 3), (3,), (3, 3))]
    starts = torch.rand(steps, 2) < 0.2
    assert torch.autograd.gradcheck(lambda *t: forward_filter(*t, starts), [t.requires_grad_() for t in tensors])


def test_gaussian_scores_by_hand_are_the_filter_of_gaussian_emissions():
    torch.manual_seed(0)
    means, covariance = torch.randn(3, 2).double(), torch.tensor([[1.0, 0.3], [0.3, 0.5]], dtype=torch.float64)
    memory = by_hand(CHAIN, torch.zeros(3, 2).tolist(), START)
    with torch.no_grad():
        memory.scores.weight.copy_(means @ covariance.inverse())
        memory.scores.bias.copy_(-0.5 * (means @ covariance.inverse() * means).sum(1))
    inputs = torch.randn(20, 2).double()
    outputs, _ = memory(inputs.unsqueeze(1), memory.initial_state(1), torch.zeros(20, 1, dtype=torch.bool))
    belief, chain = torch.tensor(START, dtype=torch.float64), torch.tensor(CHAIN, dtype=torch.float64)
    for t, x in enumerate(inputs):
        prior = belief if t == 0 else belief @ chain
        joint = prior * torch.distributions.MultivariateNormal(means, covariance).log_prob(x).exp()
        belief = joint / joint.sum()
        torch.testing.assert_close(outputs[t, 0], belief, atol=1e-10, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_an_input_that_no_state_can_have_emitted_leaves_the_prior_with_finite_gradients(dtype):
    memory = by_hand([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [1.0, 0.0]).to(dtype)
    inputs = torch.eye(2, dtype=dtype)[[0, 1, 0]].unsqueeze(1)  # state 0 lasts, and never emits symbol 1
    outputs, _ = memory(inputs, memory.initial_state(1), torch.zeros(3, 1, dtype=torch.bool))
    torch.testing.assert_close(outputs[:, 0], torch.tensor([[1.0, 0.0]] * 3, dtype=dtype))
    for gradient in torch.autograd.grad(outputs.square().sum(), list(memory.parameters())):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("output", ["belief", "log"])
@pytest.mark.parametrize("size", [0.3, 3.0, 100.0])
def test_beliefs_stay_probabilities_for_any_parameters(size, output):
    torch.manual_seed(0)
    memory = BeliefFilter(hidden_size=6, output=output).build(3)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    outputs, _ = memory(torch.randn(2000, 2, 3), memory.initial_state(2), torch.zeros(2000, 2, dtype=torch.bool))
    beliefs = outputs if output == "belief" else outputs.exp()
    assert outputs.isfinite().all()
    assert (beliefs >= 0).all()
    torch.testing.assert_close(beliefs.sum(-1), torch.ones(2000, 2), atol=1e-5, rtol=0)
    for gradient in torch.autograd.grad(outputs[-50:].square().sum(), list(memory.parameters())):
        assert gradient.isfinite().all()


@pytest.mark.parametrize(("states", "stay"), [(2, 0.5), (7, 0.9), (64, 0.99)])
def test_the_chain_begins_with_the_probability_of_staying(states, stay):
    transition = BeliefFilter(hidden_size=states, stay=stay).build(3).transition.softmax(1)
    torch.testing.assert_close(transition.diagonal(), torch.full((states,), stay))
    torch.testing.assert_close(transition[0, 1], torch.tensor((1 - stay) / (states - 1)))


def test_states_stay_float32_under_autocast():
    memory = BeliefFilter(hidden_size=8).build(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for steps in (1, 9):
            starts = torch.zeros(steps, 2, dtype=torch.bool)
            outputs, (prior,) = memory(torch.randn(steps, 2, 3), memory.initial_state(2), starts)
            assert outputs.dtype == prior.dtype == torch.float32
            torch.testing.assert_close(outputs.sum(-1), torch.ones(steps, 2))


@pytest.mark.parametrize(
    ("field", "fields"),
    [("hidden_size", {"hidden_size": 0}), ("stay", {"stay": 1.0}), ("output", {"output": "logits"})],
)
def test_bad_fields_are_named(field, fields):
    with pytest.raises(ValueError, match=field + " must"):
        BeliefFilter(**fields)
