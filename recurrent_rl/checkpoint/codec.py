"""Python values as JSON and back, without pickle.

Plain values stay as they are. Arrays, tuples, Gymnasium spaces, memory specs and classes become one-key objects such as
{"$array": ...}. What has no such form (a lambda, an object of the user's) is kept as {"$pickle": ...}, which is read back
only for a file that the user trusts; otherwise decoding gives `Untrusted`, and whoever needs the value says so.
"""

import base64
import dataclasses
import importlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule

from recurrent_rl.checkpoint.schedules import Tabulated
from recurrent_rl.memory import MemorySpec

ALLOWED_PACKAGES = ("recurrent_rl", "torch.nn", "torch.optim", "stable_baselines3", "gymnasium.spaces")
_BUILT = (torch.nn.Module, torch.optim.Optimizer, spaces.Space, MemorySpec, Tabulated)
"""What a file may name to be built with arguments of its own: others, such as loggers that open files, could do harm."""
Json = Any


@dataclass(frozen=True)
class Untrusted:
    """Stands for a value that only `trust=True` reads."""

    description: str


def encode(value: Any) -> Json:
    """Return `value` as what `json.dumps` takes."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype != object:
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"$array": [str(value.dtype), list(value.shape), data]}
    if isinstance(value, np.generic):
        return {"$scalar": encode(np.asarray(value))}
    if isinstance(value, tuple):
        return {"$tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return _encode_dict(value)
    return _encode_object(value)


def decode(value: Json, trust: bool) -> Any:
    """Return the value that `encode` was given.

    Args:
        value: From `json.loads`.
        trust: Whether pickled parts may be read and classes outside the allow-list imported. Either can run any code
            that the file's author chose.
    """
    if isinstance(value, list):
        return [decode(item, trust) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(tag, content)] = value.items()
        if tag in _DECODERS:
            return _DECODERS[tag](content, trust)
    return {key: decode(item, trust) for key, item in value.items()}


def find_untrusted(value: Any) -> Untrusted | None:
    """Return the first thing in a decoded value that only `trust=True` reads; None where all is read."""
    if isinstance(value, Untrusted):
        return value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for item in items if (found := find_untrusted(item)) is not None), None)


def _encode_dict(value: dict[Any, Any]) -> Json:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: encode(item) for key, item in value.items()}
    return {"$items": [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_object(value: Any) -> Json:
    if isinstance(value, spaces.Space) and type(value) in _SPACES:
        return {"$space": [type(value).__name__, encode(_SPACES[type(value)](value))]}
    if isinstance(value, LinearSchedule):
        return {"$linear": [value.start, value.end, value.end_fraction]}
    if isinstance(value, ConstantSchedule):
        return {"$constant": value.val}
    if isinstance(value, FloatSchedule):
        return {"$float_schedule": encode(value.value_schedule)}
    if isinstance(value, type) and "<locals>" not in value.__qualname__ and value.__module__ != "__main__":
        return {"$class": f"{value.__module__}:{value.__qualname__}"}
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and type(value).__module__ != "__main__":
        fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        return {"$spec": [encode(type(value)), fields]}
    return {"$pickle": [repr(value), base64.b64encode(cloudpickle.dumps(value)).decode()]}


def _decode_array(content: list[Any], trust: bool) -> np.ndarray:
    dtype, shape, data = content
    return np.frombuffer(base64.b64decode(data), dtype=np.dtype(dtype)).reshape(shape).copy()


def _decode_class(path: str, trust: bool) -> Any:
    module, _, name = path.partition(":")
    allowed = module in ALLOWED_PACKAGES or module.startswith(tuple(f"{package}." for package in ALLOWED_PACKAGES))
    if not trust and not allowed:
        return Untrusted(f"the class {module}.{name}")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, type) or found.__module__ != module:
        return Untrusted(f"{module}.{name}, which is not a class defined there")
    if not trust and not issubclass(found, _BUILT):
        return Untrusted(f"the class {module}.{name}, which is no part of a policy")
    return found


def _decode_spec(content: list[Any], trust: bool) -> Any:
    spec = decode(content[0], trust)
    if isinstance(spec, Untrusted):
        return spec
    if not (isinstance(spec, type) and dataclasses.is_dataclass(spec)):
        return Untrusted(f"{spec}, which is not a dataclass")
    return spec(**decode(content[1], trust))


def _decode_pickle(content: list[str], trust: bool) -> Any:
    description, data = content
    return cloudpickle.loads(base64.b64decode(data)) if trust else Untrusted(description)


def _box(space: spaces.Box) -> dict[str, Any]:
    return {"low": _uniform(space.low), "high": _uniform(space.high), "shape": space.shape, "dtype": str(space.dtype)}


def _uniform(bound: np.ndarray) -> Any:
    """One number in place of an array of equal ones: an image's bounds are large."""
    return bound.flat[0].item() if bound.size and (bound == bound.flat[0]).all() else bound


_SPACES = {
    spaces.Box: _box,
    spaces.Discrete: lambda space: {"n": int(space.n), "start": int(space.start)},
    spaces.MultiDiscrete: lambda space: {"nvec": space.nvec, "start": space.start, "dtype": str(space.dtype)},
    spaces.MultiBinary: lambda space: {"n": space.n if isinstance(space.n, int) else list(space.shape)},
    spaces.Dict: lambda space: {"spaces": list(space.spaces.items())},
    spaces.Tuple: lambda space: {"spaces": list(space.spaces)},
}


def _decode_space(content: list[Any], trust: bool) -> Any:
    name, encoded = content
    arguments = decode(encoded, trust)
    if name == "Dict":
        return spaces.Dict(OrderedDict(arguments["spaces"]))
    if name == "Tuple":
        return spaces.Tuple(arguments["spaces"])
    if "dtype" in arguments:
        arguments["dtype"] = np.dtype(arguments["dtype"]).type
    return {space.__name__: space for space in _SPACES}[name](**arguments)


_DECODERS = {
    "$array": _decode_array,
    "$scalar": lambda content, trust: decode(content, trust)[()],
    "$tuple": lambda content, trust: tuple(decode(item, trust) for item in content),
    "$items": lambda content, trust: {decode(key, trust): decode(item, trust) for key, item in content},
    "$space": _decode_space,
    "$linear": lambda content, trust: LinearSchedule(*content),
    "$constant": lambda content, trust: ConstantSchedule(content),
    "$float_schedule": lambda content, trust: FloatSchedule(decode(content, trust)),
    "$class": _decode_class,
    "$spec": _decode_spec,
    "$pickle": _decode_pickle,
}
