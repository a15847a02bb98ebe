"""A2C with a GRU where velocities are hidden: when does it first score 475 over 50 episodes of CartPoleNoVel?

python -m experiments.a2c.run --seeds 0 1 2
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecNormalize

from recurrent_rl import RecurrentA2C
from recurrent_rl.memory import GRU
from recurrent_rl.vector import as_vec_env

ENVIRONMENT, BUDGET = "pomdp_envs/CartPoleNoVel-v0", 500_000
EVALUATE_EVERY, NEEDED = 25_000, 475.0


def run(seed: int) -> dict[str, Any]:
    env = VecNormalize(as_vec_env(ENVIRONMENT, n_envs=16), norm_obs=False, gamma=0.98)
    model = RecurrentA2C(
        "MlpRecurrentPolicy",
        env,
        memory=GRU(hidden_size=64),
        n_steps=32,
        learning_rate=LinearSchedule(1e-3, 0.0, 1.0),
        gamma=0.98,
        gae_lambda=0.9,
        normalize_advantage=True,
        policy_kwargs={"net_arch": [64]},
        seed=seed,
        device="cpu",
    )
    evaluation = VecNormalize(
        as_vec_env(ENVIRONMENT, n_envs=10, seed=1000), norm_obs=False, norm_reward=False, training=False
    )
    every = EVALUATE_EVERY // env.num_envs
    callback = EvalCallback(evaluation, eval_freq=every, n_eval_episodes=50, log_path=f"runs/a2c/{seed}", verbose=0)
    model.learn(BUDGET, callback)
    curve = {
        int(step): round(float(np.mean(returns)), 1)
        for step, returns in zip(callback.evaluations_timesteps, callback.evaluations_results, strict=True)
    }
    reached = next((step for step, score in curve.items() if score >= NEEDED), None)
    return {"seed": seed, "reached_475_at": reached, "final": list(curve.values())[-1], "curve": curve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    for seed in options.seeds:
        results.append(run(seed))
        print(json.dumps(results[-1]), flush=True)
    (Path(__file__).parent / "result.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
