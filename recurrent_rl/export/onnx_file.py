"""A policy as an ONNX graph, and the agent that plays one.

    inputs    `observation` [B, ...], or `observation.KEY` for each part of a Dict, `starts` [B] bool, `state_0` ... [B, ...]
    outputs   `action` [B, ...], `logits` or `mean` and `deviation` [B, A], `next_state_0` ... [B, ...]

B may change from call to call. Where `starts` is true an episode begins, and what comes in as its state counts for nothing.
Normaliser and action bounds are inside the graph. The model's metadata `recurrent_rl` is JSON: spaces, names, versions.
"""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.export.acting import ActingStep
from recurrent_rl.export.card import Card
from recurrent_rl.export.exportable import Exportable, Source
from recurrent_rl.export.form import Form, write_checked
from recurrent_rl.export.numpy_agent import FORMAT, Agent, AgentFileError, Array, agent_of, parse_header
from recurrent_rl.export.packages import require
from recurrent_rl.export.parity import around_of, compare
from recurrent_rl.export.spaces import ONLY
from recurrent_rl.export.tracing import ROWS, example, quietly, trace

KEY = "recurrent_rl"


class ResettingStep(nn.Module):
    """An acting step that begins episodes itself: parts, starts [B], leaves -> what the step gives."""

    def __init__(self, step: ActingStep) -> None:
        super().__init__()
        self.step, self.parts = step, len(step.names)
        for i, leaf in enumerate(step.initial_leaves(1)):
            self.register_buffer(f"initial{i}", leaf)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Take the step."""
        parts, starts, leaves = tensors[: self.parts], tensors[self.parts], tensors[self.parts + 1 :]
        fresh = [
            torch.where(starts.reshape(-1, *[1] * (leaf.dim() - 1)), self.get_buffer(f"initial{i}"), leaf)
            for i, leaf in enumerate(leaves)
        ]
        return self.step(*parts, *fresh)

    def example(self) -> tuple[Tensor, ...]:
        """Return inputs to trace it with."""
        inputs = example(self.step)
        return *inputs[: self.parts], torch.zeros(ROWS, dtype=torch.bool), *inputs[self.parts :]


def to_onnx(source: Source | Exportable, path: str | Path, card: Card | None = None, int8: bool = False) -> Path:
    """Write a policy as an ONNX graph, and return its path; needs `pip install recurrent-rl[export]`.

    Args:
        source: A model, its policy, a checkpoint's path, the folder of a run, or what `exportable` made of one.
        path: The file; ".onnx" is added where it has another suffix.
        card: What to write into the model card beside it.
        int8: Weights of products as 8-bit whole numbers: a smaller file whose actions are not quite the policy's. The graph
            that it is made from is checked; what rounding costs must be measured, by the returns of both.

    Raises:
        ImportError: onnx, onnxscript or onnxruntime is missing.
        ParityError: The file would play differently; none is written.
    """
    return write_checked(source, path, Form(".onnx", _write_int8 if int8 else _write, load_onnx, exact=not int8), card)


def load_onnx(path: str | Path) -> Agent:
    """Return the agent of a file that `to_onnx` wrote, played by onnxruntime on one thread.

    Raises:
        FileNotFoundError: There is no such file.
        AgentFileError: It is damaged, not such a file, or written by a newer version.
    """
    require("onnxruntime")
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    step = _SessionStep(path)
    return agent_of(step, step.header, path)


def _names(header: dict[str, Any]) -> list[str]:
    """Return the names of the observation's parts: none of a Dict's keys can be that of another input or output."""
    names = header["inputs"]
    return names if names == [ONLY] else [f"{ONLY}.{name}" for name in names]


class _SessionStep:
    """A step of onnxruntime on one thread; it is pickled, to other processes, as its file's path.

    Raises:
        AgentFileError: See `load_onnx`.
    """

    def __init__(self, path: str | Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # steps are small
        self.path = Path(path).absolute()
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common class but this
            raise AgentFileError(f"{path} is damaged or no ONNX graph ({error}); export it again.") from error
        self.header = parse_header(self.session.get_modelmeta().custom_metadata_map.get(KEY, ""), "onnx", path)
        try:
            self.names = [*_names(self.header), "starts", *(f"state_{i}" for i in range(len(self.header["initial"])))]
        except TypeError as error:
            raise AgentFileError(f"{path} is damaged: its header does not describe an agent ({error!r}).") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return _SessionStep, (self.path,)

    def __call__(self, observation: list[Array], leaves: list[Array]) -> list[Array]:
        starts = np.zeros(len(observation[0]), dtype=bool)  # the agent has put the initial leaves in place
        found: Any = self.session.run(None, dict(zip(self.names, (*observation, starts, *leaves), strict=True)))
        return found


def _write(source: Exportable, path: Path) -> None:
    require("onnx", "onnxscript", "onnxruntime")
    step = ResettingStep(source.step)
    leaves = source.step.initial_leaves(1)
    inputs = [*_names(source.header), "starts", *(f"state_{i}" for i in range(len(leaves)))]
    outputs = ["action", *source.step.parameter_names, *(f"next_state_{i}" for i in range(len(leaves)))]
    traced = trace(step, step.example())
    with quietly(), contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(traced, (), dynamo=True, input_names=inputs, output_names=outputs, verbose=False)
    assert program is not None
    header = {"format": f"recurrent_rl onnx {FORMAT}", **source.header}
    program.model.metadata_props[KEY] = json.dumps(header)
    program.save(str(path))


def _write_int8(source: Exportable, path: Path) -> None:
    """Write the graph, play it beside the policy, and replace it by one with 8-bit weights."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    exact = path.with_name(f"exact-{path.name}")
    _write(source, exact)
    compare(source.agent(), load_onnx(exact), around_of(source.step))
    with quietly():
        quantize_dynamic(str(exact), str(path), weight_type=QuantType.QInt8)
