"""Train recurrent PPO where velocities are hidden, with recurrent_rl or sb3-contrib, and write one result per run.

    python -m experiments.velocity_masking.run --library recurrent_rl sb3-contrib --seeds 0 1 2 3 4

A result that is already there is not computed again.
"""

import argparse
import copy
import json
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from experiments.velocity_masking.settings import SETTINGS, Setting

RESULTS = Path(__file__).parent / "results"
EVALUATION_EPISODES = 100
EVALUATION_SEED = 10_000
BFLOAT16 = "recurrent_rl-bfloat16"  # the same with precision="bfloat16"


class HideVelocity(gym.ObservationWrapper):
    """The zoo's environment: Gymnasium's own, with some components of the observation left out."""

    def __init__(self, env: gym.Env, visible: tuple[int, ...]) -> None:
        super().__init__(env)
        self._visible = list(visible)
        space = env.observation_space
        assert isinstance(space, gym.spaces.Box)
        self.observation_space = gym.spaces.Box(space.low[self._visible], space.high[self._visible])

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation[self._visible]


def make_environment(library: str, setting: Setting, n_envs: int, seed: int) -> VecEnv:
    """sb3-contrib gets the zoo's environment, recurrent_rl its batched one: the dynamics agree step for step."""
    if library == "sb3-contrib":
        return make_vec_env(
            setting.gymnasium_id,
            n_envs=n_envs,
            seed=seed,
            wrapper_class=HideVelocity,  # type: ignore[arg-type]
            wrapper_kwargs={"visible": setting.visible},
        )
    from recurrent_rl.vector import as_vec_env

    return as_vec_env(f"pomdp_envs/{setting.environment}-v0", n_envs=n_envs, seed=seed)


def make_model(library: str, setting: Setting, env: VecEnv, seed: int) -> Any:
    if library == "sb3-contrib":
        from sb3_contrib import RecurrentPPO
    else:
        from recurrent_rl import RecurrentPPO
    arguments = copy.deepcopy(setting.arguments)
    if library == BFLOAT16:
        arguments["policy_kwargs"]["precision"] = "bfloat16"
    arguments |= {name: LinearSchedule(start, 0.0, 1.0) for name, start in setting.schedules.items()}
    return RecurrentPPO("MlpLstmPolicy", env, seed=seed, device="cpu", **arguments)


def run(library: str, setting: Setting, seed: int) -> dict[str, Any]:
    """Train, then evaluate the final policy, deterministic, with the normaliser's statistics frozen.

    Both libraries' policies play the same episodes, in Gymnasium's environment: a hundred episodes from other initial
    states shift the mean return of one and the same Pendulum policy by twenty.
    """
    normalised = VecNormalize(
        make_environment(library, setting, setting.n_envs, seed), gamma=setting.arguments["gamma"]
    )
    model = make_model(library, setting, normalised, seed)
    started = time.perf_counter()
    model.learn(setting.steps)
    seconds = time.perf_counter() - started
    evaluation = VecNormalize(
        make_environment("sb3-contrib", setting, 10, EVALUATION_SEED), training=False, norm_reward=False
    )
    evaluation.obs_rms = normalised.obs_rms
    returns, _ = evaluate_policy(
        model, evaluation, EVALUATION_EPISODES, deterministic=True, return_episode_rewards=True
    )
    return {
        "library": library,
        "environment": setting.environment,
        "seed": seed,
        "steps": model.num_timesteps,
        "mean_return": float(np.mean(returns)),
        "std_return": float(np.std(returns)),
        "episodes": EVALUATION_EPISODES,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--library", nargs="+", choices=["recurrent_rl", BFLOAT16, "sb3-contrib"], default=["recurrent_rl"]
    )
    parser.add_argument("--environment", nargs="+", default=[setting.environment for setting in SETTINGS])
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(5)))
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    RESULTS.mkdir(exist_ok=True)
    for seed in options.seeds:
        for setting in (setting for setting in SETTINGS if setting.environment in options.environment):
            for library in options.library:
                path = RESULTS / f"{setting.environment}_{library}_{seed}.json"
                if not path.exists():
                    result = run(library, setting, seed)
                    path.write_text(json.dumps(result, indent=2) + "\n")
                    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
