"""Whether the compiled functions apply to a tensor, and why not.

Set RECURRENT_RL_KERNELS=loop to have torch operations everywhere on the CPU, for a second opinion.
"""

import logging
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


def bfloat16_wanted() -> bool:
    """Whether autocast to bfloat16 is on for the CPU, and the CPU multiplies bfloat16.

    Where it does not, products stay in float32, and a warning says so once.
    """
    if not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") != torch.bfloat16:
        return False
    return _has_bfloat16()


@cache
def _has_bfloat16() -> bool:
    from recurrent_rl.compiled.product import HAS_BFLOAT16

    if not HAS_BFLOAT16:
        logging.getLogger("recurrent_rl").warning(
            "This CPU has no bfloat16 products (AVX512-BF16): the compiled layers multiply in float32."
        )
    return HAS_BFLOAT16
