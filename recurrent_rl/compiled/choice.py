"""Whether the compiled functions apply to a tensor, and why not.

Set RECURRENT_RL_KERNELS=loop to have torch operations everywhere on the CPU, for a second opinion.
"""

import os
from functools import cache

import torch
from torch import Tensor


def why_not(tensor: Tensor) -> str | None:
    """Return why compiled functions cannot work on `tensor` here and now; None where they can."""
    if tensor.device.type != "cpu":
        return f"the tensors are on the device {tensor.device.type!r}"
    if tensor.dtype != torch.float32:
        return f"the inputs are {tensor.dtype}, the compiled loops are for float32"
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return "the model is being traced for compilation or export"
    if os.environ.get("RECURRENT_RL_KERNELS") == "loop":
        return "RECURRENT_RL_KERNELS=loop"
    return why_no_numba()


@cache
def why_no_numba() -> str | None:
    """Return why numba cannot be imported; None where it can."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        return f"numba cannot be imported ({error}); pip install numba"
    return None
