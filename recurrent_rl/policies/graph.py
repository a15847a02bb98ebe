"""Acting on CUDA by a graph: the hundred small kernels of a step are recorded once and launched by one call.

At the sizes of recurrent policies a step takes the device a few microseconds and the host, which launches its kernels one by
one, a hundred times as long. A recorded graph takes any weights, since it reads them where they lie. (`torch.compile` would
fuse the kernels too, but takes tens of seconds, and again for every batch size.)
"""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State

Result = tuple[Tensor, Tensor, Tensor, State]
Act = Callable[[Observation, State, Tensor], Result]
Record = Callable[[Callable[[], None], torch.device], Callable[[], None]]
"""(what to run, its device) -> what runs it again."""

WARM_UP = 3  # runs before the recording: libraries choose their kernels and take their workspaces
_log = logging.getLogger("recurrent_rl")


class GraphedStep:
    """One step over buffers that stay where they are, recorded when it is made.

    Args:
        act: (observation [B, ...], state, starts [B] on the host) -> actions, values, log-probabilities, state. It must not
            look at any value on the host.
        observation: Of the shape to record.
        state: Leaves [B, ...].
        starts: [B] bool on the host; the graph copies them over from a pinned buffer.
        record: `record_graph`; tests that have no CUDA device give another.
    """

    def __init__(self, act: Act, observation: Observation, state: State, starts: Tensor, record: Record) -> None:
        device = state[0].device
        self._observation = map_observation(torch.clone, observation)
        self._state = tuple(leaf.clone() for leaf in state)  # leaves may be views of one initial state
        self._starts = starts.clone().pin_memory() if device.type == "cuda" else starts.clone()
        self._act = act
        self._again = record(self._run, device)

    def _run(self) -> None:
        self._result = self._act(self._observation, self._state, self._starts)

    def __call__(self, observation: Observation, state: State, starts: Tensor) -> Result:
        """Act; the results are copies that the next call leaves alone."""
        _copy(self._observation, observation)
        for mine, leaf in zip(self._state, state, strict=True):
            mine.copy_(leaf, non_blocking=True)
        self._starts.copy_(starts)
        self._again()
        actions, values, log_probs, after = self._result
        return actions.clone(), values.clone(), log_probs.clone(), tuple(leaf.clone() for leaf in after)


class Recorder:
    """Acts by a recording of `act`, which is made at the first call and whenever it no longer holds.

    Args:
        act: See `GraphedStep`; a policy's.
        key: (observation, starts) -> what a recording holds for.
        record: See `GraphedStep`.
    """

    def __init__(self, act: Act, key: Callable[[Observation, Tensor], object], record: Record) -> None:
        self._act, self._key, self._record = act, key, record
        self._step: Act = act
        self._holds_for: object = None

    @torch.no_grad()
    def __call__(self, observation: Observation, state: State, starts: Tensor) -> Result:
        """Act; where recording failed, as `act` does."""
        key = self._key(observation, starts)
        if key != self._holds_for:
            self._step, self._holds_for = self._recorded(observation, state, starts), key
        return self._step(observation, state, starts)

    def _recorded(self, observation: Observation, state: State, starts: Tensor) -> Act:
        try:
            return GraphedStep(self._act, observation, state, starts, self._record)
        except RuntimeError as error:  # an extractor of the user's own that looks at values on the host, say
            say_eager(str(error).splitlines()[0])
            return self._act

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        """A copy of a policy makes its own."""


def record_graph(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Record the CUDA kernels of `run` and return what launches them again.

    The generator stands afterwards where it stood before, so that a run that is resumed draws what a whole one would have.
    """
    with torch.random.fork_rng(devices=[device], device_type="cuda"), torch.cuda.device(device):
        side = torch.cuda.Stream(device)
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                run()
        torch.cuda.current_stream(device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
    return graph.replay


def recording_key(policy: nn.Module, observation: Observation, starts: Tensor) -> object:
    """Return what a recording holds for: shapes, and where parameters and buffers lie."""
    parts = observation.items() if isinstance(observation, dict) else [("", observation)]
    shapes = tuple((name, part.shape, part.dtype) for name, part in parts)
    places = tuple(x.data_ptr() for x in (*policy.parameters(), *policy.buffers()))
    return len(starts), shapes, places, policy.training


def why_not_recorded(policy: nn.Module, uses_sde: bool) -> str | None:
    """Say why a policy's step cannot be recorded, or None."""
    if uses_sde:
        return "gSDE draws its noise apart from the step"
    for name, module in policy.named_modules():
        if module._forward_hooks or module._forward_pre_hooks:
            return f"{name or 'the policy'} has hooks, which run on the host"
    return None


def say_eager(reason: str) -> None:
    """Log that acting launches its kernels one by one."""
    _log.warning("Acting on CUDA goes without a graph, which is slower: %s.", reason)


def _copy(mine: Observation, given: Observation) -> None:
    if isinstance(mine, dict):
        assert isinstance(given, dict)
        for name, part in mine.items():
            part.copy_(given[name], non_blocking=True)
    else:
        assert isinstance(given, Tensor)
        mine.copy_(given, non_blocking=True)
