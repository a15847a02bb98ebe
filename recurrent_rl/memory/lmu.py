"""Legendre memory unit: a vanilla recurrence beside a sliding window held as Legendre coefficients."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, pad

from recurrent_rl.functional.precision import without_autocast
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole


@dataclass(frozen=True, kw_only=True)
class LMU(MemorySpec):
    """Legendre memory unit: m holds the last `theta` steps of one encoded signal u, h reads it.

        u[t] = e_x . x[t] + e_h . h[t - 1] + e_m . m[t - 1]                 scalar
        m[t] = A m[t - 1] + B u[t]                                          [d]
        h[t] = tanh(W_x x[t] + W_h h[t - 1] + W_m m[t])                     [H], the output

    A and B are fixed: the zero-order hold, at step 1, of theta dm/dt = a m + b u with

        a[i, j] = (2 i + 1) (-1 if i < j else (-1)^(i - j + 1))             [d, d]
        b[i] = (2 i + 1) (-1)^i                                             [d]

    so that u[t - r theta] is about the sum of P_i(2 r - 1) m_i[t], P_i the Legendre polynomials, 0 <= r <= 1. That part is
    stable; the learned e_h and e_m close a loop around it that need not be. The e begin LeCun-uniform, but for e_m = 0; the
    W Xavier-normal.

    Args:
        hidden_size: Units, H.
        order: Legendre coefficients of the window, d.
        theta: Length of the window, in steps.

    Source: Voelker, Kajic and Eliasmith 2019, Legendre Memory Units: Continuous-Time Representation in Recurrent Neural
    Networks.
    """

    hidden_size: int = 64
    order: int = 32
    theta: float = 64.0

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "order")
        require_between(self, "theta", 1.0, 1e9)

    def build(self, input_size: int) -> "LMUMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return LMUMemory(self, input_size)


class LMUMemory(Memory):
    """The memory of `LMU`; leaves: h [B, H] and m [B, d]."""

    A: Tensor
    B: Tensor
    e_x: Tensor
    e_h: Tensor
    e_m: Tensor
    W_x: Tensor
    W_h: Tensor
    W_m: Tensor

    def __init__(self, spec: LMU, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size, self.order = input_size, spec.hidden_size, spec.order
        for name, size in (("x", input_size), ("h", spec.hidden_size), ("m", spec.order)):
            encoder, kernel = torch.empty(size), torch.empty(spec.hidden_size, size)
            self.register_parameter(f"e_{name}", nn.Parameter(encoder.uniform_(-1.0, 1.0) * math.sqrt(3.0 / size)))
            self.register_parameter(f"W_{name}", nn.Parameter(nn.init.xavier_normal_(kernel)))
        nn.init.zeros_(self.e_m)
        for name, constant in zip("AB", legendre_window(spec.order, spec.theta), strict=True):
            self.register_buffer(name, constant.to(self.e_m), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros, [B, H] and [B, d]."""
        return self.B.new_zeros(batch_size, self.output_size), self.B.new_zeros(batch_size, self.order)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        entry = torch.cat(state, dim=1)  # [B, H + d]
        with without_autocast(entry):
            of_inputs, of_state = self._joint_weights()
            projected = linear(inputs.to(entry.dtype), of_inputs)  # [T, B, H + d]
            states = run_rows(projected, entry, of_state.T, self.output_size, starts)  # [T, B, H + d]
        hidden, memory = states.split([self.output_size, self.order], dim=-1)
        return hidden, (hidden[-1], memory[-1])

    def _joint_weights(self) -> tuple[Tensor, Tensor]:
        """Return what takes x[t] and [h, m][t - 1] to m[t] and to h[t] before its tanh: u[t], then m[t], put in place.

        Shapes [H + d, I] and [H + d, H + d]; a row of the loop is then one product.
        """
        memory_x = torch.outer(self.B, self.e_x)  # [d, I]
        memory_s = torch.cat(
            [torch.outer(self.B, self.e_h), self.A + torch.outer(self.B, self.e_m)], dim=1
        )  # [d, H + d]
        hidden_x = self.W_x + self.W_m @ memory_x  # [H, I]
        hidden_s = self.W_m @ memory_s + pad(self.W_h, (0, self.order))  # [H, H + d]
        return torch.cat([hidden_x, memory_x]), torch.cat([hidden_s, memory_s])


def run_rows(projected: Tensor, entry: Tensor, weight: Tensor, hidden_size: int, starts: Tensor) -> Tensor:
    """Return s[t] = f(projected[t] + s[t - 1] weight) [T, B, S], f being tanh for the first H and nothing for the others.

    At a start s[t - 1] is zero. Second derivatives are refused where T > 1.

    Args:
        projected: [T, B, S].
        entry: s[-1], [B, S].
        weight: [S, S].
        hidden_size: H.
        starts: [T, B] bool on the host; on the device if T = 1.
    """
    fresh = starts.to(entry.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
    if len(starts) == 1:  # an acting step: nothing is read on the host or written in place
        row = torch.addmm(projected[0], torch.where(fresh[0], 0.0, entry), weight)  # [B, S]
        return torch.cat([row[:, :hidden_size].tanh(), row[:, hidden_size:]], dim=1).unsqueeze(0)
    any_fresh = starts.any(dim=1).tolist()
    return _Rows.apply(projected, entry, weight, hidden_size, fresh, any_fresh)  # type: ignore[return-value]


class _Rows(torch.autograd.Function):
    """The loop and its way back, where the weight's gradient is one product after the loop."""

    @staticmethod
    def forward(ctx: Any, projected, entry, weight, hidden_size, fresh, any_fresh):
        """Return the states [T, B, S]."""
        states, state = torch.empty_like(projected), entry
        for t, (row, after) in enumerate(zip(projected.unbind(), states.unbind(), strict=True)):
            before = state.masked_fill(fresh[t], 0.0) if any_fresh[t] else state
            state = torch.addmm(row, before, weight, out=after)
            state[:, :hidden_size].tanh_()
        ctx.save_for_backward(entry, weight, states, fresh)
        ctx.hidden_size, ctx.any_fresh = hidden_size, any_fresh
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient):
        """Return the gradients of projected, entry and weight."""
        entry, weight, states, fresh = ctx.saved_tensors
        slopes = torch.ones_like(states)
        slopes[..., : ctx.hidden_size] -= states[..., : ctx.hidden_size].square()
        slope, wanted = slopes.unbind(), gradient.unbind()
        errors, error = torch.empty_like(states), None
        for t, before in reversed(list(enumerate(errors.unbind()))):
            error = torch.mul(wanted[t] if error is None else wanted[t] + error, slope[t], out=before) @ weight.T
            if ctx.any_fresh[t]:
                error.masked_fill_(fresh[t], 0.0)
        before = torch.cat([entry.unsqueeze(0), states[:-1]]).masked_fill(fresh, 0.0)  # [T, B, S]
        return errors, error, before.flatten(0, 1).T @ errors.flatten(0, 1), None, None, None


def legendre_window(order: int, theta: float) -> tuple[Tensor, Tensor]:
    """Return A [d, d] and B [d] of `LMU`, in float64.

    One exponential gives both: exp([[a, b], [0, 0]] / theta) = [[A, B], [0, 1]].
    """
    i = torch.arange(order, dtype=torch.float64).unsqueeze(1)
    j = i.T
    signs = torch.where(i < j, -1.0, 1.0 - 2.0 * ((i - j + 1) % 2))
    system = torch.cat([signs, 1.0 - 2.0 * (i % 2)], dim=1) * (2.0 * i + 1.0)  # [d, d + 1]
    held = torch.linalg.matrix_exp(pad(system / theta, (0, 0, 0, 1)))  # [d + 1, d + 1]
    return held[:-1, :-1], held[:-1, -1]
