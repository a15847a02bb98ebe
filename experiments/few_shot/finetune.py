"""The other way to learn from a few examples: a feed-forward net of all tasks, and gradient steps on those of a new one.

    python -m experiments.few_shot.finetune

The net has two hidden layers and reads a question alone. It is trained on questions of all training sequences; then, for
each test sequence and each number of examples k, it takes some steps of gradient descent on the first k, and answers the
next question. Rate and number of steps are chosen on the validation sequences, for each k. Writes results/finetune.json.
"""

import json
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from experiments.few_shot.run import PLAN, RESULTS
from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.in_context import SHOWN
from recurrent_rl.sequence.task import Task
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.tasks.in_context import SIZE

HIDDEN, SEEDS, PRETRAINING = 64, 3, 2000
RATES, STEPS = (0.01, 0.03, 0.1, 0.3, 1.0), (1, 5, 25, 100, 400)
SEQUENCES = 300  # of validation and of the test

Weights = list[Tensor]
"""Of each layer a matrix [..., I, O] and then biases [..., 1, O]."""


def arrays(examples: Examples, count: int) -> tuple[Tensor, Tensor]:
    """Return questions [B, 32, 5] and answers [B, 32] of the first sequences."""
    questions = np.stack([np.asarray(row)[:, :SIZE] for row in examples.inputs[:count]])
    assert examples.targets is not None
    return torch.from_numpy(questions), torch.from_numpy(
        np.stack([np.asarray(row) for row in examples.targets[:count]])
    )


def answer(weights: Weights, questions: Tensor) -> Tensor:
    """Return what the net says of questions [..., N, 5], [..., N, K]."""
    said = questions
    for layer in range(0, len(weights), 2):
        said = said @ weights[layer] + weights[layer + 1]
        said = said.relu() if layer + 2 < len(weights) else said
    return said


def losses(said: Tensor, wanted: Tensor) -> Tensor:
    """Return the loss of each answer: squared errors of numbers, cross-entropies of labels."""
    if wanted.is_floating_point():
        return (said.squeeze(-1) - wanted).square()
    return cross_entropy(said.flatten(0, -2), wanted.flatten(), reduction="none").view(wanted.shape)


def pretrained(questions: Tensor, answers: Tensor, outputs: int, seed: int) -> Weights:
    """Return the net of all training sequences."""
    torch.manual_seed(seed)
    sizes = (SIZE, HIDDEN, HIDDEN, outputs)
    weights = [
        made
        for before, after in pairwise(sizes)
        for made in (torch.randn(before, after) * (2 / before) ** 0.5, torch.zeros(1, after))
    ]
    optimiser = torch.optim.Adam([weight.requires_grad_() for weight in weights], lr=3e-3)
    for _ in range(PRETRAINING):
        chosen = torch.randint(len(questions), (64,))
        optimiser.zero_grad()
        losses(answer(weights, questions[chosen]), answers[chosen]).mean().backward()
        optimiser.step()
    return [weight.detach() for weight in weights]


def finetuned(weights: Weights, questions: Tensor, answers: Tensor, rate: float) -> Iterator[tuple[int, Weights]]:
    """Yield a net for each of B sequences after each of STEPS steps of gradient descent on its examples [B, k, ...].

    Without examples the net stays as it is, and no step is told.
    """
    own = [weight.expand(len(questions), *weight.shape).clone() for weight in weights]
    if not questions.shape[1]:
        yield 0, own
        return
    for step in range(1, max(STEPS) + 1):
        for weight in own:
            weight.requires_grad_()
        loss = losses(answer(own, questions), answers).mean(1).sum()
        slopes = torch.autograd.grad(loss, own)
        own = [weight.detach() - rate * slope for weight, slope in zip(own, slopes, strict=True)]
        if step in STEPS:
            yield step, own


def scores(weights: Weights, data: tuple[Tensor, Tensor], k: int, rate: float) -> dict[int, float]:
    """Return the mse, or the accuracy in percent, of the answers after k examples, by the number of steps."""
    (questions, answers), found = data, {}
    for steps, own in finetuned(weights, questions[:, :k], answers[:, :k], rate):
        said, wanted = answer(own, questions[:, k : k + 1]), answers[:, k : k + 1]
        if wanted.is_floating_point():
            found[steps] = float(losses(said, wanted).nan_to_num(nan=1e9).mean())
        else:
            found[steps] = float(100 * (said.argmax(-1) == wanted).float().mean())
    return found


def compare(task: Task, seed: int) -> list[dict[str, float]]:
    """Return for each k the test score with what was best on validation, and the seconds that one adaptation takes."""
    splits = task.load(seed)
    weights = pretrained(*arrays(splits.train, len(splits.train)), task.problem.output_size, seed)
    validation, test = arrays(splits.validation, SEQUENCES), arrays(splits.test, SEQUENCES)
    sign, found = (1 if task.higher_is_better else -1), []
    for k in tqdm(SHOWN, desc=f"{task.name}, seed {seed}", unit="k"):
        tried = {(rate, steps): v for rate in RATES for steps, v in scores(weights, validation, k, rate).items()}
        rate, steps = max(tried, key=lambda way: sign * tried[way])
        one, begun = tuple(rows[:1, :k] for rows in test), time.process_time()
        next(own for taken, own in finetuned(weights, one[0], one[1], rate) if taken == steps)
        seconds = time.process_time() - begun
        value = scores(weights, test, k, rate)[steps]
        found.append({"seed": seed, "k": k, "score": value, "rate": rate, "steps": steps, "seconds": seconds})
    return found


def main() -> None:
    """Fine-tune on both tasks."""
    torch.set_num_threads(1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = {name: [row for seed in range(SEEDS) for row in compare(MADE_UP[name](), seed)] for name in PLAN}
    (RESULTS / "finetune.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
