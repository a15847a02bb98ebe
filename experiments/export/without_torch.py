"""Play CartPole without velocities where torch is not installed: numpy, gymnasium and a copy of numpy_agent.py are enough.

pip install numpy gymnasium
cp recurrent_rl/export/numpy_agent.py .
PYTHONPATH=envs:. python experiments/export/without_torch.py runs/export/gru.npz
"""

import importlib.util
import sys

import gymnasium as gym
import numpy as np
import numpy_agent  # type: ignore[import-not-found]  # the copy

import pomdp_envs  # noqa: F401 - registers the ids

COLUMNS, EACH, NEEDED = 10, 5, 475.0  # columns, episodes in each, mean return


def main() -> None:
    """Play 50 episodes; exit with an error below 475."""
    if importlib.util.find_spec("torch") is not None:
        sys.exit("torch is installed here; this is to show that it is not needed.")
    agent = numpy_agent.load(sys.argv[1])
    env = gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=COLUMNS)
    observation, _ = env.reset(seed=0)
    starts, running = np.ones(COLUMNS, dtype=bool), np.zeros(COLUMNS)
    finished: list[list[float]] = [[] for _ in range(COLUMNS)]
    while min(map(len, finished)) < EACH:
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation, starts))
        running, starts = running + reward, terminated | truncated
        for column in starts.nonzero()[0]:
            finished[column].append(running[column])
        running[starts] = 0.0
    score = float(np.mean([scores[:EACH] for scores in finished]))
    print(f"without torch: mean return {score:.1f} of 500 over {COLUMNS * EACH} episodes")
    if score < NEEDED:
        sys.exit(f"At least {NEEDED:.0f} was expected.")


if __name__ == "__main__":
    main()
