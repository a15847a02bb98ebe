"""A policy's weights as safetensors, with what builds the policy as JSON beside them."""

import json
from pathlib import Path
from typing import Any

from recurrent_rl.checkpoint import Untrusted, decode, encode
from recurrent_rl.export.acting import ActingStep
from recurrent_rl.export.card import Card, write_card
from recurrent_rl.export.exportable import Exportable, Source, prepared
from recurrent_rl.export.numpy_agent import Agent, AgentFileError
from recurrent_rl.export.parity import write_checked

FORMAT = 1
KEY = "recurrent_rl"


def to_safetensors(source: Source | Exportable, path: str | Path, card: Card | None = None) -> Path:
    """Write actor, critic and normaliser to a .safetensors file, and return its path.

    Nothing in it is pickled: the metadata is JSON of spaces and policy arguments, from which `load_agent` builds the policy.

    Args:
        source: A model, its policy, a checkpoint's path, the folder of a run, or what `exportable` made of one.
        path: The file; ".safetensors" is added where it has no suffix.
        card: What to write into the model card beside it.

    Raises:
        ImportError: safetensors is missing.
        ParityError: The file would play differently; none is written.
    """
    found = prepared(source)
    path = Path(path) if Path(path).suffix else Path(f"{path}.safetensors")
    write_checked(path, lambda draft: _write(found, draft), load_safetensors, found)
    write_card(path, found.header, card)
    return path


def load_safetensors(path: str | Path) -> Agent:
    """Return the agent of a file that `to_safetensors` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: It is damaged, not such a file, or written by a newer version.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (SafetensorError, OSError, ValueError) as error:
        raise AgentFileError(f"{path} is damaged or no safetensors file ({error}); export it again.") from error
    header = _header(metadata, path)
    return Exportable(_built(header, weights, path), header).agent()


def _header(metadata: dict[str, str], path: Any) -> dict[str, Any]:
    try:
        header = json.loads(metadata[KEY])
        version = int(header["format"].removeprefix("recurrent_rl weights "))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise AgentFileError(
            f"{path} has no metadata of recurrent_rl; it was not written by to_safetensors."
        ) from error
    if version > FORMAT:
        raise AgentFileError(
            f"{path} has the format {version}, this version reads up to {FORMAT}; upgrade recurrent-rl."
        )
    return header


def _built(header: dict[str, Any], weights: dict[str, Any], path: Any) -> ActingStep:
    built = decode(header["policy"], trust=False)
    unknown = [value for value in (built["class"], *built["arguments"].values()) if isinstance(value, Untrusted)]
    if unknown:
        raise AgentFileError(f"{path} holds {unknown[0].description}, which only code of its author's gives.")
    policy = built["class"](*built["spaces"], lambda _: 0.0, **built["arguments"])
    step = ActingStep(policy, built["normaliser"])
    try:
        step.load_state_dict(weights)
    except RuntimeError as error:
        raise AgentFileError(f"The weights in {path} do not fit its policy: {error}") from error
    return step


def _write(source: Exportable, path: Path) -> None:
    from safetensors.torch import save_model

    policy, step = source.step.policy, source.step
    built = {
        "class": type(policy)._rebuilt_as(),
        "spaces": [policy.observation_space, policy.action_space],
        "arguments": policy._arguments,
        "normaliser": step.normaliser,
    }
    header = {"format": f"recurrent_rl weights {FORMAT}", **source.header, "policy": encode(built)}
    save_model(step, str(path), metadata={KEY: json.dumps(header)})
