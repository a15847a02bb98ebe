"""Fitting where the hidden states are labelled: by counting."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.clusters import one_hot
from recurrent_rl.sequence.hmm.emission import Statistics
from recurrent_rl.sequence.hmm.initial import SAMPLE_STEPS, build_from_seed, soften
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov
from recurrent_rl.sequence.hmm.sequences import check_sequences

_STEPS = 50_000

Labels = list[NDArray[np.int64]]


def fit_counts(spec: HMM, inputs: Sequence[Array], labels: Sequence[Array], passes: int = 1) -> HiddenMarkov:
    """Return the model that makes log p(inputs, labels) plus its `log_prior` largest.

    What labels and pseudo-counts leave open is even for transitions, such as those from a state that never comes, and for
    its emissions as in all inputs together. Torch's random numbers are left alone.

    Args:
        spec: Its states are the labels.
        inputs: Sequences [T] of symbols or [T, F] of features.
        labels: The state at each step, [T] int64 below `spec.states`.
        passes: 1 is exact, but for mixtures: their components are hidden, and each pass is an EM step for them.

    Raises:
        ValueError: Inputs cannot be read, or labels do not fit them or the topology.
    """
    model = _even(spec)
    check_sequences(model.emission, inputs)
    rows = _checked(spec, inputs, labels)
    flat, states = torch.from_numpy(np.concatenate(list(inputs))), torch.from_numpy(np.concatenate(rows))
    weight = model.start_logits.detach()
    some = one_hot(states[:SAMPLE_STEPS], spec.states, weight)
    model.emission.begin(flat[:SAMPLE_STEPS], soften(some), torch.Generator().manual_seed(0))
    model.maximise_chain(*(counts.to(weight) for counts in _chain_counts(spec.states, rows)))
    for _ in range(passes):
        with torch.no_grad():
            model.emission.maximise(_summed(model, flat, states))
    return model


@torch.no_grad()
def _even(spec: HMM) -> HiddenMarkov:
    """Return a new model whose chain prefers nothing."""
    model = build_from_seed(spec, 0)
    model.start_logits.zero_()
    model.transition_logits.zero_()
    return model


def _chain_counts(states: int, labels: Labels) -> tuple[Tensor, Tensor]:
    """Return counts of first labels [K] and of pairs [K, K]."""
    starts = np.bincount([int(row[0]) for row in labels], minlength=states)
    pairs = np.concatenate([row[:-1] * states + row[1:] for row in labels])
    counts = np.bincount(pairs, minlength=states * states).reshape(states, states)
    return torch.from_numpy(starts), torch.from_numpy(counts)


def _summed(model: HiddenMarkov, flat: Tensor, states: Tensor) -> Statistics:
    parts = (model.emission.statistics(*part) for part in _parts(model, flat, states))
    return tuple(torch.stack(leaves).sum(0) for leaves in zip(*parts, strict=True))


def _parts(model: HiddenMarkov, flat: Tensor, states: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for some, labels in zip(flat.split(_STEPS), states.split(_STEPS), strict=True):
        yield some, one_hot(labels, model.states, model.start_logits.detach())


def _checked(spec: HMM, inputs: Sequence[Array], labels: Sequence[Array]) -> Labels:
    """Return labels as int64."""
    if len(labels) != len(inputs):
        raise ValueError(f"There are {len(inputs)} sequences but labels for {len(labels)}.")
    may_start, may_follow = (allowed.numpy() for allowed in spec.topology.allowed(spec.states))
    rows = [np.asarray(row, dtype=np.int64) for row in labels]
    for index, (sequence, row) in enumerate(zip(inputs, rows, strict=True)):
        if len(row) != len(sequence):
            raise ValueError(f"Sequence {index} has {len(sequence)} steps but {len(row)} labels.")
        if row.min() < 0 or row.max() >= spec.states:
            raise ValueError(f"Labels of sequence {index} must be from 0 to {spec.states - 1} (states={spec.states}).")
        if not (may_start[row[0]] and may_follow[row[:-1], row[1:]].all()):
            raise ValueError(f"Labels of sequence {index} make a step that {spec.topology} does not allow.")
    return rows
