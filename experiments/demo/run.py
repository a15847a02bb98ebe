"""The demo: where velocities are hidden, an agent that remembers balances the pole and a memoryless one cannot.

    make demo

Trains both with the same budget, evaluates each over 50 episodes, writes runs/demo/gru.zip and runs/demo/curves.png, and
exits non-zero unless the GRU scores at least 475 of 500 and the control less than 150.
"""

import sys
import time
from pathlib import Path

import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.utils import LinearSchedule, safe_mean
from stable_baselines3.common.vec_env import VecNormalize
from tqdm import tqdm

from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU, MemorySpec, NoMemory
from recurrent_rl.runs.curve import STEPS, draw_curves
from recurrent_rl.vector import as_vec_env

ENVIRONMENT = "pomdp_envs/CartPoleNoVel-v0"
BUDGET = 120_000  # environment steps, each
OUTPUT = Path("runs/demo")
NEEDED, CONTROL_BELOW = 475.0, 150.0


class Progress(BaseCallback):
    """A progress bar, and the learning curve."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._bar = tqdm(total=BUDGET, desc=f"{label:>9}", unit=" steps", mininterval=1.0)

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        mean = safe_mean([episode["r"] for episode in self.model.ep_info_buffer or []])
        self.rows.append({STEPS: self.model.num_timesteps, "rollout/ep_rew_mean": float(mean)})
        self._bar.set_postfix_str(f"mean return {mean:.0f}")
        self._bar.update(min(self.model.num_timesteps, BUDGET) - self._bar.n)

    def _on_training_end(self) -> None:
        self._bar.close()


def train(label: str, memory: MemorySpec) -> tuple[RecurrentPPO, list[dict[str, float]]]:
    # Rewards are scaled to returns near one: else the value loss drowns the policy's in the memory that they share.
    env = VecNormalize(as_vec_env(ENVIRONMENT, n_envs=16), norm_obs=False, gamma=0.98)
    model = RecurrentPPO(
        "MlpRecurrentPolicy",
        env,
        memory=memory,
        n_steps=128,
        batch_size=256,
        bptt_horizon=32,
        n_epochs=10,
        learning_rate=LinearSchedule(2e-3, 0.0, 1.0),
        gamma=0.98,
        gae_lambda=0.9,
        policy_kwargs={"net_arch": [64]},
        seed=0,
        device="cpu",
    )
    progress = Progress(label)
    model.learn(BUDGET, callback=progress)
    return model, progress.rows


def main() -> None:
    torch.set_num_threads(1)  # small products: a second thread costs more than it gives
    OUTPUT.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    scores, curves = {}, {}
    for label, memory in {"GRU": GRU(hidden_size=64), "no memory": NoMemory()}.items():
        model, curves[label] = train(label, memory)
        evaluation = as_vec_env(ENVIRONMENT, n_envs=10, seed=1000)
        scores[label], _ = evaluate_policy(model, evaluation, n_eval_episodes=50)
        if label == "GRU":
            model.save(OUTPUT / "gru.zip")
    draw_curves(curves, "CartPole without velocities", OUTPUT / "curves.png")
    for label, score in scores.items():
        print(f"{label:>9}: mean return {score:5.1f} of 500 over 50 evaluation episodes")
    print(f"Policy: {OUTPUT / 'gru.zip'}   Picture: {OUTPUT / 'curves.png'}   ({time.perf_counter() - started:.0f} s)")
    if scores["GRU"] < NEEDED or scores["no memory"] >= CONTROL_BELOW:
        sys.exit(f"The demo wants GRU >= {NEEDED:.0f} and the control < {CONTROL_BELOW:.0f}.")


if __name__ == "__main__":
    main()
