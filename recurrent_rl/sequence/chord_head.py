"""A head that knows chords: a model says how likely each of a table is, and which notes are likelier in all of them."""

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.clusters import cluster, one_hot

SELDOM = 1e-3  # least share of a note in a chord at first


class ChordTable(nn.Module):
    """Weights and logits of a mixture of M chords, from what a model gives, h:

        w = softmax(W h + b)            log p(x) = log sum_m w_m prod_n p_mn^x_n (1 - p_mn)^(1 - x_n)
        p_mn = sigmoid(T_mn + (V h + c)_n)

    The table T is learned and the same at all steps, as a hidden Markov model's emissions are; V and c begin at 0.

    Args:
        inputs: Numbers that the model gives.
        notes: Of a chord.
        components: Chords, M.
    """

    def __init__(self, inputs: int, notes: int, components: int) -> None:
        super().__init__()
        self.weights, self.notes = nn.Linear(inputs, components), nn.Linear(inputs, notes)
        self.table = nn.Parameter(torch.randn(components, notes))
        nn.init.zeros_(self.notes.weight)
        nn.init.zeros_(self.notes.bias)

    def forward(self, said: Tensor) -> Tensor:
        """Return [..., M + M notes]: M numbers of which the weights are the softmax, and the logits of each chord."""
        logits = self.table + self.notes(said).unsqueeze(-2)  # [..., M, notes]
        return torch.cat([self.weights(said), logits.flatten(-2)], dim=-1)

    @torch.no_grad()
    def begin(self, train: Examples) -> None:
        """Let the table begin as the means of clusters of the training chords.

        From random numbers the chords are slow to part. Torch's own generator draws the clusters' seeds.
        """
        chords = torch.from_numpy(np.concatenate([np.asarray(row, dtype=np.float64) for row in train.inputs]))
        generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        members = one_hot(cluster(chords, len(self.table), generator), len(self.table), chords)  # [N, M]
        counts = members.sum(0).unsqueeze(-1)
        share = (members.T @ chords + chords.mean(0)) / (counts + 1.0)  # one chord more, of the overall mean
        self.table.copy_(share.clamp(SELDOM, 1 - SELDOM).logit())
