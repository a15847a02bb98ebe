"""What a policy weighs, costs and scores in each form that it is exported to.

    make demo
    python -m experiments.export.run

Takes the demo's GRU, writes all forms under runs/export, and puts the table between the marks of the README.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np
import sb3_contrib
import torch
from tqdm import tqdm

import pomdp_envs  # noqa: F401 - registers the ids
from experiments.sequence_benchmark.report import between
from experiments.throughput.latency import medians
from experiments.throughput.timing import Effort
from recurrent_rl import RecurrentPPO
from recurrent_rl.export import Agent, exportable, load_agent, to_numpy, to_onnx, to_safetensors, to_torch_export

README = Path(__file__).parent / "README.md"
POLICY, OUTPUT = Path("runs/demo/gru.zip"), Path("runs/export")
MANY, EACH = 64, 4  # columns, and episodes in each
Call = Callable[[], object]


def agents() -> dict[str, tuple[Agent, Path]]:
    """Write all forms; return an agent and the file of each."""
    source = exportable(POLICY)
    found = {"checkpoint, its modules in torch": (source.agent(), POLICY)}
    for name, write in {
        "NumPy": lambda: to_numpy(source, OUTPUT / "gru"),
        "ONNX": lambda: to_onnx(source, OUTPUT / "gru"),
        "ONNX, int8 weights": lambda: to_onnx(source, OUTPUT / "gru.int8.onnx", int8=True),
        "torch.export": lambda: to_torch_export(source, OUTPUT / "gru"),
        "safetensors": lambda: to_safetensors(source, OUTPUT / "gru"),
    }.items():
        path = write()
        found[name] = load_agent(path, trust=True), path
    return found


def returns(agent: Agent) -> float:
    """Return the mean return of EACH episodes in each of MANY columns."""
    env = gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=MANY)
    agent.reset()
    observation, _ = env.reset(seed=0)
    running, starts = np.zeros(MANY), np.ones(MANY, dtype=bool)
    finished: list[list[float]] = [[] for _ in range(MANY)]
    while min(map(len, finished)) < EACH:  # as many of each column: the first to end are the short ones
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation, starts))
        running, starts = running + reward, terminated | truncated
        for column in starts.nonzero()[0]:
            finished[column].append(running[column])
        running[starts] = 0.0
    return float(np.mean([scores[:EACH] for scores in finished]))


def acting(agent: Agent, rows: int) -> Call:
    """Return a call that acts on one observation, or on a batch."""
    agent, observation = agent.twin(), np.zeros((rows, 2), dtype=np.float32)
    return lambda: agent.act(observation[0] if rows == 1 else observation)


def predicting(model: RecurrentPPO | sb3_contrib.RecurrentPPO, rows: int) -> Call:
    """Return a call of `predict` that passes the state on."""
    observation, starts, state = np.zeros((rows, 2), dtype=np.float32), np.zeros(rows, dtype=bool), None

    def call() -> None:
        nonlocal state
        _, state = model.predict(observation, state, starts, deterministic=True)

    return call


def theirs() -> sb3_contrib.RecurrentPPO:
    """Return sb3-contrib's model of the same sizes, untrained."""
    kwargs = {"lstm_hidden_size": 64, "net_arch": [64]}
    return sb3_contrib.RecurrentPPO("MlpLstmPolicy", gym.make("pomdp_envs/CartPoleNoVel-v0"), policy_kwargs=kwargs)


def main() -> None:
    """Measure all, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions, and leave the README as it is")
    quick = parser.parse_args().quick
    if not POLICY.exists():
        raise SystemExit(f"There is no {POLICY}; train it by: make demo")
    torch.set_num_threads(1)
    found, model, other = agents(), RecurrentPPO.load(POLICY, device="cpu"), theirs()
    seconds = {}
    for rows in (1, MANY):
        calls = {name: acting(agent, rows) for name, (agent, _) in found.items()}
        calls |= {"predict": predicting(model, rows), "sb3-contrib": predicting(other, rows)}
        seconds[rows] = medians(calls, Effort(repetitions=1 if quick else 5))
    lines = [
        f"| form | bytes | us, 1 observation | us, {MANY} observations | mean return, {MANY * EACH} episodes |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, (agent, path) in tqdm(found.items(), desc="playing"):
        times = " | ".join(f"{1e6 * seconds[rows][name]:.0f}" for rows in (1, MANY))
        lines.append(f"| {name} | {path.stat().st_size:,} | {times} | {returns(agent):.1f} |")
    for name, label in (("predict", "`model.predict`"), ("sb3-contrib", "sb3-contrib's `predict`, LSTM 64")):
        lines.append(f"| {label} |  | {' | '.join(f'{1e6 * seconds[rows][name]:.0f}' for rows in (1, MANY))} |  |")
    table = "\n".join(lines)
    print(table)
    if not quick:
        between(README, "table", table)


if __name__ == "__main__":
    main()
