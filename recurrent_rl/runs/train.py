"""Train a run, from its start or from its latest checkpoint."""

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback

from recurrent_rl.runs.callback import RunCallback
from recurrent_rl.runs.config import Model, RunConfig
from recurrent_rl.runs.curve import draw_curves
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.wandb_writer import WandbWriter

EVALUATION_SEED = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is carried out; none of it changes what is learned."""

    checkpoint_every: int = 50_000
    """Environment steps between checkpoints."""
    eval_every: int = 0
    """Environment steps between evaluations; 0 for none."""
    eval_episodes: int = 10
    """Episodes of an evaluation."""
    track: Literal["none", "wandb"] = "none"
    """Where to log beside metrics.csv and TensorBoard; WANDB_MODE=offline works."""
    project: str = "recurrent_rl"
    """Weights & Biases project."""
    progress_bar: bool = True
    """A progress bar, on a terminal."""


def train(config: RunConfig, folder: RunFolder, options: Options) -> int:
    """Train until `config.steps`; return 0, or 128 + signal number where a signal stopped it.

    Where the folder has a checkpoint, training goes on from it exactly.
    """
    torch.set_num_threads(config.threads)
    model = _model(config, folder)
    remaining = config.steps - model.num_timesteps
    if remaining <= 0:
        print(f"{folder.path} has its {config.steps:,} steps already; see it with: recurrent-rl evaluate {folder.path}")
        return 0
    tracker = _tracker(config, folder, options)
    model.set_logger(folder.logger(model.num_timesteps, [tracker] if tracker else []))

    def draw() -> None:
        draw_curves({config.memory: folder.rows()}, f"{config.env}, {config.algo}", folder.curve)

    bar = options.progress_bar and sys.stderr.isatty()
    callback = RunCallback(folder, options.checkpoint_every, draw, lines=not bar)
    callbacks: list[BaseCallback] = [callback, *_evaluation(config, model, options)]
    print(f"Training {config.algo} with memory {config.memory!r} in {config.env}; everything goes to {folder.path}/")
    with _signals(callback) as received:
        model.learn(remaining, callbacks, log_interval=1, reset_num_timesteps=False, progress_bar=bar)
    model.save(folder.latest)
    model.logger.record("time/total_timesteps", model.num_timesteps, exclude="tensorboard")
    model.logger.dump(model.num_timesteps)  # the last update's figures
    draw()
    if tracker:
        tracker.finish(folder.curve, folder.latest)
    model.logger.close()
    if received:
        print(f"Stopped by {signal.Signals(received[0]).name}. Go on with: recurrent-rl train --resume {folder.path}")
        return 128 + received[0]
    print(f"Done. Curve: {folder.curve}. Next: recurrent-rl evaluate {folder.path}")
    return 0


def _model(config: RunConfig, folder: RunFolder) -> Model:
    if not folder.latest.exists():
        return config.make_model()
    env = config.make_env(config.n_envs, config.seed)
    return config.algorithm().load(folder.latest, env=env, device=config.device)


def _tracker(config: RunConfig, folder: RunFolder, options: Options) -> WandbWriter | None:
    if options.track == "none":
        return None
    id_file = folder.path / "wandb_id.txt"
    known = id_file.read_text().strip() if id_file.exists() else None
    settings = {**dataclasses.asdict(config), **dataclasses.asdict(options)}
    tracker = WandbWriter(settings, folder.path, known, options.project)
    if tracker.run_id is not None:
        id_file.write_text(tracker.run_id)
    return tracker


def _evaluation(config: RunConfig, model: Model, options: Options) -> list[BaseCallback]:
    if options.eval_every <= 0:
        return []
    env = config.make_env(min(config.n_envs, options.eval_episodes), EVALUATION_SEED)
    if config.normalize:
        env.training, env.norm_reward = False, False  # type: ignore[attr-defined]
    every = max(1, options.eval_every // model.n_envs)  # SB3 counts calls
    return [EvalCallback(env, eval_freq=every, n_eval_episodes=options.eval_episodes, verbose=0)]


@contextmanager
def _signals(callback: RunCallback) -> Iterator[list[int]]:
    """Stop training at SIGINT or SIGTERM; a second signal has its usual effect."""
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: object) -> None:
        received.append(number)
        callback.stop_requested = True
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_run(path: Path) -> tuple[RunConfig, RunFolder]:
    """Return configuration and folder of the run at `path`.

    Raises:
        ValueError: There is none.
    """
    config = RunConfig.read(path / "config.json")
    return config, RunFolder(path)
