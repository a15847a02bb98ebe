"""Classification: one hidden Markov model for each class, and Bayes' rule."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recurrent_rl.memory.checks import require_whole
from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.hmm.durations import Durations
from recurrent_rl.sequence.hmm.em import EM, fit_em
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov
from recurrent_rl.sequence.hmm.sequences import check_sequences, in_batches


@dataclass(frozen=True, kw_only=True)
class HMMClassifier:
    """score[c] = log p(c) + log p(x | c), the second from the HMM of class c.

    Args:
        classes: Number of classes, C.
        hmm: Of each class; `LeftRight()` with `Gaussian` for short sounds.
        durations: Whether log p(T | c) is added, from a normal density of log T: an HMM by itself does not mind how long a
            sequence is.

    Source: Rabiner 1989, section VI (one model for each word).
    """

    classes: int = 2
    hmm: HMM = field(default_factory=HMM)
    durations: bool = False

    def __post_init__(self) -> None:
        require_whole(self, "classes")

    def build(self) -> "HMMClassifierModel":
        """Return a new classifier with random parameters, for training by gradient or for a state_dict."""
        return HMMClassifierModel(self)


class HMMClassifierModel(nn.Module):
    """Parameters: the HMMs', log_prior [C], and those of the durations."""

    causal = False

    def __init__(self, spec: HMMClassifier) -> None:
        super().__init__()
        self.spec, self.output_size = spec, spec.classes
        self.hmms = nn.ModuleList(spec.hmm.build() for _ in range(spec.classes))
        self.log_prior = nn.Parameter(torch.zeros(spec.classes, dtype=torch.float64))
        self.durations = Durations(spec.classes) if spec.durations else None

    def forward(self, inputs: Tensor, lengths: Tensor, state: None = None) -> tuple[Tensor, None]:
        """Return log p(c, x), [B, C], up to a constant: logits, whose softmax is p(c | x); and no state."""
        scores = torch.stack([hmm(inputs, lengths) for hmm in self.models()], dim=-1) + self.log_prior.log_softmax(-1)
        if self.durations is not None:
            scores = scores + self.durations(lengths)
        return scores, None

    def models(self) -> list[HiddenMarkov]:
        """Return the classes' HMMs."""
        return list(self.hmms)  # type: ignore[arg-type]


def fit_classifier(spec: HMMClassifier, examples: Examples, settings: EM | None = None) -> HMMClassifierModel:
    """Return a classifier whose HMMs are fitted by EM, each to the sequences of its class; the prior is counted.

    Raises:
        ValueError: Labels are missing or out of range, a class has no sequence, or sequences cannot be read.
    """
    settings, model = settings or EM(), spec.build()
    check_sequences(model.models()[0].emission, examples.inputs)
    labels = _labels(spec, examples)
    for label in range(spec.classes):
        chosen = [examples.inputs[index] for index in np.flatnonzero(labels == label).tolist()]
        model.hmms[label] = fit_em(spec.hmm, chosen, settings).model
    with torch.no_grad():
        model.log_prior.copy_(torch.from_numpy(np.log(np.bincount(labels, minlength=spec.classes) / len(labels))))
    if model.durations is not None:
        model.durations.fit(torch.tensor([len(row) for row in examples.inputs]), torch.from_numpy(labels))
    return model.to(settings.device)


def classify(model: HMMClassifierModel, inputs: Sequence[Array], batch_size: int = 256) -> NDArray[np.float64]:
    """Return log p(c, x) for each sequence, [N, C]."""
    check_sequences(model.models()[0].emission, inputs)
    scores = np.empty((len(inputs), model.spec.classes))
    for indices, padded, lengths in in_batches(inputs, batch_size, model.log_prior.device):
        with torch.no_grad():
            scores[indices] = model(padded, lengths)[0].cpu().numpy()
    return scores


@dataclass(frozen=True)
class Chosen:
    """A classifier and how those that were tried did.

    Args:
        model: The best.
        accuracies: On the validation data, from 0 to 1, by number of states.
    """

    model: HMMClassifierModel
    accuracies: dict[int, float]


def choose_states(
    spec: HMMClassifier, candidates: Sequence[int], train: Examples, validation: Examples, settings: EM | None = None
) -> Chosen:
    """Return the classifier with the number of states that is most accurate on the validation data; the least on a tie."""
    labels, best, accuracies = _labels(spec, validation, every=False), None, {}
    for states in sorted(candidates):
        model = fit_classifier(replace(spec, hmm=replace(spec.hmm, states=states)), train, settings)
        accuracy = float(np.mean(classify(model, validation.inputs).argmax(-1) == labels))
        if best is None or accuracy > max(accuracies.values()):
            best = model
        accuracies[states] = accuracy
    if best is None:
        raise ValueError("candidates must hold one number of states at least.")
    return Chosen(best, accuracies)


def _labels(spec: HMMClassifier, examples: Examples, every: bool = True) -> NDArray[np.int64]:
    """Return labels [N], checked; `every` class must occur in training data."""
    if examples.targets is None:
        raise ValueError("A classifier needs targets: one label for each sequence.")
    labels = np.array([int(label) for label in examples.targets])
    if len(labels) != len(examples) or len(labels) == 0:
        raise ValueError(
            f"There are {len(examples)} sequences and {len(labels)} labels: give one for each, and one at least."
        )
    if labels.min() < 0 or labels.max() >= spec.classes:
        raise ValueError(f"Labels must be from 0 to {spec.classes - 1} (classes={spec.classes}).")
    missing = np.setdiff1d(np.arange(spec.classes), labels)
    if every and len(missing):
        raise ValueError(f"Class {missing[0]} has no sequence to fit its HMM to.")
    return labels
