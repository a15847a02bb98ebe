"""Which memories take part, at which sizes: all policies of a task have as many parameters as the one with a GRU of 64."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from gymnasium import spaces

from recurrent_rl.policies import RecurrentActorCriticPolicy
from recurrent_rl.runs.memories import make_memory
from recurrent_rl.vector import as_vec_env

Fields = Callable[[int], dict[str, Any]]
WINDOW = 64  # steps that memories with a window see: more than the tasks' spans of 3, 31 and 51 steps
LARGEST = 512


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A memory of the command line, and its fields at a size.

    Args:
        name: In results.
        memory: On the command line.
        fields: Of a size.
        step: Sizes are its multiples.
        seeds: At least so many are run.
        matched: Whether its size is chosen by the number of parameters.
    """

    name: str
    memory: str
    fields: Fields
    step: int = 1
    seeds: int = 1
    matched: bool = True


def hidden(**others: Any) -> Fields:
    return lambda size: {"hidden_size": size, **others}


def deep(memory: str, layers: int) -> Fields:
    """Layers with normed inputs and a way around each, over one that makes the observation wide."""

    def fields(size: int) -> dict[str, Any]:
        wide = {"memory": "dense", "hidden_size": size}
        layer = {"memory": "normed", "spec": {"memory": memory, "hidden_size": size}}
        return {"layers": [wide, *[{"memory": "residual", "spec": layer}] * layers]}

    return fields


ENTRANTS = (
    Entrant(name="GRU", memory="gru", fields=hidden(), seeds=3),
    Entrant(name="LSTM", memory="lstm", fields=hidden(), seeds=3),
    Entrant(name="MinGRU", memory="mingru", fields=hidden(), seeds=3),
    Entrant(name="LRU", memory="lru", fields=hidden(), seeds=3),
    Entrant(name="LMU", memory="lmu", fields=hidden(theta=float(WINDOW)), seeds=3),
    Entrant(name="RNN", memory="rnn", fields=hidden()),
    Entrant(name="IndRNN", memory="indrnn", fields=hidden()),
    Entrant(name="MinLSTM", memory="minlstm", fields=hidden()),
    Entrant(name="S5", memory="s5", fields=lambda size: {"hidden_size": size, "state_size": size}, step=2),
    Entrant(name="SelectiveSSM", memory="selectivessm", fields=hidden()),
    Entrant(name="FFM", memory="ffm", fields=hidden()),
    Entrant(name="FastWeights", memory="fastweights", fields=hidden(), step=4),
    Entrant(name="DeltaNet", memory="deltanet", fields=hidden(), step=4),
    Entrant(name="mLSTM", memory="mlstm", fields=hidden(), step=4),
    Entrant(name="sLSTM", memory="slstm", fields=hidden(), step=4),
    Entrant(name="Attention", memory="attention", fields=hidden(window=WINDOW), step=4),
    Entrant(
        name="GTrXL",
        memory="gtrxl",
        fields=lambda size: {
            "hidden_size": size,
            "mlp_size": 2 * size,
            "num_layers": 1,
            "num_heads": 2,
            "memory_length": WINDOW,
        },
        step=2,
    ),
    Entrant(name="External", memory="external", fields=hidden()),
    Entrant(name="BeliefFilter", memory="belieffilter", fields=hidden()),
    Entrant(name="deep MinGRU", memory="stack", fields=deep("mingru", 2)),
    Entrant(name="deep LRU", memory="stack", fields=deep("lru", 2)),
    Entrant(name="FrameWindow", memory="window", fields=lambda size: {"length": size}),
    Entrant(name="NoMemory", memory="none", fields=lambda size: {}, matched=False),
)


@cache
def task_spaces(world: str) -> tuple[spaces.Space, spaces.Space]:
    """Return what the policy sees and does in a world."""
    env = as_vec_env(f"pomdp_envs/{world}-v0")
    return env.observation_space, env.action_space


@cache
def parameters(memory: str, fields: Fields, size: int, world: str) -> int:
    """Return the number of parameters of the command line's policy with a memory of a size."""
    spec = make_memory(memory, fields(size))
    policy = RecurrentActorCriticPolicy(*task_spaces(world), lambda _: 1e-3, memory=spec)
    return sum(parameter.numel() for parameter in policy.parameters())


def budget(world: str) -> int:
    """Return the number of parameters that all have."""
    return parameters("gru", ENTRANTS[0].fields, 64, world)


def size_for(entrant: Entrant, world: str) -> int:
    """Return the size whose number of parameters is nearest to the budget; counts grow with size."""
    low, high = 1, LARGEST // entrant.step
    while low < high:
        middle = (low + high) // 2
        enough = parameters(entrant.memory, entrant.fields, middle * entrant.step, world) >= budget(world)
        low, high = (low, middle) if enough else (middle + 1, high)
    near = [size * entrant.step for size in (low - 1, low) if size > 0]
    return min(near, key=lambda size: abs(parameters(entrant.memory, entrant.fields, size, world) - budget(world)))


def memory_fields(entrant: Entrant, world: str) -> dict[str, Any]:
    """Return the fields of an entrant's memory in a world."""
    return entrant.fields(size_for(entrant, world) if entrant.matched else 0)
