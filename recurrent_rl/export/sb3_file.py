"""What a file of Stable-Baselines3 says in plain text: its pickled parts are never opened."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from recurrent_rl.checkpoint import CheckpointError, Untrusted, decode

CLASS = re.compile(r"^<class '([\w.]+)\.(\w+)'>$")
CONSTANT = re.compile(r"ConstantSchedule\(val=([-+.\deE]+)\)")


def read_sb3(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the JSON of a file and the weights of its policy.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is damaged, or not a file of Stable-Baselines3.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if not {"data", "policy.pth"} <= set(names):
                raise CheckpointError(
                    f"{path} was not written by Stable-Baselines3 or sb3-contrib: it lacks data or policy.pth."
                )
            data = json.loads(archive.read("data"))
            weights = torch.load(io.BytesIO(archive.read("policy.pth")), map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # of zip, JSON and torch, which refuses what is no tensor
        raise CheckpointError(f"{path} is damaged or holds what is not read without running code ({error}).") from error
    if not isinstance(data, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f"{path} is damaged: its JSON is no object, or its weights are no tensors.")
    return data, weights


def read_space(entry: Any, name: str) -> spaces.Space:
    """Return a space from what is written of it beside its pickle.

    Raises:
        CheckpointError: That is not enough; the message says what to pass.
    """
    kind = CLASS.match(entry.get(":type:", "")) if isinstance(entry, dict) else None
    try:
        found = _SPACES[kind.group(2)](entry) if kind else None
    except (KeyError, ValueError, TypeError):
        found = None
    if found is None:
        raise CheckpointError(
            f"The file tells its {name} only by a pickle, which is not opened. Pass {name}=env.{name} to from_sb3_contrib."
        )
    return found


def _numbers(text: str, kind: type) -> np.ndarray:
    """Return the numbers that numpy printed; of a long array it prints the corners alone."""
    if "..." in text:
        raise ValueError("shortened")
    return np.array(re.sub(r"[\[\],]", " ", text).split(), dtype=kind)


def _bound(entry: dict[str, Any], side: str, shape: tuple[int, ...]) -> np.ndarray:
    single, text = entry.get(f"{side}_repr"), entry[side]
    if single is not None and "[" not in single:  # printed once, it is the whole array's text
        return np.array(float(single))
    if entry["dtype"] == "uint8" and "..." in text:  # an image: its corners are 0, or 255, and so is the rest
        values = _numbers(text.replace("...", ""), np.float64)
        if len(set(values)) == 1 and values[0] in (0.0, 255.0):
            return values[0]
    return _numbers(text, np.float64).reshape(shape)


def _box(entry: dict[str, Any]) -> spaces.Box:
    kind, shape = np.dtype(entry["dtype"]).type, tuple(entry["_shape"])
    low, high = (np.broadcast_to(_bound(entry, side, shape), shape).astype(kind) for side in ("low", "high"))
    return spaces.Box(low, high, shape, kind)


_SPACES = {
    "Box": _box,
    "Discrete": lambda entry: spaces.Discrete(int(entry["n"]), start=int(entry["start"])),
    "MultiDiscrete": lambda entry: spaces.MultiDiscrete(_numbers(entry["nvec"], np.int64)),
    "MultiBinary": lambda entry: spaces.MultiBinary(
        entry["n"] if isinstance(entry["n"], int) else list(entry["_shape"])
    ),
}


def read_policy_kwargs(entry: Any) -> dict[str, Any]:
    """Return policy_kwargs; classes by name are taken where they belong to torch, Stable-Baselines3 or us.

    Raises:
        CheckpointError: An argument is told by a pickle alone.
    """
    found = {}
    for name, value in (entry or {}).items():
        if name in (":type:", ":serialized:"):
            continue
        kind = CLASS.match(value) if isinstance(value, str) else None
        if kind is not None:
            value = decode({"$class": f"{kind.group(1)}:{kind.group(2)}"}, trust=False)
        if isinstance(value, Untrusted | str):
            raise CheckpointError(
                f"The file tells policy_kwargs[{name!r}] only by a pickle ({value}). Pass policy_kwargs= to "
                "from_sb3_contrib."
            )
        found[name] = value
    return found


def read_schedule(entry: Any) -> float | None:
    """Return a learning rate or clip range that is constant; None for what is a function, or for None."""
    if isinstance(entry, int | float):
        return float(entry)
    text = entry.get("value_schedule", "") if isinstance(entry, dict) else ""
    constant = CONSTANT.search(str(text))
    return float(constant.group(1)) if constant else None
