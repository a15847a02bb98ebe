"""A policy as a file that `numpy_agent` plays without torch."""

import json
from pathlib import Path

import numpy as np

from recurrent_rl.export import numpy_agent
from recurrent_rl.export.card import Card
from recurrent_rl.export.exportable import Exportable, Source
from recurrent_rl.export.form import Form, write_checked
from recurrent_rl.export.program import UnsupportedError, to_program
from recurrent_rl.export.tracing import example, trace


def to_numpy(source: Source | Exportable, path: str | Path, card: Card | None = None) -> Path:
    """Write a policy to one .npz that needs numpy alone, and return its path.

    Beside the arrays it holds JSON (as the array `header`): spaces, names, versions, and the operations of a step.

    Args:
        source: A model, its policy, a checkpoint's path, the folder of a run, or what `exportable` made of one.
        path: The file; ".npz" is added where it has another suffix.
        card: What to write into the model card beside it.

    Raises:
        UnsupportedError: The policy does what numpy_agent has no operation for.
        ParityError: The file would play differently; none is written.
    """
    return write_checked(source, path, Form(".npz", _write, numpy_agent.load), card)


def _write(source: Exportable, path: Path) -> None:
    document, arrays = to_program(trace(source.step, example(source.step)))
    header = {"format": f"recurrent_rl numpy {numpy_agent.FORMAT}", **source.header, "program": document}
    encoded = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, header=encoded, **arrays)  # type: ignore[arg-type]
    try:
        numpy_agent.load(path)
    except numpy_agent.AgentFileError as error:
        raise UnsupportedError(
            f"numpy_agent knows an operation of the policy, but not in this form ({error}); export it by to_onnx."
        ) from error
