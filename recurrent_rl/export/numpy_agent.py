"""Plays a policy that `to_numpy` wrote. It imports numpy alone: copy this one file into a project without torch.

    agent = load("policy.npz")
    agent.reset()
    action = agent.act(observation)                      # one observation, or B stacked
    action = agent.act(observations, starts=ended)       # B: where an episode ended, the next one begins

The file holds arrays and a list of operations in JSON. Each operation is looked up in the table OPERATIONS below and nothing
else can be run, so that a file from elsewhere can at worst calculate wrongly, or ask for more memory than there is.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1  # of all kinds of exported files
NEEDED = {"observation_space", "action_space", "parts", "inputs", "parameters", "past", "initial"}
Array = np.ndarray
Step = Callable[[list[Array], list[Array]], list[Array]]
"""(parts of the observation [B, ...], leaves [B, ...]) -> action [B, ...], parameters [B, A] each, leaves [B, ...]"""


class AgentFileError(ValueError):
    """The file is damaged, foreign, too new or does not fit; the message says what to do."""


class Agent:
    """A policy that keeps its own hidden state.

    The first call after construction or `reset` starts episodes in all columns, whatever is said of starts: nothing of what
    was before is left. The number of columns stays what it was until a reset.

    Args:
        step: Takes a step from arrays to arrays.
        header: What the file says of itself: spaces, parts, parameters, leaves before an episode.
    """

    def __init__(self, step: Step, header: dict[str, Any]) -> None:
        self.header = header
        self.observation_space, self.action_space = header["observation_space"], header["action_space"]
        self.parameters: dict[str, Array] = {}
        self.state: list[Array] | None = None
        self.random = np.random.default_rng()
        self._step, self._initial = step, [_leaf(leaf) for leaf in header["initial"]]
        self._alone = header["observation_space"]["kind"] != "Dict"
        self._parts = [
            (part["name"], np.dtype(part["dtype"]), tuple(part["shape"]), _choices(part)) for part in header["parts"]
        ]
        self._rows: int | None = None
        self._waiting = np.zeros(0, dtype=bool)  # columns that start at the next call
        self._any_waiting = False
        self._inputs, self._names = header["inputs"], header["parameters"]
        self._draw = _drawer(header["action_space"])
        self._past = None if header["past"] is None else Past(header["past"], header["action_space"])
        self._done: Array | None = None

    @property
    def previous_action(self) -> Array | None:
        """What was done at the last call, [B, ...]; None before the first."""
        return self._done

    def twin(self) -> "Agent":
        """Return another agent of the same policy, before its first episode."""
        return Agent(self._step, self.header)

    def seed(self, seed: int) -> None:
        """Make the random actions of `deterministic=False` the same ones again."""
        self.random = np.random.default_rng(seed)

    def reset(self, columns: Any = None) -> None:
        """Start new episodes at the next call.

        Args:
            columns: Which: numbers, or bool [B]. None for all; then the next call may have another B.

        Raises:
            ValueError: There is no such column.
        """
        if columns is None or self._rows is None:
            self._rows, self.state, self._done = None, None, None
            return
        try:
            self._waiting[columns] = True
        except IndexError as error:
            raise ValueError(f"There are {self._rows} columns, and reset was given {columns}.") from error
        self._any_waiting = bool(self._waiting.any())

    def act(self, observation: Any, starts: Any = None, deterministic: bool = True, reward: Any = None) -> Array:
        """Return the action for one observation, or actions [B, ...] for B.

        Args:
            observation: As the environment gives it, before any normaliser: an array, or a dict of them; pictures with their
                colours first or last.
            starts: bool, or [B]: this observation is an episode's first. None: only where the last reset says so.
            deterministic: The likeliest action in place of a drawn one; each step draws for itself, where training held
                state-dependent noise for a while too.
            reward: What the previous action earned, a number or [B]; for a policy that was trained with it in the
                observation. It counts for nothing where an episode starts.

        Raises:
            ValueError: The observation does not fit, B is another one than at the call before, or a reward is missing.
        """
        named, one = self._arrays(observation)
        rows = len(next(iter(named.values())))
        if starts is not None and np.size(starts) not in (1, rows):
            raise ValueError(f"starts has {np.size(starts)} entries for {rows} observations; give one for each.")
        if rows != self._rows:
            self._begin(rows)
        elif starts is not None or self._any_waiting:
            self._start(starts)
        if self._past is not None:
            named = self._past.join(named, reward)
        assert self.state is not None
        found = self._step([named[name] for name in self._inputs], self.state)
        self.parameters = dict(zip(self._names, found[1:]))
        self.state = found[1 + len(self._names) :]
        actions = found[0] if deterministic else self._draw(self.parameters, self.random)
        self._note(actions)
        return actions[0] if one else actions

    def played(self, actions: Any) -> None:
        """Say what was done in place of the last answer, for a policy that reads its previous action.

        Args:
            actions: One action, or [B, ...], as the last answer was.
        """
        if self._rows is not None:
            self._note(np.asarray(actions).reshape(self._rows, *self.action_space["shape"]))

    def _note(self, actions: Array) -> None:
        if self._past is not None:
            self._past.note(actions)
        self._done = actions

    def _begin(self, rows: int) -> None:
        if self._rows is not None:
            raise ValueError(
                f"This agent plays {self._rows} columns and got {rows} observations; call reset() before another number."
            )
        self._rows, self._waiting = rows, np.zeros(rows, dtype=bool)
        self._any_waiting = False
        self.state = [np.repeat(leaf, rows, axis=0) for leaf in self._initial]
        if self._past is not None:
            self._past.begin(rows)

    def _start(self, starts: Any) -> None:
        """Put initial leaves where an episode starts."""
        assert self.state is not None
        fresh = self._waiting
        if starts is not None:
            fresh = fresh | np.asarray(starts, dtype=bool).reshape(-1)
        if fresh.any():
            if self._past is not None:
                self._past.forget(fresh)
            self.state = [
                np.where(fresh.reshape(-1, *[1] * (leaf.ndim - 1)), first, leaf)
                for leaf, first in zip(self.state, self._initial, strict=True)
            ]
        self._waiting[:], self._any_waiting = False, False

    def _arrays(self, observation: Any) -> tuple[dict[str, Array], bool]:
        """Return the observation's parts [B, ...] by name, and whether it was one alone."""
        found, counts = {}, set()
        for name, dtype, shape, choices in self._parts:
            part = _array(observation if self._alone else _part(observation, name), name)
            if part.dtype != dtype:
                part = _cast(part, dtype, name)
            if choices is not None and not ((part >= 0) & (part < choices)).all():
                raise ValueError(f"{name} is {part}, and its choices are 0 to {choices - 1}.")
            if dtype == np.uint8 and part.shape[-3:] == (*shape[1:], shape[0]) != shape:
                part = np.moveaxis(part, -1, -3)  # a picture with its colours last, as environments give it
            if part.shape == shape:
                found[name] = part[None]
                counts.add(0)
            elif part.ndim == len(shape) + 1 and part.shape[1:] == shape:
                found[name] = part
                counts.add(len(part))
            else:
                raise ValueError(
                    f"{name} has the shape {part.shape}; give {shape}, or {('B', *shape)} for B observations."
                )
        if len(counts) > 1:
            raise ValueError("The parts of the observation differ in their number of rows.")
        return found, counts == {0}


def _array(part: Any, name: str) -> Array:
    try:
        found = np.asarray(part)
    except ValueError as error:  # lists of unequal lengths
        raise ValueError(_NO_ARRAY.format(name, type(part).__name__)) from error
    if found.dtype.kind not in "biuf":
        raise ValueError(_NO_ARRAY.format(name, type(part).__name__))
    return found


_NO_ARRAY = (
    "{} is a {} that is no array of numbers; env.reset() and env.step() return the observation first, beside others."
)


def _part(observation: Any, name: str) -> Any:
    """Return a part of a dict, or of a tuple, which policies read as a dict of "0", "1" and so on."""
    try:
        return observation[int(name) if isinstance(observation, tuple) else name]
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"The observation has no {name!r}; give a dict with the parts that the policy reads."
        ) from error


def _cast(part: Array, dtype: np.dtype, name: str) -> Array:
    """Return an array of another type; a real number is none of a choice, of a bit, or of a picture from 0 to 255."""
    if part.dtype.kind == "f" and dtype.kind in "iu":
        raise ValueError(f"{name} holds real numbers ({part.dtype}), the policy reads whole ones ({dtype}).")
    if dtype.kind in "iu" and part.size and not np.iinfo(dtype).min <= part.min() <= part.max() <= np.iinfo(dtype).max:
        raise ValueError(f"{name} is from {part.min()} to {part.max()}, which {dtype} does not hold.")
    return part.astype(dtype)


def _choices(part: dict[str, Any]) -> Any:
    """Return how many choices there are, or as many as there are parts; None for what is no choice."""
    return None if part["choices"] is None else np.asarray(part["choices"])


class Past:
    """What the agent did last and what that earned, beside each observation: zeros where an episode starts.

    Args:
        kinds: The types of the keys "previous_action" and "previous_reward" of a dict; none where the policy reads one array
            [observation, action, reward].
        space: Of the actions.
    """

    def __init__(self, kinds: dict[str, str], space: dict[str, Any]) -> None:
        self._kinds, self._space = kinds, space
        self._actions = np.zeros((0, 0), dtype=np.float32)
        self._fresh = np.zeros(0, dtype=bool)

    def begin(self, rows: int) -> None:
        """Begin with B rows that have no past."""
        self._actions = np.zeros((rows, self._width()), dtype=np.float32)
        self._fresh = np.ones(rows, dtype=bool)

    def forget(self, rows: Array) -> None:
        """Begin anew where `rows`, bool [B], says so."""
        self._actions[rows] = 0.0
        self._fresh = self._fresh | rows

    def note(self, actions: Array) -> None:
        """Take in what was done, [B, ...]."""
        self._fresh = np.zeros(len(actions), dtype=bool)
        sizes = self._sizes()
        if sizes is None:
            self._actions = actions.reshape(len(actions), -1).astype(np.float32)
            return
        self._actions = np.zeros((len(actions), sum(sizes)), dtype=np.float32)
        hot = actions.reshape(len(actions), -1).astype(np.int64) + np.cumsum(sizes) - sizes
        self._actions[np.arange(len(actions))[:, None], hot] = 1.0

    def join(self, parts: dict[str, Array], reward: Any) -> dict[str, Array]:
        """Return an observation's parts [B, ...] with the past.

        Raises:
            ValueError: The reward is missing.
        """
        if reward is None and not self._fresh.all():
            raise ValueError("This policy reads what its last action earned: act(observation, reward=...).")
        reward = 0.0 if reward is None else reward
        rewards = np.broadcast_to(np.asarray(reward, dtype=np.float32).reshape(-1), self._fresh.shape)
        rewards = np.where(self._fresh, np.float32(0.0), rewards)[:, None]
        if not self._kinds:
            ((name, part),) = parts.items()
            return {name: np.concatenate([part, self._actions, rewards], axis=1, dtype=part.dtype)}
        added = {"previous_action": self._actions, "previous_reward": rewards}
        return {**parts, **{name: array.astype(self._kinds[name]) for name, array in added.items()}}

    def _sizes(self) -> list[int] | None:
        """Return the number of choices of each part; None for numbers and bits."""
        kind = self._space["kind"]
        if kind == "Discrete":
            return [self._space["n"]]
        return self._space["nvec"] if kind == "MultiDiscrete" else None

    def _width(self) -> int:
        sizes = self._sizes()
        return int(np.prod(self._space["shape"])) if sizes is None else sum(sizes)


def load(path: str | Path) -> Agent:
    """Return the agent of a file that `to_numpy` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: It is damaged, not such a file, or written by a newer version.
    """
    header, arrays = read(path)
    try:
        agent = agent_of(Program(header["program"], arrays), header, path)
        with np.errstate(all="ignore"):
            agent.twin().act(_nothing(header))
    except AgentFileError:
        raise
    except Exception as error:  # a program from elsewhere can fail in any way
        raise AgentFileError(f"{path} is damaged: its program does not fit its arrays ({error!r}).") from error
    return agent


def agent_of(step: Step, header: dict[str, Any], path: Any) -> Agent:
    """Return the agent of a file's step and header.

    Raises:
        AgentFileError: The header is not one of an agent.
    """
    try:
        return Agent(step, header)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise AgentFileError(f"{path} is damaged: its header does not describe an agent ({error!r}).") from error


def _nothing(header: dict[str, Any]) -> Any:
    """Return an observation of zeros."""
    zeros = {part["name"]: np.zeros(part["shape"], dtype=part["dtype"]) for part in header["parts"]}
    return zeros if header["observation_space"]["kind"] == "Dict" else next(iter(zeros.values()))


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what a file says of itself, and its arrays; nothing in it is executed.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: See `load`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text = arrays.pop("header").tobytes()
    except (
        OSError, ValueError, LookupError, EOFError, RuntimeError, OverflowError, MemoryError, zipfile.BadZipFile, zlib.error
    ) as error:  # fmt: skip
        raise AgentFileError(f"{path} is damaged or was not written by to_numpy ({error}); export it again.") from error
    return parse_header(text, "numpy", path), arrays


def parse_header(text: str | bytes, kind: str, path: Any) -> dict[str, Any]:
    """Return what a file says of itself.

    Args:
        text: JSON.
        kind: What the file should be: numpy, onnx, torch or weights.
        path: For messages.

    Raises:
        AgentFileError: It is no such file, damaged, or written by a newer version.
    """
    try:
        header = json.loads(text)
        found, version = header["format"].removeprefix("recurrent_rl ").rsplit(" ", 1)
        number, missing = int(version), NEEDED - header.keys()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AgentFileError(
            f"{path} says nothing of a policy ({error!r}); it was not exported by recurrent_rl."
        ) from error
    if found != kind:
        raise AgentFileError(f"{path} holds a policy as {found!r}, not as {kind!r}.")
    if number > FORMAT:
        raise AgentFileError(f"{path} has the format {number}, this version reads up to {FORMAT}; take a newer one.")
    if missing:
        raise AgentFileError(f"{path} is damaged: its header lacks {sorted(missing)}.")
    return header


def _leaf(spelt: dict[str, Any]) -> Array:
    """Return a leaf [1, ...] before an episode; no values stand for zeros."""
    if spelt["values"] is None:
        return np.zeros(spelt["shape"], dtype=spelt["dtype"])
    return np.array(spelt["values"], dtype=spelt["dtype"]).reshape(spelt["shape"])


# -------------------------------------------------------------------- drawing actions


def _draw(logits: Array, random: np.random.Generator) -> Array:
    """Return choices [B] of logits [B, A]."""
    noise = -np.log(-np.log(random.random(logits.shape).clip(1e-300)))
    return (logits + noise).argmax(axis=-1)


def _drawer(space: dict[str, Any]) -> Callable[[dict[str, Array], np.random.Generator], Array]:
    """Return what draws actions [B, ...] from parameters."""
    kind, shape = space["kind"], tuple(space["shape"])
    if kind == "Discrete":
        return lambda parameters, random: _draw(parameters["logits"], random)
    if kind == "MultiDiscrete":
        cuts = np.cumsum(space["nvec"])[:-1]
        return lambda parameters, random: np.stack(
            [_draw(one, random) for one in np.split(parameters["logits"], cuts, axis=1)], axis=1
        )
    if kind == "MultiBinary":

        def toss(parameters: dict[str, Array], random: np.random.Generator) -> Array:
            logits = parameters["logits"]
            return (random.random(logits.shape) < 0.5 * (np.tanh(0.5 * logits) + 1.0)).astype(logits.dtype)

        return toss
    kind = np.dtype(np.float64 if space["dtype"] == "float64" else np.float32)
    low, high = (np.asarray(space[name], dtype=kind) for name in ("low", "high"))

    def numbers(parameters: dict[str, Array], random: np.random.Generator) -> Array:
        mean, deviation = parameters["mean"], parameters["deviation"]
        noise = random.standard_normal(mean.shape, dtype=np.float32)
        drawn = (mean + deviation * noise).reshape(-1, *shape).astype(kind)
        if space.get("squashed"):
            return low + 0.5 * (np.tanh(drawn) + 1.0) * (high - low)
        return np.clip(drawn, low, high)

    return numbers


# -------------------------------------------------------------------- the program


class Program:
    """A list of operations on numbered slots.

    Args:
        document: `slots`, how many there are; `arrays` and `values` that fill some of them; `inputs`, `rows` (the slot of B)
            and `outputs`; `steps`, each [operation, slots of its arguments, slot of its result].
        arrays: By name.
    """

    def __init__(self, document: dict[str, Any], arrays: dict[str, Array]) -> None:
        self._slots: list[Any] = [None] * document["slots"]
        for slot, name in document["arrays"]:
            self._slots[slot] = arrays[name]
        for slot, value in document["values"]:
            self._slots[slot] = value
        self._inputs, self._rows, self._outputs = document["inputs"], document["rows"], document["outputs"]
        self._steps = [(_operation(name), tuple(given), result) for name, given, result in document["steps"]]

    def __call__(self, parts: list[Array], leaves: list[Array]) -> list[Array]:
        """Take a step."""
        slots = self._slots.copy()
        slots[self._rows] = len(parts[0])
        for slot, array in zip(self._inputs, parts + leaves):
            slots[slot] = array
        for operation, given, result in self._steps:
            slots[result] = operation(*[slots[slot] for slot in given])
        return [slots[slot] for slot in self._outputs]


def _operation(name: str) -> Callable[..., Any]:
    if name not in OPERATIONS:
        raise AgentFileError(
            f"The file asks for the operation {name!r}, which this module does not know; take a newer one."
        )
    return OPERATIONS[name]


# -------------------------------------------------------------------- operations, as torch defines them


def _sigmoid(x: Array) -> Array:
    found = np.tanh(0.5 * x)
    found *= 0.5
    found += 0.5
    return found


def _linear(x: Array, weight: Array, bias: Array | None) -> Array:
    product = x.dot(weight.T)
    if bias is not None:
        product += bias
    return product


def _gru_cell(x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array | None, b_hh: Array | None) -> Array:
    size = h.shape[1]
    given, kept = _linear(x, w_ih, b_ih), _linear(h, w_hh, b_hh)
    gates = _sigmoid(given[:, : 2 * size] + kept[:, : 2 * size])
    new = np.tanh(given[:, 2 * size :] + gates[:, :size] * kept[:, 2 * size :])
    return new + gates[:, size:] * (h - new)


def _lstm_cell(x: Array, hx: list[Array], w_ih: Array, w_hh: Array, b_ih: Any, b_hh: Any) -> list[Array]:
    h, c = hx
    size = h.shape[1]
    rows = _linear(x, w_ih, b_ih) + _linear(h, w_hh, b_hh)
    gates, new = _sigmoid(rows), np.tanh(rows[:, 2 * size : 3 * size])
    c = gates[:, size : 2 * size] * c + gates[:, :size] * new
    return [gates[:, 3 * size :] * np.tanh(c), c]


def _rnn_cell(active: Callable[[Array], Array], x: Array, h: Array, *weights: Any) -> Array:
    w_ih, w_hh, b_ih, b_hh = weights
    return active(_linear(x, w_ih, b_ih) + _linear(h, w_hh, b_hh))


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _erf(x: Array) -> Array:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), dtype=x.dtype)


_SELU = np.array([1.6732632423543772, 1.0507009873554805], dtype=np.float32)
"""alpha and scale. Source: Klambauer et al. 2017, Self-Normalizing Neural Networks."""


def _gelu(x: Array, approximate: str) -> Array:
    if approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + _erf(x * math.sqrt(0.5)))


def _softmax_along(x: Array, dim: int, dtype: str | None) -> Array:
    grown = np.exp(x - x.max(axis=dim, keepdims=True))
    return grown / grown.sum(axis=dim, keepdims=True)


def _log_softmax(x: Array, dim: int, dtype: str | None) -> Array:
    shifted = x - x.max(axis=dim, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=dim, keepdims=True))


def _last(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(-len(shape), 0))


def _scaled(x: Array, weight: Array | None, bias: Array | None = None) -> Array:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _layer_norm(x: Array, shape: Sequence[int], weight: Any, bias: Any, eps: float, _: Any = None) -> Array:
    centred = x - x.mean(axis=_last(shape), keepdims=True)
    variance = (centred * centred).mean(axis=_last(shape), keepdims=True)
    return _scaled(centred / np.sqrt(variance + eps), weight, bias)


def _rms_norm(x: Array, shape: Sequence[int], weight: Any, eps: float | None) -> Array:
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _scaled(x / np.sqrt((x * x).mean(axis=_last(shape), keepdims=True) + eps), weight)


def _conv2d(x: Array, weight: Array, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Array:
    """Return sums over windows: x [B, C, H, W] with weight [O, C / groups, h, w]."""
    x = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    size = [(length - 1) * apart + 1 for length, apart in zip(weight.shape[2:], dilation)]
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))  # [B, C, H, W, h, w]
    seen = windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    inputs, outputs = np.split(seen, groups, axis=1), np.split(weight, groups)
    made = [np.tensordot(one, other, axes=((1, 4, 5), (1, 2, 3))) for one, other in zip(inputs, outputs)]
    found = np.moveaxis(np.concatenate(made, axis=3), 3, 1)  # [B, O, H', W']
    return found if bias is None else found + bias[:, None, None]


def _at(x: Array, dim: int, index: Any) -> Array:
    return x[(*[slice(None)] * (dim % x.ndim), index)]


def _slice(x: Array, dim: int, start: int | None, end: int | None, step: int) -> Array:
    return _at(x, dim, slice(start, end, step))


def _unbind(x: Array, dim: int) -> list[Array]:
    return list(np.moveaxis(x, dim, 0))


def _split(x: Array, sizes: int | Sequence[int], dim: int) -> list[Array]:
    cuts = range(sizes, x.shape[dim], sizes) if isinstance(sizes, int) else np.cumsum(sizes)[:-1]
    return np.split(x, list(cuts), axis=dim)


def _expand(x: Array, shape: Sequence[int]) -> Array:
    own = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [before if size == -1 else size for size, before in zip(shape, own)])


def _clamp(x: Array, low: Any, high: Any) -> Array:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _reduce(function: Callable[..., Array], x: Array, dims: Any, keepdim: bool, dtype: str | None = None) -> Array:
    axes = None if dims is None or dims == [] else tuple(dims) if isinstance(dims, list) else dims
    found = function(x, axis=axes, keepdims=keepdim)
    return found if dtype is None else found.astype(dtype)


def _times(alpha: float, x: Any) -> Any:
    return x if alpha == 1 else alpha * x


OPERATIONS: dict[str, Callable[..., Any]] = {
    # shapes
    "list": lambda *items: list(items),
    "getitem": lambda items, index: items[index],
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, one, other: x.swapaxes(one, other),
    "permute": lambda x, dims: x.transpose(dims),
    "flip": lambda x, dims: np.flip(x, dims),
    "expand": _expand,
    "broadcast_tensors": lambda items: np.broadcast_arrays(*items),
    "select": _at,
    "slice": _slice,
    "unbind": _unbind,
    "split": _split,
    "split_with_sizes": _split,
    "cat": lambda items, dim: np.concatenate(items, axis=dim),
    "stack": lambda items, dim: np.stack(items, axis=dim),
    "full": lambda shape, value, kind: np.full(shape, value, dtype=kind),
    "_to_copy": lambda x, kind: x if kind is None else x.astype(kind),
    "one_hot": lambda x, size: (x[..., None] == np.arange(size)).astype(np.int64),
    # choices
    "where": np.where,
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "eq": np.equal,
    "ne": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
    "bitwise_not": np.invert,
    "logical_not": np.logical_not,
    "__and__": np.bitwise_and,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "argmax": lambda x, dim, keepdim: x.argmax(axis=dim, keepdims=True) if keepdim else x.argmax(axis=dim),
    # arithmetic
    "add": lambda x, y, alpha: x + _times(alpha, y),
    "sub": lambda x, y, alpha: x - _times(alpha, y),
    "rsub": lambda x, y, alpha: y - _times(alpha, x),
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": np.negative,
    "abs": np.abs,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "reciprocal": lambda x: 1.0 / x,
    "pow": lambda x, y: x**y,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "clamp": _clamp,
    "clamp_min": lambda x, low: np.maximum(x, low),
    "addcmul": lambda x, one, other, value: x + _times(value, one * other),
    "lerp": lambda x, y, weight: x + weight * (y - x),
    "logaddexp": np.logaddexp,
    "cumsum": lambda x, dim, kind: x.cumsum(axis=dim, dtype=kind),
    "sum": partial(_reduce, np.sum),
    "mean": partial(_reduce, np.mean),
    "amax": partial(_reduce, np.max),
    # products
    "linear": _linear,
    "matmul": np.matmul,
    "mm": np.dot,
    "bmm": np.matmul,
    "addmm": lambda x, one, other, beta, alpha: _times(beta, x) + _times(alpha, one.dot(other)),
    "baddbmm": lambda x, one, other, beta, alpha: _times(beta, x) + _times(alpha, one @ other),
    "conv2d": _conv2d,
    # activations and norms
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "elu": lambda x, alpha, scale, inner: scale * np.where(x > 0, x, alpha * np.expm1(inner * np.minimum(x, 0))),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "selu": lambda x: _SELU[1] * np.where(x > 0, x, _SELU[0] * np.expm1(np.minimum(x, 0))),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "hardtanh": np.clip,
    "silu": lambda x: x * _sigmoid(x),
    "gelu": _gelu,
    "softplus": lambda x, beta, threshold: np.logaddexp(0, beta * x) / beta,
    "log_sigmoid": lambda x: -np.logaddexp(0, -x),
    "softmax": _softmax_along,
    "log_softmax": _log_softmax,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    # cells
    "gru_cell": _gru_cell,
    "lstm_cell": _lstm_cell,
    "rnn_tanh_cell": partial(_rnn_cell, np.tanh),
    "rnn_relu_cell": partial(_rnn_cell, _relu),
}
