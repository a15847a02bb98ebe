"""One picture of a few worlds: what the agent does not see."""

from pathlib import Path

import gymnasium as gym
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import pomdp_envs

STEPS = 12


def draw(path: Path, most: int = 8) -> None:
    """Draw the worlds that have pictures, a dozen random steps into an episode."""
    drawn = [env_id for env_id in pomdp_envs.ids() if has_picture(env_id)]
    chosen = [env_id for env_id in drawn if not env_id.endswith(("Medium-v0", "Hard-v0"))][:most]
    figure, axes = plt.subplots(1, len(chosen), figsize=(2.4 * len(chosen), 2.8), squeeze=False)
    for axis, env_id in zip(axes[0], chosen, strict=True):
        axis.imshow(frame(env_id), interpolation="nearest")
        axis.set_title(env_id.removeprefix("pomdp_envs/").removesuffix("-v0"), fontsize=9)
        axis.set_axis_off()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def has_picture(env_id: str) -> bool:
    """Say whether a world draws itself."""
    env = gym.make_vec(env_id, num_envs=1).unwrapped
    return isinstance(env, pomdp_envs.BatchedEnv) and env.dynamics.draws_pictures


def frame(env_id: str):
    """Draw one world after some random steps (fewer where its episode ends)."""
    env = gym.make(env_id, render_mode="rgb_array")
    env.reset(seed=3)
    env.action_space.seed(3)
    picture = env.render()
    for _ in range(STEPS):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            break
        picture = env.render()
    return picture
