"""Evaluate a run's latest checkpoint in fresh episodes."""

import json
from pathlib import Path

import numpy as np
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from recurrent_rl.runs.config import Model
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.train import EVALUATION_SEED, load, open_run


def load_run(path: Path | str, n_envs: int | None = None, seed: int = EVALUATION_SEED) -> tuple[Model, VecEnv]:
    """Return a run's latest policy and an environment to play it in.

    The environment normalises observations as they were in training, where that was done, and learns nothing more; its
    rewards are the true ones. So `evaluate_policy(*load_run("runs/mine"))` scores what `recurrent-rl evaluate` scores.

    Args:
        path: The run's folder.
        n_envs: Columns, at most those of the run; None for as many.
        seed: Of the environment and of sampled actions.

    Raises:
        ValueError: There is no run, or it has no checkpoint yet.
    """
    config, folder = open_run(Path(path))
    if not folder.latest.exists():
        raise ValueError(f"{path} has no checkpoint yet; make one with: recurrent-rl train --resume {path}")
    torch.set_num_threads(config.threads)
    env = config.make_env(min(n_envs or config.n_envs, config.n_envs), seed)
    model = load(config, folder, env, force_reset=True)
    env.seed(seed)  # the model seeds environment and torch as in training when it is made
    torch.manual_seed(seed)
    if isinstance(env, VecNormalize):
        env.training, env.norm_reward = False, False
        model.set_normaliser(env)
    return model, env


def evaluate(path: Path, episodes: int, deterministic: bool, seed: int = EVALUATION_SEED) -> tuple[float, float]:
    """Return mean and standard deviation of the return over `episodes`, and write them to evaluation.json.

    Args:
        path: The run's folder.
        episodes: How many.
        deterministic: The distribution's mode, or samples.
        seed: Of the environments and of sampled actions.

    Raises:
        ValueError: There is no run, or it has no checkpoint yet.
    """
    if episodes < 1:
        raise ValueError(f"episodes={episodes} must be at least 1.")
    model, env = load_run(path, episodes, seed)
    folder = RunFolder(path)
    returns, _ = evaluate_policy(model, env, episodes, deterministic, return_episode_rewards=True)
    mean, deviation = float(np.mean(returns)), float(np.std(returns))
    result = {"mean_return": mean, "std_return": deviation, "episodes": episodes, "steps": model.num_timesteps}
    result["deterministic"] = deterministic
    (folder.path / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    return mean, deviation
