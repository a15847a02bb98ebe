"""Pictures of where a translator looks: for each phone that it writes, the letters of the word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.pronunciations import LONGEST, PHONES, SpokenWords
from recurrent_rl.sequence.models import EncoderDecoderNetwork
from recurrent_rl.sequence.models.base import evaluating
from recurrent_rl.sequence.translation import Translation, write

ACROSS = 3  # pictures in a row
END = "."


@dataclass(frozen=True)
class Looked:
    """A word, what was written for it, and where each phone was looked for.

    Args:
        letters: Of the word, S of them.
        phones: That were written, then the end, L in all.
        weights: [L, S], each row sums to 1.
        instead: Phones that should have been written, where these are no way to say the word; else none.
    """

    letters: str
    phones: tuple[str, ...]
    weights: Array
    instead: tuple[str, ...]


def draw_attention(network: EncoderDecoderNetwork, problem: Translation, words: SpokenWords, path: Path) -> None:
    """Draw where a network looks as it writes each word, letters across and phones down, into a PNG file."""
    picture(look(network, problem, words)).savefig(path, dpi=110)


@torch.no_grad()
def look(network: EncoderDecoderNetwork, problem: Translation, words: SpokenWords) -> list[Looked]:
    """Return where a network looks as it writes each word greedily.

    Raises:
        ValueError: The network has no attention.
    """
    written = write(network, problem, words, max_length=2 * LONGEST)
    batch = problem.batch(Examples(words.inputs, written), range(len(words)))
    with evaluating(network):
        weights = network.attention_weights(batch.to(next(network.parameters()).device)).cpu().numpy()  # [L, B, S]
    found = []
    for index, (letters, phones) in enumerate(zip(words.inputs, written, strict=True)):
        right = any(np.array_equal(phones, way) for way in words.ways[index])
        shown = weights[: len(phones) + 1, index, : len(letters)]
        instead = () if right else _named(words.ways[index][0])
        found.append(Looked(words.words[index], (*_named(phones), END), shown, instead))
    return found


def picture(words: Sequence[Looked]) -> Figure:
    """Return a panel for each word, black where all of the weight is; titles say what should have been written."""
    across, down = min(ACROSS, len(words)), math.ceil(len(words) / ACROSS)
    figure = Figure(figsize=(3.6 * across, 3.4 * down), layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    for axes, word in zip(panels, words, strict=False):
        _panel(axes, word)
    for axes in panels[len(words) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: Axes, word: Looked) -> None:
    axes.imshow(word.weights, cmap="Greys", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(word.letters)), list(word.letters))
    axes.set_yticks(range(len(word.phones)), list(word.phones))
    axes.tick_params(length=0)
    axes.set_title(f"{word.letters}, which is {' '.join(word.instead)}" if word.instead else word.letters, fontsize=9)


def _named(phones: Array) -> tuple[str, ...]:
    return tuple(PHONES[phone] for phone in phones.tolist())
