"""Training throughput of recurrent_rl and sb3-contrib side by side: same environments, network and BPTT length.

    make bench

Both train on the same batched VecEnv, 64 environments x 128 steps, LSTM 128, 4 epochs. The two sides alternate, and the
medians' ratio is what counts; the absolute figures belong to this machine.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import sb3_contrib
import torch

import recurrent_rl
from recurrent_rl.vector import as_vec_env

N_ENVS, N_STEPS, EPOCHS, HIDDEN = 64, 128, 4, 128
LIBRARIES = {"recurrent_rl": recurrent_rl, "sb3-contrib": sb3_contrib}


def make_model(library: str, batch_size: int) -> Any:
    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=N_ENVS)
    return LIBRARIES[library].RecurrentPPO(
        "MlpLstmPolicy",
        env,
        n_steps=N_STEPS,
        batch_size=batch_size,
        n_epochs=EPOCHS,
        seed=0,
        device="cpu",
        policy_kwargs={"lstm_hidden_size": HIDDEN},
        **({"bptt_horizon": N_STEPS} if library == "recurrent_rl" else {}),
    )


def steps_per_second(model: Any, rollouts: int) -> float:
    steps = rollouts * N_ENVS * N_STEPS
    started = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    return steps / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--rollouts", type=int, default=1, help="rollouts in each measurement")
    parser.add_argument("--batch-size", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    models = {library: make_model(library, options.batch_size) for library in LIBRARIES}
    for model in models.values():
        steps_per_second(model, 1)  # warm up
    speeds: dict[str, list[float]] = {library: [] for library in LIBRARIES}
    for repetition in range(options.repetitions):
        for library, model in models.items():
            speeds[library].append(steps_per_second(model, options.rollouts))
            print(f"{repetition + 1}: {library:>12} {speeds[library][-1]:8.0f} steps/s", flush=True)
    medians = {library: statistics.median(values) for library, values in speeds.items()}
    ratio = medians["recurrent_rl"] / medians["sb3-contrib"]
    print(f"median {medians['recurrent_rl']:.0f} against {medians['sb3-contrib']:.0f} steps/s: ratio {ratio:.1f}")
    result = {**vars(options), "steps_per_second": speeds, "ratio": ratio}
    (Path(__file__).parent / "result.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
