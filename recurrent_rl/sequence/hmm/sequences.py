"""Lists of sequences, as a user has them, through a model: checked, in batches, and back in their order."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recurrent_rl.sequence.batch import Array, batches, pad
from recurrent_rl.sequence.hmm.emission import Emission
from recurrent_rl.sequence.hmm.model import HiddenMarkov

BATCH_SIZE = 256


def check_sequences(emission: Emission, inputs: Sequence[Array]) -> None:
    """Raise ValueError unless there are sequences, all of at least one step and of the kind that the emissions read."""
    if len(inputs) == 0:
        raise ValueError("There are no sequences: inputs must hold one at least.")
    for index, sequence in enumerate(inputs):
        name = f"Sequence {index}"
        if not isinstance(sequence, np.ndarray):
            raise ValueError(f"{name} must be a numpy array, not {type(sequence).__name__}.")
        if sequence.ndim == 0 or len(sequence) == 0:
            raise ValueError(f"{name} is empty: a sequence needs one step at least.")
        emission.check(sequence, name)


def in_batches(
    inputs: Sequence[Array], size: int, device: torch.device
) -> Iterator[tuple[NDArray[np.int64], Tensor, Tensor]]:
    """Yield indices [B], padded inputs [T, B] or [T, B, F] on a device, and lengths [B]; sequences in order of length."""
    lengths = [len(sequence) for sequence in inputs]
    for indices in batches(lengths, size, None):
        padded = pad(_of_one_type([inputs[int(index)] for index in indices]))
        yield indices, padded.to(device), torch.tensor([lengths[int(index)] for index in indices])


def log_likelihoods(model: HiddenMarkov, inputs: Sequence[Array], size: int = BATCH_SIZE) -> NDArray[np.float64]:
    """Return log p(x) of each sequence, in nats."""
    check_sequences(model.emission, inputs)
    found = np.empty(len(inputs))
    for indices, padded, lengths in in_batches(inputs, size, model.start_logits.device):
        with torch.no_grad():
            found[indices] = model(padded, lengths).cpu().numpy()
    return found


def paths(model: HiddenMarkov, inputs: Sequence[Array], size: int = BATCH_SIZE) -> list[NDArray[np.int64]]:
    """Return the most likely states [T] of each sequence."""
    check_sequences(model.emission, inputs)
    found: dict[int, NDArray[np.int64]] = {}
    for indices, padded, lengths in in_batches(inputs, size, model.start_logits.device):
        with torch.no_grad():
            best = model.decode(padded, lengths)[0].cpu().numpy()
        found.update({int(index): best[: int(lengths[i]), i].copy() for i, index in enumerate(indices)})
    return [found[index] for index in range(len(inputs))]


def posteriors(model: HiddenMarkov, inputs: Sequence[Array], size: int = BATCH_SIZE) -> list[NDArray[np.float64]]:
    """Return p(z[t] | x), [T, K], of each sequence; its largest at each step segments a sequence (posterior decoding)."""
    check_sequences(model.emission, inputs)
    found: dict[int, NDArray[np.float64]] = {}
    for indices, padded, lengths in in_batches(inputs, size, model.start_logits.device):
        with torch.no_grad():
            shares = model.smooth(padded, lengths).log_posterior.exp().cpu().numpy()
        found.update({int(index): shares[: int(lengths[i]), i].copy() for i, index in enumerate(indices)})
    return [found[index] for index in range(len(inputs))]


def _of_one_type(arrays: Sequence[Array]) -> list[Array]:
    """Return arrays of the type that holds all their numbers; whole ones as int64, for torch knows few other kinds."""
    kind = np.result_type(*[array.dtype for array in arrays])
    return [array.astype(np.int64 if np.issubdtype(kind, np.integer) else kind, copy=False) for array in arrays]
