"""Show what trained models say: a film beside its prediction, where a translator looks, a chorale and a text that go on.

    python -m experiments.sequence_applications.show
    python -m experiments.sequence_applications.show --what film

Each trains one model with the settings that the comparison chose (`run.py`; the first ones where it has not run yet), seed
0, and writes into results/shown. Training goes on from its checkpoint.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from experiments.sequence_applications.run import RESULTS
from experiments.sequence_benchmark.run import RESULTS as BENCHMARK_RESULTS
from recurrent_rl.sequence.benchmark.attention_map import draw_attention
from recurrent_rl.sequence.benchmark.entrant import Learned, Training
from recurrent_rl.sequence.benchmark.entrants import entrant_of
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.trial import Trial
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.data import brown, brown_characters
from recurrent_rl.sequence.data.pronunciations import SpokenWords
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.generation import generate
from recurrent_rl.sequence.midi import write_midi
from recurrent_rl.sequence.models import EncoderDecoderNetwork
from recurrent_rl.sequence.task import Splits
from recurrent_rl.sequence.translation import Translation

SHOWN, CHECKPOINTS = RESULTS / "shown", Path("runs/shown")
ZOOM, GAP = 4, 8  # pixels of the picture to one of a frame, and between frames
Floats = np.ndarray


def learn(task: str, model: str, results: Path = RESULTS) -> tuple[Learned, Splits]:
    """Train a model as the comparison's first fresh seed does."""
    work, entrant = WORKS[task], entrant_of(model)
    suite = Suite(works={task: work}, models=(model,), folder=results)
    one = work.task()
    setting = suite.best(task, entrant) if suite.is_tuned(task, entrant) else entrant.settings(one)[0]
    splits = one.load(0)
    for folder in (SHOWN, CHECKPOINTS):
        folder.mkdir(parents=True, exist_ok=True)
    trial = Trial(task=task, model=model, seed=0, setting=setting, steps=work.config.steps)
    training = Training(config=work.training(trial.steps, 0), checkpoint=CHECKPOINTS / f"{trial.name}.pt")
    return entrant.learn(one, splits, setting, training), splits


def film() -> None:
    """Write a GIF: each frame of the test, and beside it what was foretold from those before."""
    learned, splits = learn("bikes", "conv-gru")
    problem = WORKS["bikes"].task().problem
    assert isinstance(problem, NextFrame)
    rows = []
    for clip, said in zip(splits.test.inputs, learned.predict(splits.test), strict=True):
        frames = np.asarray(clip, dtype=np.float32)
        foretold = frames[:-1] + problem.scale * np.asarray(said, dtype=np.float32)
        rows += [beside(*pair) for pair in zip(frames[1:], foretold, strict=True)]
    write_gif(SHOWN / "bikes.gif", rows)


def beside(*frames: Floats) -> Floats:
    """Return frames [1024] from 0 to 1 side by side, enlarged, [H, W] uint8."""
    squares = [np.kron(np.clip(frame, 0, 1).reshape(32, 32), np.ones((ZOOM, ZOOM))) for frame in frames]
    gap = np.ones((squares[0].shape[0], GAP))
    parts = [part for square in squares for part in (square, gap)][:-1]
    return np.rint(255 * np.concatenate(parts, axis=1)).astype(np.uint8)


def write_gif(path: Path, frames: list[Floats], milliseconds: int = 120) -> None:
    """Write frames [H, W] uint8 as a film without end."""
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0)


def chorale() -> None:
    """Write how a chorale of the test goes on after sixteen quarters, as a picture and as MIDI."""
    learned, splits = learn("chorales", "gru")
    assert learned.network is not None
    piece = torch.from_numpy(np.asarray(splits.test.inputs[0][:16])).unsqueeze(1)
    generator = torch.Generator().manual_seed(0)
    more = generate(learned.network, piece, 48, temperature=0.8, generator=generator).steps
    roll = torch.cat([piece, more])[:, 0].numpy()
    write_midi(SHOWN / "chorale.mid", roll)
    draw_roll(SHOWN / "chorale.png", roll, given=len(piece))


def draw_roll(path: Path, roll: Floats, given: int) -> None:
    """Draw a piano roll [T, 88], with a line where the prompt ends."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots()
    heard = np.flatnonzero(roll.any(0))
    axes.imshow(
        roll.T, aspect="auto", origin="lower", cmap="Greys", interpolation="nearest", extent=(0, len(roll), 21, 109)
    )
    axes.axvline(given, color="tab:red")
    axes.text(given + 0.5, heard[-1] + 22.5, "generated", color="tab:red")
    axes.set(xlabel="quarter", ylabel="MIDI note", ylim=(heard[0] + 19, heard[-1] + 25))
    figure.savefig(path, dpi=110)


def text() -> None:
    """Write how a text goes on, at three temperatures."""
    learned, splits = learn("brown-characters", "gru", BENCHMARK_RESULTS)
    assert learned.network is not None
    alphabet = brown_characters.alphabet(brown.read_documents())
    prompt = torch.from_numpy(np.asarray(splits.test.inputs[0][:100])).unsqueeze(1)
    written = [f"prompt: {brown_characters.decode(prompt[:, 0].tolist(), alphabet)}"]
    for temperature in (0.3, 0.7, 1.0):
        generator = torch.Generator().manual_seed(0)
        steps = generate(learned.network, prompt, 300, temperature=temperature, generator=generator).steps
        written.append(f"temperature {temperature}: {brown_characters.decode(steps[:, 0].tolist(), alphabet)}")
    (SHOWN / "text.txt").write_text("\n\n".join(written) + "\n")


def attention() -> None:
    """Draw where the translator with attention looks as it writes six words of the test."""
    learned, splits = learn("spelling-to-sound", "encoder-decoder-attention")
    problem, words = WORKS["spelling-to-sound"].task().problem, splits.test
    assert isinstance(learned.network, EncoderDecoderNetwork)
    assert isinstance(problem, Translation)
    assert isinstance(words, SpokenWords)
    long = np.flatnonzero([7 <= len(word) <= 10 for word in words.words])[:6]
    draw_attention(learned.network, problem, words.select(long), SHOWN / "attention.png")


PARTS = {"film": film, "attention": attention, "chorale": chorale, "text": text}


def main() -> None:
    """Show all, or what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", nargs="+", choices=PARTS, default=list(PARTS))
    for name in parser.parse_args().what:
        PARTS[name]()
        print(f"{name}: see {SHOWN}")


if __name__ == "__main__":
    main()
