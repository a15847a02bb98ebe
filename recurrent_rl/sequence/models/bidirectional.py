"""Two memories, of which one reads from the end: they see the whole sequence at each step."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from recurrent_rl.memory import GRU, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.memory.recurrent import remember_together
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec, last_of
from recurrent_rl.sequence.models.recurrent import entry
from recurrent_rl.sequence.models.whole import mean_of, refuse_state

_DEFAULT = GRU()


@dataclass(frozen=True, kw_only=True)
class Bidirectional(SequenceSpec):
    """Layers of two memories each, one of which reads every sequence reversed within its own length.

        h_l = forward_l(h_l-1)                           h_0 = x
        g_l = reverse(backward_l(reverse(h_l-1)))        reverse(x)[t] = x[length - 1 - t]
        h_l = [h_l; g_l]                                 outputs are those of the last layer

    Both memories of a layer are built from the same spec and share nothing. The summary of a sequence is the forward
    memory's last output beside the backward one's output at step 0, where each has read all of it.

    Args:
        memory: Spec of one direction; an output has twice its size.
        num_layers: Layers.
        dropout: Of the outputs between layers.
        mean: Whether the summary is the mean of a sequence's outputs instead.

    Raises:
        ValueError: A field out of range.

    Source: Schuster and Paliwal 1997, Bidirectional Recurrent Neural Networks; Graves et al. 2013, Speech Recognition
    with Deep Recurrent Neural Networks (both directions feed both of the next layer).
    """

    memory: MemorySpec = _DEFAULT
    num_layers: int = 1
    dropout: float = 0.0
    mean: bool = False

    def __post_init__(self) -> None:
        require_whole(self, "num_layers")
        require_between(self, "dropout", 0.0, 1.0)

    def build(self, input_size: int) -> "BidirectionalModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return BidirectionalModel(self, input_size)


class BidirectionalModel(SequenceModel):
    """The model of `Bidirectional`."""

    causal = False

    def __init__(self, spec: Bidirectional, input_size: int) -> None:
        super().__init__()
        self.input_size, self.spec, size = input_size, spec, input_size
        self.forwards, self.backwards = nn.ModuleList(), nn.ModuleList()
        for _ in range(spec.num_layers):
            self.forwards.append(ahead := spec.memory.build(size))
            self.backwards.append(spec.memory.build(size))
            size = 2 * ahead.output_size
        self.output_size = size

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, None]:
        """See `SequenceModel.forward`; the state is None."""
        refuse_state(self, state)
        rows = reversed_rows(lengths, len(inputs)).to(inputs.device, non_blocking=True)  # [T, B]
        outputs = inputs
        for layer in range(len(self.forwards)):
            if layer > 0:
                outputs = dropout(outputs, self.spec.dropout, self.training)
            outputs = self._read(layer, outputs, rows)
        return outputs, None

    def _read(self, layer: int, inputs: Tensor, rows: Tensor) -> Tensor:
        """Return one layer's outputs [T, B, 2 O]."""
        ahead, back = memories = self.forwards[layer], self.backwards[layer]
        (first, starts), (second, _) = (entry(memory, inputs, None) for memory in memories)  # type: ignore[arg-type]
        both = inputs, _Permuted.apply(inputs, rows)
        (seen, _), (foreseen, _) = remember_together((ahead, back), both, (first, second), starts)  # type: ignore[arg-type]
        return torch.cat([seen, _Permuted.apply(foreseen, rows)], dim=-1)  # type: ignore[list-item]

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the forward memory's last outputs and the backward one's first, or the means, [B, O]."""
        if self.spec.mean:
            return mean_of(outputs, lengths)
        seen, foreseen = outputs.chunk(2, dim=-1)
        return torch.cat([last_of(seen, lengths), foreseen[0]], dim=-1)


def reversed_rows(lengths: Tensor, steps: int) -> Tensor:
    """Return [T, B] int64 on the host: where row t of a reversed column stands, itself where it is after the end.

    Done twice it gives the rows in their own order again.
    """
    rows = torch.arange(steps).unsqueeze(1)  # [T, 1]
    back = lengths.unsqueeze(0) - 1 - rows
    return torch.where(back >= 0, back, rows)


class _Permuted(torch.autograd.Function):
    """x [T, B, I] to x[rows[t, b], b], of rows that are their own inverse: the way back is the same, and adds nothing up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        """Return the rows."""
        ctx.save_for_backward(rows)
        return x.gather(0, rows.unsqueeze(-1).expand_as(x))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient's rows."""
        (rows,) = ctx.saved_tensors
        return _Permuted.apply(grad, rows), None  # type: ignore[return-value]
