"""The Transformer, looking back alone or both ways."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, scaled_dot_product_attention

from recurrent_rl.memory.base import State
from recurrent_rl.memory.checks import require_between, require_divisor, require_one_of, require_whole
from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec
from recurrent_rl.sequence.models.positions import angles, rotate, sinusoids
from recurrent_rl.sequence.models.whole import mean_of, refuse_state

Positions = Literal["rotary", "sinusoidal", "none"]


@dataclass(frozen=True, kw_only=True)
class Transformer(SequenceSpec):
    """Layers of attention and perceptron, each behind a layer norm and with a way around it.

        x_0[t] = W x[t] + b                                            [B, D], D = hidden_size
        y      = x_l + attention(norm(x_l))                            over all steps up to t; over all where not causal
        x_l+1  = y + W_2 gelu(W_1 norm'(y) + b_1) + b_2                W_1 [F, D], F = mlp_size
        output = norm''(x_L)

    Positions are rotary (queries and keys are turned), sinusoidal (added to x_0) or none: a causal Transformer can tell
    places even so, one that sees both ways reads a bag.

    A causal one returns no state, for what it goes on from grows with the stream; `recurrent_rl.memory.GTrXL` and
    `Attention` are Transformers with a bounded window and a state. The summary is the last output, or the mean of all
    where it is not causal.

    Args:
        hidden_size: Width of the layers, D.
        num_layers: Layers, L.
        num_heads: Heads; divides hidden_size, with an even number for each where positions are rotary.
        mlp_size: Hidden units of the perceptrons, F; None for four times hidden_size.
        dropout: Of x_0, of the attention weights and of what each sublayer adds.
        positions: "rotary", "sinusoidal" or "none".
        causal: Whether a step sees no step after it.

    Raises:
        ValueError: A field out of range, or sizes that do not divide.

    Source: Vaswani et al. 2017, Attention Is All You Need; norms before the sublayers as in Xiong et al. 2020, On Layer
    Normalization in the Transformer Architecture; GELU as in Devlin et al. 2019, BERT.
    """

    hidden_size: int = 64
    num_layers: int = 2
    num_heads: int = 4
    mlp_size: int | None = None
    dropout: float = 0.0
    positions: Positions = "rotary"
    causal: bool = True

    def __post_init__(self) -> None:
        require_whole(self, "num_layers")
        require_divisor(self, "num_heads", "hidden_size")
        require_between(self, "dropout", 0.0, 1.0)
        require_one_of(self, "positions", get_args(Positions))
        if self.mlp_size is not None:
            require_whole(self, "mlp_size")
        pairs = {"rotary": self.hidden_size // self.num_heads, "sinusoidal": self.hidden_size, "none": 0}
        if pairs[self.positions] % 2:
            raise ValueError(
                f"{self}: hidden_size must be a multiple of 2 (of 2 num_heads where rotary) for {self.positions} positions."
            )

    def build(self, input_size: int) -> "TransformerModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return TransformerModel(self, input_size)


class TransformerModel(SequenceModel):
    """The model of `Transformer`."""

    def __init__(self, spec: Transformer, input_size: int) -> None:
        super().__init__()
        self.spec, self.causal = spec, spec.causal
        self.input_size, self.output_size = input_size, spec.hidden_size
        self.embed = nn.Linear(input_size, spec.hidden_size)
        self.layers = nn.ModuleList(_Layer(spec) for _ in range(spec.num_layers))
        self.norm = nn.LayerNorm(spec.hidden_size)
        self.apply(_initialise)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, None]:
        """See `SequenceModel.forward`; the state is None."""
        refuse_state(self, state)
        x = self.embed(inputs).transpose(0, 1)  # [B, T, D]
        if self.spec.positions == "sinusoidal":
            x = x + sinusoids(len(inputs), self.spec.hidden_size, x)
        x = dropout(x, self.spec.dropout, self.training)
        turns = self._turns(len(inputs), x)
        visible = None if self.causal else _visible(lengths, len(inputs)).to(x.device, non_blocking=True)
        for layer in self.layers:
            x = layer(x, visible, turns)
        return self.norm(x).transpose(0, 1), None

    def _turns(self, steps: int, x: Tensor) -> Tensor | None:
        """Return the angles of rotary positions, [T, d / 2]."""
        rotary = self.spec.positions == "rotary"
        return angles(steps, self.spec.hidden_size // self.spec.num_heads, x) if rotary else None

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the last output, or the mean of all where the model is not causal, [B, O]."""
        return super().summary(outputs, lengths) if self.causal else mean_of(outputs, lengths)


class _Layer(nn.Module):
    """One layer: x [B, T, D] to [B, T, D]."""

    def __init__(self, spec: Transformer) -> None:
        super().__init__()
        size, hidden = spec.hidden_size, spec.mlp_size or 4 * spec.hidden_size
        self.heads, self.dropout = spec.num_heads, spec.dropout
        self.attention_norm, self.mlp_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.project, self.combine = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.mlp = nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))

    def forward(self, x: Tensor, visible: Tensor | None, turns: Tensor | None) -> Tensor:
        y = x + dropout(self._attend(self.attention_norm(x), visible, turns), self.dropout, self.training)
        return y + dropout(self.mlp(self.mlp_norm(y)), self.dropout, self.training)

    def _attend(self, x: Tensor, visible: Tensor | None, turns: Tensor | None) -> Tensor:
        rows = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [3, B, heads, T, d]
        queries, keys = rows[:2] if turns is None else rotate(rows[:2], turns)
        rate = self.dropout if self.training else 0.0
        attended = scaled_dot_product_attention(queries, keys, rows[2], visible, rate, is_causal=visible is None)
        return self.combine(attended.transpose(1, 2).flatten(2))  # [B, T, D]


def _visible(lengths: Tensor, steps: int) -> Tensor:
    """Return [B, 1, 1, T] bool on the host: which steps all others of the sequence see."""
    return length_mask(lengths, steps).t()[:, None, None]


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
