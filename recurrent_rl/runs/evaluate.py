"""Evaluate a run's latest checkpoint in fresh episodes."""

import json
from pathlib import Path

import numpy as np
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

from recurrent_rl.runs.train import EVALUATION_SEED, open_run


def evaluate(path: Path, episodes: int, deterministic: bool, seed: int = EVALUATION_SEED) -> tuple[float, float]:
    """Return mean and standard deviation of the return over `episodes`, and write them to evaluation.json.

    Args:
        path: The run's folder.
        episodes: How many.
        deterministic: The distribution's mode, or samples.
        seed: Of the environments and of sampled actions.
    """
    config, folder = open_run(path)
    torch.set_num_threads(config.threads)
    torch.manual_seed(seed)
    env = config.make_env(min(episodes, config.n_envs), seed)
    model = config.algorithm().load(folder.latest, env=env, device=config.device, force_reset=True)
    if isinstance(env, VecNormalize):
        env.training, env.norm_reward = False, False
        model.set_normaliser(env)
    returns, _ = evaluate_policy(model, env, episodes, deterministic, return_episode_rewards=True)
    mean, deviation = float(np.mean(returns)), float(np.std(returns))
    result = {"mean_return": mean, "std_return": deviation, "episodes": episodes, "steps": model.num_timesteps}
    (folder.path / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    return mean, deviation
