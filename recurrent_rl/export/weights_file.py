"""A policy's weights as safetensors, with what builds the policy as JSON beside them."""

import json
from pathlib import Path
from typing import Any

from recurrent_rl.checkpoint import decode, encode, find_untrusted
from recurrent_rl.export.acting import ActingStep
from recurrent_rl.export.card import Card
from recurrent_rl.export.exportable import Exportable, Source, by_torch
from recurrent_rl.export.form import Form, write_checked
from recurrent_rl.export.numpy_agent import FORMAT, Agent, AgentFileError, agent_of, parse_header
from recurrent_rl.export.packages import require
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

KEY = "recurrent_rl"


def to_safetensors(source: Source | Exportable, path: str | Path, card: Card | None = None) -> Path:
    """Write actor, critic and normaliser to a .safetensors file, and return its path.

    Nothing in it is pickled: the metadata is JSON of spaces and policy arguments, from which `load_agent` builds the policy.

    Args:
        source: A model, its policy, a checkpoint's path, the folder of a run, or what `exportable` made of one.
        path: The file; ".safetensors" is added where it has another suffix.
        card: What to write into the model card beside it.

    Raises:
        ImportError: safetensors is missing.
        ValueError: The policy has parts, such as an extractor of your own, that only code can tell.
        ParityError: The file would play differently; none is written.
    """
    return write_checked(source, path, Form(".safetensors", _write, load_safetensors), card)


def load_safetensors(path: str | Path) -> Agent:
    """Return the agent of a file that `to_safetensors` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: It is damaged, not such a file, or written by a newer version.
    """
    require("safetensors")
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise AgentFileError(f"{path} is damaged or no safetensors file ({error}); export it again.") from error
    header = parse_header(metadata.get(KEY, ""), "weights", path)
    return agent_of(by_torch(_built(header, path)), header, path)


def _built(header: dict[str, Any], path: str | Path) -> ActingStep:
    from safetensors.torch import load_model

    try:
        built = decode(header["policy"], trust=False)
        policy = RecurrentActorCriticPolicy.rebuild(built["class"], built["spaces"], built["arguments"])
        step = ActingStep(policy, built["normaliser"])
        load_model(step, str(path))  # weights under two names, as a shared extractor's are, lie in the file once
    except Exception as error:  # an edited file can make the policy's constructor fail in any way
        raise AgentFileError(f"{path} holds no policy that can be built: {error}") from error
    policy.set_training_mode(False)
    return step


def _write(source: Exportable, path: Path) -> None:
    require("safetensors")
    from safetensors.torch import save_model

    policy, step = source.step.policy, source.step
    built = encode(
        {
            "class": type(policy)._rebuilt_as(),
            "spaces": [policy.observation_space, policy.action_space],
            "arguments": policy._arguments,
            "normaliser": step.normaliser,
        }
    )
    if (untrusted := find_untrusted(decode(built, trust=False))) is not None:
        raise ValueError(
            f"The policy is made with {untrusted.description}, which a safetensors file cannot tell without code. Use "
            "to_numpy or to_onnx, which write down what is computed."
        )
    header = {"format": f"recurrent_rl weights {FORMAT}", **source.header, "policy": built}
    save_model(step, str(path), metadata={KEY: json.dumps(header)})
