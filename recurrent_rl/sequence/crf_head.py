"""The head of a conditional random field: what a model gives scores each tag, and a table scores tags in a row."""

import torch
from torch import Tensor, nn

from recurrent_rl.sequence.crf import Field


class CRFHead(nn.Module):
    """Scores from what a model gives, h: [W h + b; table].

    The table is learned, and the same at all steps. It stands beside the scores at each of them, so that a network's numbers
    hold all that the loss and Viterbi need. It begins at 0, where tags are independent of each other.

    Args:
        inputs: Numbers that the model gives.
        tags: K.
        impossible: [K + 2, K] bool: entries of the table that are -inf; None for none.
    """

    impossible: Tensor

    def __init__(self, inputs: int, tags: int, impossible: Tensor | None = None) -> None:
        super().__init__()
        self.emission = nn.Linear(inputs, tags)
        self.table = nn.Parameter(torch.zeros(tags + 2, tags))  # after each tag, at the start, at the end
        none = torch.zeros(tags + 2, tags, dtype=torch.bool)
        self.register_buffer("impossible", none if impossible is None else impossible, persistent=False)

    def forward(self, said: Tensor) -> Tensor:
        """Return [..., K + (K + 2) K]: scores of the tags, and the table."""
        table = self.table.masked_fill(self.impossible, -torch.inf).flatten()
        return torch.cat([self.emission(said), table.expand(*said.shape[:-1], -1)], dim=-1)


def field_of(numbers: Tensor, tags: int) -> Field:
    """Return what the head's numbers [T, B, K + (K + 2) K] say; every gradient of the table goes by the first step."""
    table = numbers[0, 0, tags:].unflatten(0, (tags + 2, tags))
    return Field(numbers[..., :tags], table[:tags], table[tags], table[tags + 1])
