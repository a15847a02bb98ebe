"""Initial weights of a recurrent layer, gate by gate."""

from typing import Literal

import torch
from torch import Tensor, nn

RecurrentInit = Literal["orthogonal", "xavier", "uniform"]
InputInit = Literal["xavier", "orthogonal", "uniform"]
_INITIALISERS = {"orthogonal": nn.init.orthogonal_, "xavier": nn.init.xavier_uniform_}


@torch.no_grad()
def initialise_layer(
    weights: dict[str, Tensor], gates: int, recurrent: RecurrentInit, inputs: InputInit, forget_bias: float | None
) -> None:
    """Fill the weights of one layer in place.

    Args:
        weights: "weight_ih" [G H, I], "weight_hh" [G H, H] and, unless without, "bias_ih" and "bias_hh" [G H].
        gates: G; each gate's block is initialised by itself.
        recurrent: Of weight_hh. "uniform" is U(-1/sqrt(H), 1/sqrt(H)), torch's own.
        inputs: Of weight_ih; with "uniform" the biases are uniform as well, otherwise zero.
        forget_bias: Total bias of the second gate (the LSTM's forget gate); None leaves it.
    """
    bound = weights["weight_hh"].shape[1] ** -0.5
    for name, kind in (("weight_ih", inputs), ("weight_hh", recurrent)):
        for block in weights[name].chunk(gates):
            if kind == "uniform":
                block.uniform_(-bound, bound)
            else:
                _INITIALISERS[kind](block)
    for name in ("bias_ih", "bias_hh"):
        if name in weights:
            weights[name].zero_() if inputs != "uniform" else weights[name].uniform_(-bound, bound)
            if forget_bias is not None:
                weights[name].chunk(gates)[1].fill_(forget_bias if name == "bias_ih" else 0.0)
