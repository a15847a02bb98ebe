"""What a network says of examples."""

import numpy as np
import torch
from torch import nn

from recurrent_rl.sequence.batch import Array, Examples, batches
from recurrent_rl.sequence.problems import Problem

EVALUATED_AT_ONCE = 64  # sequences, of similar length


@torch.no_grad()
def predict(network: nn.Module, problem: Problem, examples: Examples, size: int = EVALUATED_AT_ONCE) -> list[Array]:
    """Return the head's numbers for each example, [T, K] or [K], in evaluation mode and without padding.

    Args:
        network: Of `SequenceNetwork`'s call.
        problem: What it is asked.
        examples: Of any lengths.
        size: Sequences at once.
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    found: list[Array] = [np.empty(0)] * len(examples)
    for indices in batches([len(row) for row in examples.inputs], size, None):
        batch = problem.batch(examples, indices).to(device)
        predicted, _ = network(batch, None)
        rows = predicted.cpu().numpy()
        for column, index in enumerate(indices):
            found[index] = rows[: batch.lengths[column], column] if problem.per_step else rows[column]
    network.train(was_training)
    return found
