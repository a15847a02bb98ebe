"""A step of a policy as a CUDA graph: captured when a shape comes a second time, replayed from then on.

A step is a few dozen small kernels, and launching them takes longer than they run. A graph launches all of them at once,
the very kernels of the step without it. That is why it is not torch.compile: its graphs hold other kernels, which round in
another way than the update does (the first probability ratio of an update would not be 1), and are compiled for seconds.

A graph reads and writes where it did when it was captured. Inputs are therefore copied into buffers, and results out of
them; parameters are read where they lie, so that the optimiser's steps in place need no new graph, and parameters that
moved do. A replay draws torch's random numbers as the step would, and leaves the generator where the step would.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State

if TYPE_CHECKING:
    from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

Step = Callable[[Observation, State, Tensor], tuple[Any, ...]]
"""(observation [B, ...], state, starts [B]) -> some tensors, and last the state that follows."""
Replay = Callable[[], tuple[Any, ...]]

_OURS = ("torch.nn.modules.", "stable_baselines3.", "recurrent_rl.")  # whose modules read no device from the host
_one_at_a_time = Lock()  # several threads may ask one policy, and a capture bears no other beside it
_log = logging.getLogger("recurrent_rl")


def through_graph(policy: "RecurrentActorCriticPolicy", name: str, step: Step) -> Step:
    """Return a step of a policy on CUDA as a graph; the step itself elsewhere, and where no graph can hold it.

    Args:
        policy: Whose `graphs` keep it for the next time.
        name: Of the step.
        step: Reads nothing but its arguments and the policy.
    """
    if policy.device.type != "cuda":
        return step
    reason = why_no_graph(policy)
    if reason is not None:
        _say_once(reason)
        return step
    made_of, kept = MadeOf.of(policy), policy.graphs.get(name)
    if kept is None or kept.made_of != made_of:
        kept = policy.graphs[name] = GraphedStep(step, made_of, _weights(policy))
    return kept


def why_no_graph(policy: "RecurrentActorCriticPolicy") -> str | None:
    """Return why a graph, which repeats what it saw, cannot stand for a step of the policy; None where it can."""
    modules = list(policy.modules())
    unknown = sorted({type(module).__name__ for module in modules if not type(module).__module__.startswith(_OURS)})
    reasons = {
        "RECURRENT_RL_KERNELS=loop": os.environ.get("RECURRENT_RL_KERNELS") == "loop",
        "gSDE replaces its noise between steps": policy.use_sde,
        f"what {', '.join(unknown)} does between kernels is not known": bool(unknown),
        "a module has hooks": any(module._forward_hooks or module._forward_pre_hooks for module in modules),
        "a module is in training mode": any(module.training for module in modules),
        "torch.autocast is on around it": torch.is_autocast_enabled("cuda"),  # its copies of weights go stale
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a graph has taken in, beside the shapes of its inputs; a change of it asks for another graph.

    Args:
        modules: All of the policy's.
        addresses: Of parameters and buffers.
        precision: The policy's.
    """

    modules: tuple[nn.Module, ...]
    addresses: tuple[int, ...]
    precision: str

    @classmethod
    def of(cls, policy: "RecurrentActorCriticPolicy") -> "MadeOf":
        """Read it off a policy."""
        return cls(tuple(policy.modules()), tuple(x.data_ptr() for x in _weights(policy)), policy.precision)


class GraphedStep:
    """A step by a graph, for inputs of the shapes of the last call; without one where shapes are new.

    Args:
        step: See `Step`.
        made_of: What the step reads beside its arguments.
        weights: Parameters and buffers. They are held: nothing else may come to lie at their addresses.
    """

    def __init__(self, step: Step, made_of: MadeOf, weights: list[Tensor]) -> None:
        self.made_of = made_of
        self._step, self._held = step, [weight.detach() for weight in weights]
        self._shapes: list[Any] = []
        self._replay: Replay | None = None
        self._refused = False

    @torch.no_grad()
    def __call__(self, observation: Observation, state: State, starts: Tensor) -> tuple[Any, ...]:
        """Take the step; results are the caller's own."""
        with _one_at_a_time:
            if not self._is_captured(observation, state):
                return self._step(observation, state, starts)
            assert self._replay is not None
            for buffer, source in zip(self._leaves, _leaves(observation, state, starts), strict=True):
                buffer.copy_(source, non_blocking=True)
            *tensors, leaving = self._replay()
            return (*(tensor.clone() for tensor in tensors), tuple(leaf.clone() for leaf in leaving))

    def _is_captured(self, observation: Observation, state: State) -> bool:
        """Whether there is a graph for inputs like these; where they come a second time, capture it."""
        shapes = [(x.shape, x.dtype) for x in _leaves(observation, state)]
        if shapes != self._shapes:
            self._shapes, self._replay = shapes, None  # a single call is not worth a capture
            return False
        if self._replay is None and not self._refused:
            self._capture(observation, state)
        return self._replay is not None

    def _capture(self, observation: Observation, state: State) -> None:
        buffers = map_observation(_buffer, observation), tuple(_buffer(leaf) for leaf in state)
        starts = torch.zeros(len(_leaves(observation)[0]), dtype=torch.bool, device=_leaves(observation)[0].device)
        self._leaves = _leaves(*buffers, starts)
        try:
            self._replay = capture(lambda: self._step(*buffers, starts), starts.device)
        except WaitsForDeviceError as error:
            self._refused = True
            _say_once(str(error))

    def __reduce__(self) -> Any:
        """A copy would read and write this one's memory: copies of a policy begin without one."""
        return _nothing, ()


class WaitsForDeviceError(RuntimeError):
    """A step waits for the device, which a graph cannot hold."""


def capture(run: Replay, device: torch.device) -> Replay:
    """Return what repeats the kernels of `run` and gives its results, the same tensors every time.

    Raises:
        WaitsForDeviceError: Told before the capture, since one that fails leaves the generator unusable.
    """
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.random.fork_rng(devices=[device]), torch.cuda.stream(stream):
        run()  # what libraries set up on their first call
        _refuse_waiting(run)
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        results = run()

    def replay() -> tuple[Any, ...]:
        graph.replay()
        return results

    return replay


def _refuse_waiting(run: Replay) -> None:
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        run()
    except RuntimeError as error:
        raise WaitsForDeviceError(str(error)) from error
    finally:
        torch.cuda.set_sync_debug_mode(before)


def _weights(policy: nn.Module) -> list[Tensor]:
    return [*policy.parameters(), *policy.buffers()]


def _leaves(observation: Observation, state: State = (), *others: Tensor) -> list[Tensor]:
    parts = [observation[key] for key in sorted(observation)] if isinstance(observation, dict) else [observation]
    return [*parts, *state, *others]


def _buffer(x: Tensor) -> Tensor:
    return x.clone(memory_format=torch.contiguous_format)


@cache
def _say_once(reason: str) -> None:
    _log.warning("The policy acts kernel by kernel, without a CUDA graph, which is slower: %s.", reason)


def _nothing() -> None:
    return None
