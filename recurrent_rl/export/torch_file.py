"""A policy as a program of torch.export, for AOTInductor, ExecuTorch and others that read it."""

import json
from pathlib import Path

import torch
from torch import Tensor

from recurrent_rl.export.card import Card
from recurrent_rl.export.exportable import Exportable, Source, by_torch
from recurrent_rl.export.form import Form, write_checked
from recurrent_rl.export.numpy_agent import FORMAT, Agent, AgentFileError, agent_of, parse_header
from recurrent_rl.export.onnx_file import ResettingStep
from recurrent_rl.export.tracing import quietly, trace

HEADER = "recurrent_rl.json"


def to_torch_export(source: Source | Exportable, path: str | Path, card: Card | None = None) -> Path:
    """Write a policy as a .pt2 file of torch.export, and return its path.

    Inputs and outputs are those of `to_onnx`, by position. Read it with `torch.export.load(path).module()`, or as an agent
    with `load_agent(path, trust=True)`: torch unpickles parts of such files, so trust whoever wrote it.

    Args:
        source: A model, its policy, a checkpoint's path, the folder of a run, or what `exportable` made of one.
        path: The file; ".pt2" is added where it has another suffix.
        card: What to write into the model card beside it.

    Raises:
        ParityError: The file would play differently; none is written.
    """
    return write_checked(source, path, Form(".pt2", _write, load_torch_export), card)


def load_torch_export(path: str | Path) -> Agent:
    """Return the agent of a file that `to_torch_export` wrote; torch unpickles parts of it.

    Raises:
        AgentFileError: It is damaged, not such a file, or written by a newer version.
    """
    extra = {HEADER: ""}
    try:
        with quietly():
            step = torch.export.load(str(path), extra_files=extra).module()
    except Exception as error:  # torch's errors here have no common class but this
        raise AgentFileError(f"{path} is damaged or no program of torch.export ({error}); export it again.") from error
    header = parse_header(extra[HEADER], "torch", path)

    def go_on(*tensors: Tensor) -> tuple[Tensor, ...]:
        parts = len(header["inputs"])
        starts = torch.zeros(len(tensors[0]), dtype=torch.bool)  # the agent has put the initial leaves in place
        return step(*tensors[:parts], starts, *tensors[parts:])

    return agent_of(by_torch(go_on), header, path)


def _write(source: Exportable, path: Path) -> None:
    step = ResettingStep(source.step)
    header = {"format": f"recurrent_rl torch {FORMAT}", **source.header}
    with quietly():
        torch.export.save(trace(step, step.example()), str(path), extra_files={HEADER: json.dumps(header)})
