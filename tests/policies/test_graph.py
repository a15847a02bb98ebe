"""A step as a CUDA graph: what is captured is a pure function of buffers that reads nothing on the host."""

import copy
import logging

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from recurrent_rl.memory import GRU, LSTM, RNN, FrameWindow, NoMemory
from recurrent_rl.policies import (
    MLPFeatures,
    RecurrentActorCriticCnnPolicy,
    RecurrentActorCriticPolicy,
    RecurrentMultiInputActorCriticPolicy,
    graph,
)
from recurrent_rl.policies.graph import GraphedStep, MadeOf, through_graph, why_no_graph
from recurrent_rl.policies.heads import choose_actions

B = 5
BOX = spaces.Box(-1.0, 1.0, (3,))
IMAGE = spaces.Box(0, 255, (1, 36, 36), dtype=np.uint8)
MEMORIES = [
    RNN(hidden_size=4),
    GRU(hidden_size=4, layer_norm=True),
    LSTM(hidden_size=4, num_layers=2, learned_initial_state=True),
    FrameWindow(3),
    NoMemory(),
]
ACTIONS = [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2), spaces.Box(-1, 1, (2,))]
WAITING = {
    "multinomial",
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "item",
    "equal",
}  # on CUDA, in the operation


@pytest.fixture(autouse=True)
def _compiled_kernels(monkeypatch):
    """The tests run a second time on the plain loop, which is a reason against graphs."""
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


class Operations(TorchDispatchMode):
    """Notes the names of all operations."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def make(actions=ACTIONS[0], observations=BOX, kind=RecurrentActorCriticPolicy, **arguments):
    policy = kind(observations, actions, lambda _: 1e-3, **{"memory": GRU(hidden_size=4), **arguments})
    policy.set_training_mode(False)
    return policy


def random_inputs(policy, seed=0, batch_size=B):
    """An observation, a state and starts."""
    random = np.random.default_rng(seed)
    policy.observation_space.seed(seed)
    samples = [policy.observation_space.sample() for _ in range(batch_size)]
    if isinstance(policy.observation_space, spaces.Dict):
        observation = {key: torch.as_tensor(np.stack([x[key] for x in samples])) for key in samples[0]}
    else:
        observation = torch.as_tensor(np.stack(samples))
    state = policy.initial_state(batch_size)
    state = tuple(torch.as_tensor(random.normal(size=leaf.shape), dtype=torch.float32) for leaf in state)
    return observation, state, torch.as_tensor(random.random(batch_size) < 0.4)


def flat(results):
    *tensors, leaving = results
    return [*tensors, *leaving]


@pytest.fixture
def graphed(monkeypatch):
    """Make a graphed step of a policy whose captures, counted, repeat the step by Python instead of on the device."""
    captures = []

    def capture(run, device):
        captures.append(device)
        return run

    monkeypatch.setattr(graph, "capture", capture)
    return lambda policy: GraphedStep(policy.act, MadeOf.of(policy), graph._weights(policy)), captures


@pytest.mark.parametrize("critic", ["shared", "separate"])
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@pytest.mark.parametrize("actions", ACTIONS, ids=lambda space: type(space).__name__)
def test_a_step_with_starts_and_all_else_on_the_device_reads_nothing_on_the_host(memory, critic, actions):
    policy = make(actions, memory=memory, critic=critic).to("meta")
    inputs = torch.zeros(B, 3, device="meta"), policy.initial_state(B), torch.zeros(B, dtype=torch.bool, device="meta")
    for deterministic in (False, True):
        with torch.no_grad(), Operations() as operations:
            results = flat(policy.act(*inputs, deterministic))
            results += flat(policy._choose_by_modules(*inputs[:1], inputs[1][: policy._actor_leaves], inputs[2], False))
        assert {x.device.type for x in results} == {"meta"}
        assert not operations.names & WAITING


@pytest.mark.parametrize("actions", ACTIONS, ids=lambda space: type(space).__name__)
def test_actions_are_those_that_torch_draws(actions):
    policy = make(actions)
    distribution = policy.distribution_from(torch.randn(1000, policy.action_net.out_features))
    for deterministic in (False, True):
        torch.manual_seed(3)
        expected, state = distribution.get_actions(deterministic), torch.get_rng_state()
        torch.manual_seed(3)
        assert torch.equal(choose_actions(distribution, deterministic), expected)
        assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@pytest.mark.parametrize("actions", ACTIONS, ids=lambda space: type(space).__name__)
def test_a_replayed_step_equals_the_policys_for_the_same_generator_state(actions, memory, graphed):
    policy = make(actions, memory=memory, critic="separate")
    make_step, captures = graphed
    step = make_step(policy)
    for seed in range(4):
        inputs = random_inputs(policy, seed)
        torch.manual_seed(seed)
        with torch.no_grad():
            expected, after = flat(policy.act(*inputs)), torch.rand(1)
        torch.manual_seed(seed)
        found = flat(step(*inputs))
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
        assert torch.equal(torch.rand(1), after)
    assert len(captures) == 1


def test_results_are_the_callers_own_and_inputs_are_left_alone(graphed):
    policy = make(memory=LSTM(hidden_size=4))
    step = graphed[0](policy)
    kept = []
    for seed in range(4):
        inputs = random_inputs(policy, seed)
        before = copy.deepcopy(inputs)
        results = flat(step(*inputs))
        kept.append((results, [x.clone() for x in results]))
        assert torch.equal(inputs[0], before[0])
        assert all(torch.equal(one, other) for one, other in zip(inputs[1], before[1], strict=True))
    assert all(torch.equal(one, other) for pair in kept for one, other in zip(*pair, strict=True))


@pytest.mark.parametrize(
    ("kind", "observations"),
    [
        (RecurrentActorCriticCnnPolicy, IMAGE),
        (RecurrentActorCriticPolicy, spaces.MultiDiscrete([2, 4])),
        (RecurrentMultiInputActorCriticPolicy, spaces.Dict({"b": BOX, "a": spaces.Discrete(3), "image": IMAGE})),
    ],
)
def test_images_and_dicts_are_stepped_too(kind, observations, graphed):
    policy = make(observations=observations, kind=kind)
    assert why_no_graph(policy) is None
    step = graphed[0](policy)
    for seed in range(3):
        inputs = random_inputs(policy, seed)
        with torch.no_grad():
            torch.manual_seed(0)
            expected = flat(policy.act(*inputs))
        torch.manual_seed(0)
        for one, other in zip(flat(step(*inputs)), expected, strict=True):
            torch.testing.assert_close(one, other)


def test_a_shape_is_captured_when_it_comes_a_second_time_in_a_row(graphed):
    policy = make()
    make_step, captures = graphed
    step, counts = make_step(policy), []
    for batch_size in (2, 3, 2, 2, 2, 3, 3):
        step(*random_inputs(policy, batch_size=batch_size))
        counts.append(len(captures))
    assert counts == [0, 0, 0, 1, 1, 1, 2]


def test_a_step_that_waits_runs_without_a_graph_and_the_log_says_so(graphed, monkeypatch, caplog):
    def refuse(run, device):
        raise graph.WaitsForDeviceError("called a synchronizing operation")

    policy = make()
    step = graphed[0](policy)
    monkeypatch.setattr(graph, "capture", refuse)
    with caplog.at_level(logging.WARNING, logger="recurrent_rl"):
        for _ in range(4):
            actions, *_ = step(*random_inputs(policy))
    assert actions.shape == (B,)
    assert len(caplog.records) == 1
    assert "called a synchronizing operation" in caplog.text


def test_a_graph_serves_as_long_as_its_parts_are_the_same_and_lie_where_they_did():
    policy = make()
    first = MadeOf.of(policy)
    loss = policy.evaluate_actions(
        torch.ones(2, B, 3), torch.zeros(2, B), policy.initial_state(B), torch.ones(2, B) > 0
    )
    sum(x.sum() for x in loss).backward()
    policy.optimizer.step()
    policy.load_state_dict(policy.state_dict())
    assert MadeOf.of(policy) == first
    policy.precision = "bfloat16"
    assert MadeOf.of(policy) != first
    policy.precision = "float32"
    policy.actor_layers[1] = nn.ReLU()
    second = MadeOf.of(policy)
    assert second != first
    policy.value_net.weight.data = policy.value_net.weight.data.clone()
    assert MadeOf.of(policy) != second


def test_what_no_graph_can_hold_is_named():
    class Own(nn.Tanh):
        pass

    class Subclass(RecurrentActorCriticPolicy):
        pass

    assert why_no_graph(make(features_extractor_class=MLPFeatures)) is None
    assert "gSDE" in why_no_graph(make(ACTIONS[3], use_sde=True))
    assert "Own" in why_no_graph(make(activation_fn=Own))
    assert "Subclass" in why_no_graph(make(kind=Subclass))
    hooked = make()
    hooked.actor_layers[0].register_forward_hook(lambda *_: None)
    assert "hooks" in why_no_graph(hooked)
    training = make()
    training.set_training_mode(True)
    assert "training mode" in why_no_graph(training)


def test_kernels_loop_turns_graphs_off(monkeypatch):
    monkeypatch.setenv("RECURRENT_RL_KERNELS", "loop")
    assert why_no_graph(make()) == "RECURRENT_RL_KERNELS=loop"


def test_on_the_cpu_the_step_stays_what_it_is_and_copies_begin_without_graphs(graphed):
    policy = make()
    assert through_graph(policy, "act", policy.act) == policy.act
    policy.graphs["act"] = graphed[0](policy)
    assert copy.deepcopy(policy).graphs == {"act": None}


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def to_cuda(observation, state, starts):
    moved = {k: v.cuda() for k, v in observation.items()} if isinstance(observation, dict) else observation.cuda()
    return moved, tuple(leaf.cuda() for leaf in state), starts


def assert_replays_equal_the_policy(policy, steps=5):
    """Replay and step by modules from the same generator state; return the number of replayed steps."""
    replayed = 0
    for seed in range(steps):
        step = through_graph(policy, "act", policy.act)
        inputs = to_cuda(*random_inputs(policy, seed))
        torch.manual_seed(seed)
        with torch.no_grad():
            expected, after = flat(policy.act(*inputs)), torch.rand(1, device="cuda")
        torch.manual_seed(seed)
        found = flat(step(*inputs))
        assert torch.equal(torch.rand(1, device="cuda"), after)
        replayed += step._replay is not None
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)
    return replayed


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@pytest.mark.parametrize("actions", ACTIONS, ids=lambda space: type(space).__name__)
def test_a_graph_equals_the_policy_and_leaves_the_generator_where_it_would(actions, memory, precision):
    policy = make(actions, memory=memory, critic="separate", precision=precision).to_empty(device="cuda")
    assert assert_replays_equal_the_policy(policy) == 4


@pytest.mark.gpu
@needs_cuda
def test_autocast_around_the_policy_is_refused():
    with torch.autocast("cuda", torch.bfloat16):
        assert "autocast" in why_no_graph(make().to("cuda"))


@pytest.mark.gpu
@needs_cuda
def test_a_graph_draws_anew_at_every_replay():
    policy = make(ACTIONS[3]).to("cuda")
    inputs, step = to_cuda(*random_inputs(policy)), through_graph(policy, "act", policy.act)
    drawn = torch.stack([step(*inputs)[0] for _ in range(6)])
    assert len(drawn.flatten().unique()) == drawn.numel()


@pytest.mark.gpu
@needs_cuda
def test_a_graph_sees_the_optimisers_step_and_gives_way_where_weights_moved():
    policy = make().to("cuda")
    assert_replays_equal_the_policy(policy)
    before = policy.graphs["act"]
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.1)
    assert assert_replays_equal_the_policy(policy) == 5
    assert policy.graphs["act"] is before
    policy.value_net = nn.Linear(64, 1, device="cuda").eval()
    assert assert_replays_equal_the_policy(policy) == 4
    assert policy.graphs["act"] is not before


@pytest.mark.gpu
@needs_cuda
def test_predict_by_a_graph_equals_the_modules():
    policy = make(ACTIONS[3], memory=LSTM(hidden_size=4)).to("cuda")
    twin, state, twins_state = copy.deepcopy(policy), None, None
    twin.actor_layers[0].register_forward_hook(lambda *_: None)  # it runs by modules
    for seed in range(5):
        observation, _, starts = random_inputs(policy, seed)
        found, state = policy.predict(observation.numpy(), state, starts.numpy(), deterministic=True)
        expected, twins_state = twin.predict(observation.numpy(), twins_state, starts.numpy(), deterministic=True)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert policy.graphs["mode"]._replay is not None
    assert not twin.graphs


@pytest.mark.gpu
@needs_cuda
def test_a_step_that_waits_is_told_before_its_capture():
    x = torch.ones(3, device="cuda")
    with pytest.raises(graph.WaitsForDeviceError):
        graph.capture(lambda: (x.sum().item(),), x.device)
    assert torch.rand(3, device="cuda").isfinite().all()  # the generator is as it was
