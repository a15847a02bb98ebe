"""Whether the compiled functions apply to a tensor, and why not.

Set RECURRENT_RL_KERNELS=loop to have torch operations everywhere on the CPU, for a second opinion.
"""

import logging
import os
from functools import cache

import torch
from torch import Tensor
from torch.nn import Parameter


def why_not(tensor: Tensor) -> str | None:
    """Return why compiled functions cannot work on `tensor` here and now; None where they can."""
    if tensor.device.type != "cpu":
        return f"the tensors are on the device {tensor.device.type!r}"
    if type(tensor) not in (Tensor, Parameter):
        return f"the inputs are a {type(tensor).__name__}, which may have no memory of its own"
    if tensor.dtype != torch.float32:
        return f"the inputs are {tensor.dtype}, the compiled loops are for float32"
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return "the model is being traced for compilation or export"
    if os.environ.get("RECURRENT_RL_KERNELS") == "loop":
        return "RECURRENT_RL_KERNELS=loop"
    return why_no_numba()


def alike(tensor: Tensor, *others: Tensor) -> bool:
    """Whether all have the shape, type and device of the first: compiled functions read memory by addresses alone."""
    shape, dtype, device = tensor.shape, tensor.dtype, tensor.device
    return all(other.shape == shape and other.dtype == dtype and other.device == device for other in others)


def refuse_second_derivatives() -> None:
    """Raise RuntimeError in a backward pass that is itself to be differentiated (create_graph=True)."""
    if torch.is_grad_enabled():
        raise RuntimeError(
            "The compiled functions give first derivatives only; set RECURRENT_RL_KERNELS=loop in the environment for "
            "create_graph=True."
        )


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
