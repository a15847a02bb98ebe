"""Minimal gated cells: gates that see the input alone, so that a scan runs over a whole rollout at once."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from recurrent_rl.functional.dense import dense
from recurrent_rl.functional.pointwise import gated_scan, paired_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_one_of, require_whole

Eigenvalues = Literal["positive", "signed"]
GatedScan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class MinSpec(MemorySpec):
    """What both minimal cells have in common.

    Args:
        hidden_size: Units, H.
        eigenvalues: "positive" for decays in [0, 1], the paper's; "signed" for decays in [-1, 1].
    """

    hidden_size: int = 64
    eigenvalues: Eigenvalues = "positive"

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")
        require_one_of(self, "eigenvalues", ("positive", "signed"))

    @abstractmethod
    def build(self, input_size: int) -> "MinMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""


@dataclass(frozen=True, kw_only=True)
class MinGRU(MinSpec):
    """The GRU with gates that see the input alone.

        z, c = sigmoid(W_z x + b_z), W_c x + b_c                 [H] each
        h'   = (1 - z) h + z c            eigenvalues="positive"
        h'   = (1 - 2 z) h + z c          eigenvalues="signed"

    With signed eigenvalues one unit computes the parity of a bit stream x, exactly and at any length: W_z = 2000,
    b_z = -1000, W_c = 0, b_c = 1. A 1 gives z = 1, so h' = 1 - h; a 0 gives z = 0, so h' = h; and h begins at 0.
    (1000 and -1000 are far enough for a sigmoid of exactly 1 and 0, in float64 too.)

    The candidate is linear, as in the paper's plain form: the positive one that it has for scans in the space of
    logarithms is not needed here. The update keeps its weight z where the decay is signed, as the source for the sign
    has it; so with a decay near -1 the state is not an average of candidates, and may grow in proportion to T.

    Source: Feng et al. 2024, Were RNNs All We Needed?; Grazzi et al. 2024, Unlocking State-Tracking in Linear RNNs Through
    Negative Eigenvalues (the sign: 2 s - 1 for a decay s in [0, 1]).
    """

    def build(self, input_size: int) -> "MinMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return MinMemory(self, input_size, 2, gated_scan)


@dataclass(frozen=True, kw_only=True)
class MinLSTM(MinSpec):
    """The LSTM with gates that see the input alone and add up to one, without an output gate.

        i, f, c = sigmoid(W_i x + b_i), sigmoid(W_f x + b_f), W_c x + b_c        [H] each
        z       = i / (i + f)
        h'      = (1 - z) h + z c            eigenvalues="positive"
        h'      = (1 - 2 z) h + z c          eigenvalues="signed"

    z is computed as sigmoid(log i - log f), which is a number where both gates are closed. What `MinGRU` says about
    candidates, signs and parity holds here too, with the logits of z in W_i and their opposites in W_f.

    Args:
        forget_bias: Initial bias of the forget gate. The paper finds that a larger one speeds up training.

    Source: Feng et al. 2024, Were RNNs All We Needed?; Grazzi et al. 2024 (the sign), see `MinGRU`.
    """

    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_between(self, "forget_bias", -1e3, 1e3)

    def build(self, input_size: int) -> "MinMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        memory = MinMemory(self, input_size, 3, paired_scan)
        with torch.no_grad():
            memory.projection.bias[self.hidden_size : 2 * self.hidden_size] = self.forget_bias
        return memory


class MinMemory(Memory):
    """State: h [B, H]. The rows of `projection` are those of the gates, then the candidate's."""

    initial: Tensor
    span: Tensor

    def __init__(self, spec: MinSpec, input_size: int, blocks: int, scan: GatedScan) -> None:
        super().__init__()
        self.spec, self.scan = spec, scan
        self.input_size, self.output_size = input_size, spec.hidden_size
        self.projection = nn.Linear(input_size, blocks * spec.hidden_size)
        span = 2.0 if spec.eigenvalues == "signed" else 1.0
        self.register_buffer("initial", torch.zeros(spec.hidden_size), persistent=False)
        self.register_buffer("span", torch.full((spec.hidden_size,), span), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros [B, H]."""
        return (self.initial.expand(batch_size, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        gates = dense(inputs, self.projection.weight, self.projection.bias)  # [T, B, blocks H]
        outputs = self.scan(gates, self.span, state[0], self.initial, starts)
        return outputs, (outputs[-1],)
