"""Models and sequences for tests, and all that enumeration of every path of states says of them."""

import itertools

import numpy as np
import torch

from recurrent_rl.sequence.batch import pad
from recurrent_rl.sequence.hmm import HMM, Bernoulli, Categorical, Ergodic, Gaussian, GaussianMixture, LeftRight

EMISSIONS = [
    Categorical(symbols=4),
    Gaussian(features=2),
    GaussianMixture(features=2, components=3),
    Bernoulli(features=3),
]
TOPOLOGIES = [Ergodic(), LeftRight(), LeftRight(jump=2)]
SPECS = [HMM(states=3, emission=emission, topology=topology) for emission in EMISSIONS for topology in TOPOLOGIES]


def built(spec, seed=0):
    torch.manual_seed(seed)
    return spec.build()


def sequences(spec, lengths, seed=0):
    """Sequences that the emissions can read, of no model in particular."""
    rng = np.random.default_rng(seed)
    emission = spec.emission
    if isinstance(emission, Categorical):
        return [rng.integers(0, emission.symbols, size=length) for length in lengths]
    features = [rng.normal(size=(length, emission.features)) for length in lengths]
    if isinstance(emission, Bernoulli):
        return [(row > 0).astype(np.float32) for row in features]
    centres = 3.0 * rng.normal(size=(spec.states, emission.features))
    return [row + centres[rng.integers(0, spec.states, size=len(row))] for row in features]


def batch(inputs):
    return torch.from_numpy(pad(inputs).numpy()), torch.tensor([len(row) for row in inputs])


def enumerate_paths(start, transition, emission):
    """All paths [N, T] and their joint log-probabilities [N], from log arrays [K], [K, K] and [T, K] of one sequence."""
    steps, states = emission.shape
    found = np.array(list(itertools.product(range(states), repeat=steps)))
    joint = start[found[:, 0]] + emission[np.arange(steps), found].sum(1)
    return found, joint + transition[found[:, :-1], found[:, 1:]].sum(1)


def log_total(values):
    top = values.max()
    return -np.inf if top == -np.inf else top + np.log(np.exp(values - top).sum())


def sampled(start, transition, emit, lengths, rng):
    """Sequences and states of a chain of probabilities [K] and [K, K]; emit(states, rng) gives inputs for states [T]."""
    inputs, labels = [], []
    for length in lengths:
        states = [rng.choice(len(start), p=start)]
        for _ in range(length - 1):
            states.append(rng.choice(len(start), p=transition[states[-1]]))
        labels.append(np.array(states))
        inputs.append(emit(labels[-1], rng))
    return inputs, labels
