"""S5: a diagonal complex state-space layer that mixes all features in one system."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from recurrent_rl.functional.dense import dense
from recurrent_rl.functional.glu import gated, gelu_with_skip
from recurrent_rl.functional.scan import linear_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.memory.skip import add_skip, initial_skip


@dataclass(frozen=True, kw_only=True)
class S5(MemorySpec):
    """Simplified state-space layer: one linear system of P states for all inputs, then a gate.

        s[t] = exp(L step) * s[t - 1] + (exp(L step) - 1) / L * (B x[t])   [P / 2], complex: zero-order hold
        y[t] = 2 Re(C s[t]) + D x[t]                                [H], D [H, I], diagonal if I = H
        output[t] = gelu(y[t]) * sigmoid(V gelu(y[t]) + c)          [H]

    The P states come in conjugate pairs, so one of each pair is kept. L holds P / 2 eigenvalues, -exp(r) + i w, which no
    value of the parameters makes unstable. They begin as those of HiPPO-N, in J blocks of P / J states; B and C begin as
    real normal matrices of variance 1 / I and 1 / P seen from its eigenvectors. Each of the P / 2 learns its own `step`,
    from a log-uniform draw. gelu is taken in its tanh form.

    Differs from the paper, where I = H: the real part of L goes through -exp(r), where the paper learns it as it is; C
    begins real before the change of basis, so that the layer begins as a real system; normalisation and the way around the
    layer are left to wrappers.

    Args:
        hidden_size: Features, H.
        state_size: Real numbers of state, P.
        num_blocks: Blocks of the initial matrix, J; each has an even number of states.
        step_min: Least initial step.
        step_max: Largest initial step.

    Raises:
        ValueError: A field is out of its range, or state_size is no multiple of 2 num_blocks.

    Source: Smith, Warrington and Linderman 2023, Simplified State Space Layers for Sequence Modeling; resets inside the
    scan as in Lu et al. 2023, Structured State Space Models for In-Context Reinforcement Learning.
    """

    hidden_size: int = 64
    state_size: int = 64
    num_blocks: int = 1
    step_min: float = 0.001
    step_max: float = 0.1

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "state_size", "num_blocks")
        if self.state_size % (2 * self.num_blocks):
            raise ValueError(f"{self}: state_size must be a multiple of 2 num_blocks, {2 * self.num_blocks}.")
        require_between(self, "step_min", 1e-6, 1e3)
        require_between(self, "step_max", self.step_min, 1e3)

    def build(self, input_size: int) -> "S5Memory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return S5Memory(self, input_size)


class S5Memory(Memory):
    """The memory of `S5`; its state is one leaf [B, P / 2, 2], real and imaginary parts."""

    initial: Tensor

    def __init__(self, spec: S5, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, spec.hidden_size
        eigenvalues, basis = hippo_eigenvectors(spec.state_size, spec.num_blocks)  # [P / 2] and [P, P / 2]
        self.log_decay = nn.Parameter(as_default((-eigenvalues.real).log()))
        self.frequency = nn.Parameter(as_default(eigenvalues.imag))
        low, high = torch.tensor([spec.step_min, spec.step_max]).log()
        self.log_step = nn.Parameter(torch.lerp(low, high, torch.rand(len(eigenvalues))))
        reading = torch.randn(spec.state_size, input_size, dtype=torch.float64) / input_size**0.5
        writing = torch.randn(spec.hidden_size, spec.state_size, dtype=torch.float64) / spec.state_size**0.5
        self.read = nn.Parameter(as_default(torch.view_as_real(basis.mH @ reading.to(basis))))  # [P / 2, I, 2]
        self.write = nn.Parameter(as_default(torch.view_as_real(writing.to(basis) @ basis)))  # [H, P / 2, 2]
        self.skip = nn.Parameter(initial_skip(spec.hidden_size, input_size))
        self.gate = nn.Linear(spec.hidden_size, spec.hidden_size)
        self.register_buffer("initial", torch.zeros(len(eigenvalues), 2), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros, [B, P / 2, 2]."""
        return (self.initial.expand(batch_size, -1, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        states = self._states(inputs, state[0], starts)
        active = self._active(dense(states.flatten(2), self._readout(), None), inputs)  # [T, B, H]
        outputs = gated(active, dense(active, self.gate.weight, self.gate.bias))
        return outputs.to(states.dtype), (states[-1],)

    def _active(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Return gelu(outputs + D inputs), [T, B, H]."""
        if self.skip.dim() == 1:
            return gelu_with_skip(outputs, self.skip, inputs)
        return gelu(add_skip(outputs, self.skip, inputs), approximate="tanh")

    def _states(self, inputs: Tensor, entry: Tensor, starts: Tensor) -> Tensor:
        """Return the states [T, B, P / 2, 2] after inputs [T, B, I]."""
        decays, read = self._discretised()
        updates = dense(inputs, read, None).unflatten(-1, (-1, 2)).to(entry.dtype)  # [T, B, P / 2, 2]
        entry, initial = torch.view_as_complex(entry.contiguous()), torch.view_as_complex(self.initial)
        return torch.view_as_real(linear_scan(decays, torch.view_as_complex(updates), entry, initial, starts))

    def _discretised(self) -> tuple[Tensor, Tensor]:
        """Return decays [P / 2], complex, and the input matrix [P, I], whose rows are real and imaginary parts in turn."""
        step = self.log_step.exp()
        real, imaginary = -self.log_decay.exp(), self.frequency
        moved = expm1(real * step, imaginary * step)
        read = (moved / torch.complex(real, imaginary)).unsqueeze(-1) * torch.view_as_complex(self.read)
        return moved + 1.0, torch.view_as_real(read).transpose(1, 2).flatten(0, 1)  # [P, I]

    def _readout(self) -> Tensor:
        """Return the matrix [H, P] that takes real and imaginary parts in turn to 2 Re(C s)."""
        return torch.stack([2.0 * self.write[..., 0], -2.0 * self.write[..., 1]], dim=-1).flatten(1)  # [H, P]


def as_default(values: Tensor) -> Tensor:
    """Return float64 values in the type that parameters have."""
    return values.to(torch.get_default_dtype())


def hippo_eigenvectors(state_size: int, num_blocks: int) -> tuple[Tensor, Tensor]:
    """Return eigenvalues [P / 2] of positive frequency, and their unit eigenvectors [P, P / 2], of blocks of HiPPO-N.

    HiPPO-N is normal: -1/2 on the diagonal and the antisymmetric sqrt(n + 1/2) sqrt(k + 1/2) above it. Complex128.

    Source: Gu et al. 2022, How to Train Your HiPPO (the normal part of HiPPO-LegS).
    """
    size = state_size // num_blocks
    root = (torch.arange(size, dtype=torch.float64) + 0.5).sqrt()
    upper = torch.outer(root, root).triu(1)
    frequencies, vectors = torch.linalg.eigh(-1j * (upper - upper.T))  # ascending, half of them above zero
    frequencies, vectors = frequencies[size // 2 :], vectors[:, size // 2 :]
    eigenvalues = torch.complex(torch.full_like(frequencies, -0.5), frequencies)
    return eigenvalues.repeat(num_blocks), torch.block_diag(*[vectors] * num_blocks)


def expm1(real: Tensor, imaginary: Tensor) -> Tensor:
    """Return exp(a + i b) - 1, complex, without the cancellation near zero: small steps are where S5 begins."""
    grown = real.exp()
    return torch.complex(
        torch.expm1(real) * imaginary.cos() - 2.0 * (0.5 * imaginary).sin().square(), grown * imaginary.sin()
    )
