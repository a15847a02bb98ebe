"""Train a run, from its start or from its latest checkpoint."""

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.vec_env import VecEnv, VecNormalize, VecTransposeImage, is_vecenv_wrapped

from recurrent_rl.algorithms import NonFiniteError
from recurrent_rl.checkpoint import read_archive
from recurrent_rl.runs.callback import RunCallback
from recurrent_rl.runs.config import Model, RunConfig
from recurrent_rl.runs.curve import draw_curves
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.options import Options
from recurrent_rl.wandb_writer import WandbWriter

EVALUATION_SEED = 1_000_000


def train(config: RunConfig, path: Path | None, options: Options) -> int:
    """Train a new run until `config.steps`.

    Args:
        config: The run.
        path: Its folder, which must hold no run; None makes one under runs/.
        options: How it is carried out.

    Returns:
        0, or 128 + signal number where a signal stopped it.

    Raises:
        ValueError: Something in `config` does not fit; no folder is made then.
        NonFiniteError: The environment gave NaN or infinity; the last update boundary is saved, and `resume` goes on.
    """
    torch.set_num_threads(config.threads)
    model = config.make_model()  # checks everything, so a command that is refused leaves no folder behind
    folder = RunFolder.new(config, path)
    options.write(folder.options)
    return _train(model, config, folder, options)


def resume(path: Path, options: Options) -> int:
    """Go on exactly where the latest checkpoint of the run at `path` was taken, until its `steps`.

    Args:
        path: The run's folder.
        options: A field that has its default takes the value that the run had; the others are kept for the next resume.

    Returns:
        As `train`.

    Raises:
        ValueError: There is no run, or its files do not belong together.
        NonFiniteError: As in `train`.
    """
    config, folder = open_run(path)
    options = options.over(Options.read(folder.options))
    torch.set_num_threads(config.threads)
    if folder.latest.exists():
        model = load(config, folder, config.make_env(config.n_envs, config.seed))
    else:
        print(f"{folder.path} has no checkpoint yet; it starts from its beginning.")
        model = config.make_model()
    options.write(folder.options)
    return _train(model, config, folder, options)


def _train(model: Model, config: RunConfig, folder: RunFolder, options: Options) -> int:
    remaining = config.steps - model.num_timesteps
    if remaining <= 0:
        print(f"{folder.path} has its {config.steps:,} steps already; see it with: recurrent-rl evaluate {folder.path}")
        print(f"(For more, raise steps in {folder.config} and resume again.)")
        return 0
    tracker = _tracker(config, folder, options)
    model.set_logger(folder.logger(model.num_timesteps, [tracker] if tracker else []))

    def draw() -> None:
        draw_curves({config.memory: folder.rows()}, f"{config.env}, {config.algo}", folder.curve)

    def finish() -> None:
        model.save(folder.latest)
        model.logger.record("time/total_timesteps", model.num_timesteps, exclude="tensorboard")
        model.logger.dump(model.num_timesteps)  # the last update's figures
        draw()
        if tracker:
            tracker.finish(folder.curve, folder.latest)
        model.logger.close()

    bar = options.progress_bar and sys.stderr.isatty()
    callback = RunCallback(folder, options.checkpoint_every, draw, lines=not bar)
    callbacks: list[BaseCallback] = [callback, *_evaluation(config, model, options)]
    print(f"Training {config.algo} with memory {config.memory!r} in {config.env}; everything goes to {folder.path}/")
    go_on = f"recurrent-rl train --resume {folder.path}"
    try:
        with _signals(callback) as received:
            model.learn(remaining, callbacks, log_interval=1, reset_num_timesteps=False, progress_bar=bar)
    except NonFiniteError:  # found while collecting, so the weights are those of the last update
        finish()
        print(f"The run is saved as of its last update. With the environment mended, go on with: {go_on}")
        raise
    finish()
    if received:
        print(f"Stopped by {signal.Signals(received[0]).name}. Go on with: {go_on}")
        return 128 + received[0]
    print(f"Done. Curve: {folder.curve}. Next: recurrent-rl evaluate {folder.path}")
    return 0


def load(config: RunConfig, folder: RunFolder, env: VecEnv, force_reset: bool = False) -> Model:
    """Load the latest checkpoint of a run.

    Args:
        config: The run's.
        folder: The run's; it holds a checkpoint.
        env: From `config.make_env`.
        force_reset: Begin new episodes in `env`, in place of those that the checkpoint was taken in.

    Raises:
        ValueError: config.json names another algorithm, memory or critic than the checkpoint was trained with.
    """
    data, _ = read_archive(folder.latest)
    policy = data.get("arguments", {}).get("policy_kwargs") or {}
    pairs = {
        "algo": (config.algorithm().__name__, data.get("algorithm")),
        "memory": (config.memory_spec(), policy.get("memory")),
        "critic": (config.critic, policy.get("critic")),
    }
    for name, (here, there) in pairs.items():
        if here != there:
            raise ValueError(
                f"{folder.config} was edited: its {name} is now {here}, the checkpoint was trained with {there}. Undo the "
                "edit, or start a new run."
            )
    return config.algorithm().load(folder.latest, env=env, device=config.device, force_reset=force_reset)


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
    if isinstance(env, VecNormalize):
        env.training, env.norm_reward = False, False
    training_env = model.get_env()
    if training_env is not None and is_vecenv_wrapped(training_env, VecTransposeImage):
        env = VecTransposeImage(env)  # EvalCallback pairs the wrappers of both, to copy statistics
    every = max(1, options.eval_every // model.n_envs)  # SB3 counts calls
    callback = EvalCallback(env, eval_freq=every, n_eval_episodes=options.eval_episodes, verbose=0)
    callback.n_calls = model.num_timesteps // model.n_envs  # a resumed run evaluates at the steps of a whole one
    return [callback]


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
