"""One way to load what plays: a checkpoint, a run's folder, NumPy, ONNX, torch.export and safetensors files."""

import os
import zipfile
from pathlib import Path

from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first
from stable_baselines3.common.vec_env import VecTransposeImage

from recurrent_rl.export import numpy_agent
from recurrent_rl.export.exportable import exportable
from recurrent_rl.export.numpy_agent import Agent, AgentFileError
from recurrent_rl.export.onnx_file import load_onnx
from recurrent_rl.export.spaces import from_description
from recurrent_rl.export.torch_file import load_torch_export
from recurrent_rl.export.weights_file import load_safetensors
from recurrent_rl.vector.tuples import space_without_tuples

CHECKPOINT, NUMPY, ONNX, TORCH, WEIGHTS = "checkpoint", "numpy", "onnx", "torch", "weights"
_BY_SUFFIX = {".onnx": ONNX, ".safetensors": WEIGHTS}  # they begin with no mark of their own
_LOADERS = {NUMPY: numpy_agent.load, ONNX: load_onnx, TORCH: load_torch_export, WEIGHTS: load_safetensors}


def load_agent(
    path: str | os.PathLike[str],
    observation_space: spaces.Space | None = None,
    action_space: spaces.Space | None = None,
    past: bool = False,
    trust: bool = False,
) -> Agent:
    """Return the agent of a file, whatever its kind; the actions are the same for all.

        agent = load_agent("policy.onnx")
        agent.reset()
        action = agent.act(observation)

    Args:
        path: A checkpoint, a run's folder, or what `to_numpy`, `to_onnx`, `to_torch_export` or `to_safetensors` wrote.
        observation_space: Of the environment it is to play, to be compared; None to take it as it is.
        action_space: The same for actions.
        past: See `exportable`; for checkpoints, other files say it themselves.
        trust: Also open what can only be read by unpickling, which can run any code its author chose: a program of
            torch.export, and classes of a checkpoint outside the allow-list.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: It is damaged, foreign, too new, or of other spaces.
        CheckpointError: A checkpoint cannot be read.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind == CHECKPOINT:
        agent = exportable(path, past, trust=trust).agent()
    elif kind == TORCH and not trust:
        raise AgentFileError(
            f"{path} is a program of torch.export, parts of which torch unpickles; pass trust=True if you trust its author."
        )
    else:
        agent = _LOADERS[kind](path)
    _compare(agent, observation_space, "observation", path)
    _compare(agent, action_space, "action", path)
    return agent


def kind_of(path: Path) -> str:
    """Return which kind of file it is, by its content.

    Raises:
        FileNotFoundError: There is none.
        AgentFileError: It is none of them.
    """
    if path.is_dir() or (not path.exists() and path.with_name(f"{path.name}.zip").exists()):
        return CHECKPOINT
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    with path.open("rb") as file:
        first = file.read(4)
    if first != b"PK\x03\x04":
        if path.suffix in _BY_SUFFIX:
            return _BY_SUFFIX[path.suffix]
        raise AgentFileError(f"{path} is neither a checkpoint nor what an exporter wrote; export the policy again.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as error:
        raise AgentFileError(f"{path} is damaged ({error}); export the policy again.") from error
    if "header.npy" in names:
        return NUMPY
    if any(name.rsplit("/", 1)[-1] == "archive_format" for name in names):
        return TORCH
    return CHECKPOINT


def _compare(agent: Agent, wanted: spaces.Space | None, what: str, path: Path) -> None:
    """Refuse an environment that the agent was not trained in."""
    if wanted is None:
        return
    own = from_description(agent.observation_space if what == "observation" else agent.action_space)
    if own not in (wanted, _colours_first(wanted), space_without_tuples(wanted)):
        raise AgentFileError(f"{path} was trained with the {what}s {own}, and the environment has {wanted}.")


def _colours_first(space: spaces.Space) -> spaces.Space:
    """Return the space of pictures as policies read them, with their colours first."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({name: _colours_first(part) for name, part in space.spaces.items()})
    if is_image_space(space) and not is_image_space_channels_first(space):  # type: ignore[arg-type]
        return VecTransposeImage.transpose_space(space)  # type: ignore[arg-type]
    return space
