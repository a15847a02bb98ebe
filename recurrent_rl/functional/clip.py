"""The norm of all gradients together, kept below a limit."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled.choice import why_not


def clip_gradients(gradients: Sequence[Tensor], limit: float) -> Tensor:
    """Scale gradients in place by min(1, limit / (norm + 1e-6)); return their norm before.

    NaN and infinity come through. The device is not waited for.

    Args:
        gradients: Of one device and type.
        limit: Largest norm of all together.
    """
    if not gradients:
        return torch.zeros(())
    first = gradients[0]
    if why_not(first) is None and all(x.is_contiguous() and x.dtype == first.dtype for x in gradients):
        return _in_one_pass(gradients, limit)
    with torch.no_grad():
        norm = torch.nn.utils.get_total_norm(gradients)
        scale = (limit / (norm + 1e-6)).clamp(max=1.0)
        torch._foreach_mul_(list(gradients), scale)
    return norm


def _in_one_pass(gradients: Sequence[Tensor], limit: float) -> Tensor:
    from recurrent_rl.compiled.threads import run_task
    from recurrent_rl.functional import kernels

    norm, limits = gradients[0].new_empty(()), np.array([limit], dtype=np.float64)
    places = [number for x in gradients for number in (x.data_ptr(), x.numel())]
    run_task(kernels.clip, len(gradients), limits.ctypes.data, norm, *places)
    return norm
