"""First parameters of a model: from data, and different for each seed."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.clusters import one_hot
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov
from recurrent_rl.sequence.hmm.sequences import check_sequences

SAMPLE_STEPS = 100_000
_SOFT = 0.1


def initialise(spec: HMM, inputs: Sequence[Array], seed: int) -> HiddenMarkov:
    """Return a new model, with parameters from a sample of the data and a seed.

    The topology deals a sequence's steps out to the states, in order for a left-right model; else the emissions do it by
    the inputs: by clusters of features, or by random shares of each symbol. Each state gets a little of all steps too.
    Transitions are random, half way to even.
    """
    generator = torch.Generator().manual_seed(seed)
    model = build_from_seed(spec, seed)
    check_sequences(model.emission, inputs)
    chosen = sample(inputs, generator)
    flat = torch.from_numpy(np.concatenate(chosen))
    weights = _weights(model, flat, [len(sequence) for sequence in chosen], generator)
    model.emission.begin(flat, soften(weights), generator)
    _begin_chain(model, generator)
    return model


def build_from_seed(spec: HMM, seed: int) -> HiddenMarkov:
    """Return a new model whose random parameters a seed tells; torch's own random numbers are left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs too
        return spec.build()


def soften(weights: Tensor) -> Tensor:
    """Return weights [N, K] with a little of every step in each state, so that none is without any."""
    return (1 - _SOFT) * weights + _SOFT / weights.shape[-1]


def sample(inputs: Sequence[Array], generator: torch.Generator) -> list[Array]:
    """Return sequences in random order up to SAMPLE_STEPS steps in all, one at least, the last cut where it is longer."""
    chosen, left = [], SAMPLE_STEPS
    for index in torch.randperm(len(inputs), generator=generator).tolist():
        if left <= 0:
            break
        chosen.append(inputs[index][:left])
        left -= len(chosen[-1])
    return chosen


def _weights(model: HiddenMarkov, flat: Tensor, lengths: list[int], generator: torch.Generator) -> Tensor:
    """Return first weights [N, K] of the states for inputs in a row."""
    labels = model.spec.topology.segments(lengths, model.states, generator)
    if labels is None:
        return model.emission.deal(flat, generator)
    return one_hot(labels, model.states, model.start_logits.detach())


@torch.no_grad()
def _begin_chain(model: HiddenMarkov, generator: torch.Generator) -> None:
    for logits, allowed in ((model.start_logits, model.may_start), (model.transition_logits, model.may_follow)):
        drawn = torch.empty_like(logits).exponential_(generator=generator) * allowed
        share = 0.5 * drawn / drawn.sum(-1, keepdim=True) + 0.5 * allowed / allowed.sum(-1, keepdim=True)
        logits.copy_(share.log())
