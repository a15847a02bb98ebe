"""The linear recurrent unit: a complex diagonal recurrence, with eigenvalues on a ring at first."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.functional.dense import dense
from recurrent_rl.functional.scan import linear_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.memory.skip import add_skip, initial_skip


@dataclass(frozen=True, kw_only=True)
class LRU(MemorySpec):
    """The linear recurrent unit.

        lambda = exp(-exp(nu) + i exp(theta))             [N] complex, |lambda| < 1 for any nu
        h'     = lambda * h + exp(gamma) * (B x)          [N] complex, B [N, I] complex
        y      = Re(C h') + D x                           [H], C [H, N] complex, D [H, I], diagonal if I = H

    At first the eigenvalues lambda lie evenly on the ring from r_min to r_max, with phases from 0 to max_phase, and
    exp(gamma) = sqrt(1 - |lambda|^2): white noise then gives every unit the same variance, however long it remembers.
    The parts of B and C are normal with variances 1 / (2 I) and 1 / N, and D with 1 / I, or 1 where it is diagonal. All of
    them are learned.

    The output is linear in the state: the nonlinear layers between units are for other specs to add. The paper's code,
    where I = H always, has a diagonal D; its ring goes from 0 to 1 by default, ours lies where memories are long.

    Args:
        hidden_size: Outputs, H.
        state_size: Complex units, N; None for half of hidden_size: as many real numbers in the state as a GRU has.
        r_min: Smallest |lambda|, at first.
        r_max: Largest |lambda|, at first; near 1 for long memories.
        max_phase: Largest phase, at first, in radians; small where what matters is slow.

    Source: Orvieto et al. 2023, Resurrecting Recurrent Neural Networks for Long Sequences.
    """

    hidden_size: int = 64
    state_size: int | None = None
    r_min: float = 0.9
    r_max: float = 0.999
    max_phase: float = 2 * math.pi

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")
        if self.state_size is not None:
            require_whole(self, "state_size")
        require_between(self, "r_max", 0.0, 1 - 1e-6)
        require_between(self, "r_min", 0.0, self.r_max)
        require_between(self, "max_phase", 1e-6, 2 * math.pi)

    @property
    def units(self) -> int:
        """Complex units, N."""
        return self.state_size or (self.hidden_size + 1) // 2

    def build(self, input_size: int) -> "LRUMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return LRUMemory(self, input_size)


class LRUMemory(Memory):
    """State: h [B, N, 2], real and imaginary parts.

    Rows of `B` [2 N, I] are real and imaginary parts in turn, columns of `C` [H, 2 N] real parts and, with the other sign,
    imaginary parts in turn: then products of real matrices read and give numbers as complex ones lie in memory.
    """

    initial: Tensor

    def __init__(self, spec: LRU, input_size: int) -> None:
        super().__init__()
        self.spec = spec
        self.input_size, self.output_size = input_size, spec.hidden_size
        self.nu, self.theta, self.gamma = (nn.Parameter(values) for values in _ring(spec))
        self.B = nn.Parameter(torch.randn(2 * spec.units, input_size) / (2 * input_size) ** 0.5)
        self.C = nn.Parameter(torch.randn(spec.hidden_size, 2 * spec.units) / spec.units**0.5)
        self.D = nn.Parameter(initial_skip(spec.hidden_size, input_size))
        self.register_buffer("initial", torch.zeros(spec.units, 2), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros [B, N, 2]."""
        return (self.initial.expand(batch_size, -1, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        scale = self.gamma.exp().repeat_interleave(2).unsqueeze(-1)  # [2 N, 1]
        driven = dense(inputs, scale * self.B, None).to(self.initial.dtype).unflatten(-1, (-1, 2))  # [T, B, N, 2]
        updates, entry = torch.view_as_complex(driven), torch.complex(*state[0].unbind(-1))
        states = linear_scan(self.eigenvalues, updates, entry, torch.view_as_complex(self.initial), starts)
        h = torch.view_as_real(states)  # [T, B, N, 2]
        outputs = add_skip(dense(h.flatten(-2), self.C, None), self.D, inputs)
        return outputs.to(h.dtype), (h[-1],)

    @property
    def eigenvalues(self) -> Tensor:
        """The eigenvalues lambda [N], complex."""
        return torch.polar(torch.exp(-torch.exp(self.nu)), torch.exp(self.theta))


def _ring(spec: LRU) -> tuple[Tensor, Tensor, Tensor]:
    """Return nu, theta and gamma [N] of eigenvalues drawn evenly from a part of a ring."""
    area, angle = torch.rand(2, spec.units, dtype=torch.float64).clamp(min=1e-9)
    square = area * (spec.r_max**2 - spec.r_min**2) + spec.r_min**2  # |lambda|^2
    square = square.clamp(min=1e-12)
    nu, theta, gamma = (-0.5 * square.log()).log(), (spec.max_phase * angle).log(), 0.5 * (1 - square).log()
    kind = torch.get_default_dtype()
    return nu.to(kind), theta.to(kind), gamma.to(kind)
