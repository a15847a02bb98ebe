"""An external memory: slots that a controller reads and writes by what they contain."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softplus

from recurrent_rl.functional.precision import without_autocast
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_whole

FLOOR = 1e-6  # keeps a cosine and its gradient finite where a vector vanishes


@dataclass(frozen=True, kw_only=True)
class External(MemorySpec):
    """A differentiable neural computer in its simplest form: one write head, one read head, addressed by content alone.

        h, c = LSTM([x, r], h, c)                                 the controller, which sees what was last read
        k_w, k_r, e~, v [W], s_w, s_r, g~ = W_interface h + b     keys, erase and write vector; strengths, gate
        w = sigmoid(g~) softmax((1 + softplus(s_w)) cos(M, k_w)) [slots]
        M = M - M * w sigmoid(e~)^T + w v^T [slots, W]
        r = M^T softmax((1 + softplus(s_r)) cos(M, k_r)) [W]
        output = W_output [h, r] + b [H]

    The paper addresses also by usage and by the order of writes, and has several read heads; these are left out. Since
    content is all that tells slots apart, the memory before an episode is learned, each slot beginning small and in
    its own direction: equal slots would stay equal. A cosine has 1e-6 added to the squared lengths.

    Args:
        hidden_size: Units of the controller and outputs, H.
        slots: Rows of the memory.
        width: Numbers in a slot, W.

    Source: Graves et al. 2016, Hybrid computing using a neural network with dynamic external memory.
    """

    hidden_size: int = 64
    slots: int = 16
    width: int = 16

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "slots", "width")

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return ExternalMemory(self, input_size)


class ExternalMemory(Memory):
    """The memory of `External`; state: M [B, slots, W], r [B, W], h and c [B, H]."""

    zero: Tensor

    def __init__(self, spec: External, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size, self.width = input_size, spec.hidden_size, spec.width
        self.projection = nn.Linear(input_size, 4 * spec.hidden_size)
        self.controller = nn.Linear(spec.width + spec.hidden_size, 4 * spec.hidden_size, bias=False)
        self.interface = nn.Linear(spec.hidden_size, 4 * spec.width + 3)
        self.output = nn.Linear(spec.hidden_size + spec.width, spec.hidden_size)
        self.slots = nn.Parameter(0.1 * torch.randn(spec.slots, spec.width))
        with torch.no_grad():
            self.projection.bias.chunk(4)[2].fill_(1.0)  # the forget gate
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # carries device and dtype

    def initial_state(self, batch_size: int) -> State:
        """Return the learned memory, and zeros for all else."""
        sizes = self.width, self.output_size, self.output_size
        return self.slots.expand(batch_size, -1, -1), *(self.zero.expand(batch_size, size) for size in sizes)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        projected = self.projection(inputs).to(self.zero.dtype)  # [T, B, 4 H]
        with without_autocast(inputs):
            seen, leaving = self._loop(projected, state, starts)
        return self.output(seen).to(seen.dtype), leaving

    def _loop(self, projected: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """Return h and r [T, B, H + W] and the state that is left."""
        fresh = starts.to(projected.device, non_blocking=True)  # [T, B]
        resets = [True] if len(starts) == 1 else starts.any(1).tolist()
        seen = []
        for row, start, reset in zip(projected.unbind(), fresh.unbind(), resets, strict=True):
            if reset:
                state = self._reset(state, start.unsqueeze(-1))
            state = self._step(row, state)
            seen.append(torch.cat([state[2], state[1]], dim=-1))
        return torch.stack(seen), state

    def _reset(self, state: State, start: Tensor) -> State:
        memory = torch.where(start.unsqueeze(-1), self.slots, state[0])
        return memory, *(torch.where(start, self.zero, leaf) for leaf in state[1:])

    def _step(self, row: Tensor, state: State) -> State:
        memory, read, h, c = state
        h, c = self._control(row + linear(torch.cat([read, h], dim=-1), self.controller.weight), c)
        vectors, scalars = linear(h, self.interface.weight, self.interface.bias).split([4 * self.width, 3], dim=-1)
        write_key, read_key, erase, write = vectors.chunk(4, dim=-1)  # [B, W]
        write_strength, read_strength, gate = scalars.unsqueeze(-1).unbind(1)  # [B, 1]
        at = torch.sigmoid(gate) * addressed(memory, write_key, write_strength)  # [B, slots]
        change = write.unsqueeze(1) - torch.sigmoid(erase).unsqueeze(1) * memory  # [B, slots, W]
        memory = torch.addcmul(memory, at.unsqueeze(-1), change)
        weights = addressed(memory, read_key, read_strength)
        return memory, torch.bmm(weights.unsqueeze(1), memory).squeeze(1), h, c

    @staticmethod
    def _control(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        candidate, enter, forget, leave = gates.chunk(4, dim=-1)  # [B, H]
        c = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(c), c


def addressed(memory: Tensor, key: Tensor, strength: Tensor) -> Tensor:
    """Return how much each slot is meant: softmax of (1 + softplus(strength)) times its cosine with the key.

    Args:
        memory: [B, slots, W].
        key: [B, W].
        strength: [B, 1], any number.
    """
    products = torch.bmm(memory, key.unsqueeze(-1)).squeeze(-1)  # [B, slots]
    squares = (memory.square().sum(-1) + FLOOR) * (key.square().sum(-1, keepdim=True) + FLOOR)
    return torch.softmax((1.0 + softplus(strength)) * products * torch.rsqrt(squares), dim=-1)
