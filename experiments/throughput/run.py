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


def compare(batch_size: int, repetitions: int) -> dict[str, Any]:
    """Alternate the two sides; return their speeds and the ratio of the medians."""
    models = {library: make_model(library, batch_size) for library in LIBRARIES}
    for model in models.values():
        steps_per_second(model, 1)  # warm up
    speeds: dict[str, list[float]] = {library: [] for library in LIBRARIES}
    for _ in range(repetitions):
        for library, model in models.items():
            speeds[library].append(steps_per_second(model, 1))
    medians = {library: statistics.median(values) for library, values in speeds.items()}
    ratio = medians["recurrent_rl"] / medians["sb3-contrib"]
    print(
        f"batch_size {batch_size:>5}: recurrent_rl {medians['recurrent_rl']:6.0f} steps/s, "
        f"sb3-contrib {medians['sb3-contrib']:6.0f} steps/s, ratio {ratio:.1f}",
        flush=True,
    )
    return {"batch_size": batch_size, "steps_per_second": speeds, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[128, 512, 2048], help="128 is both defaults")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{N_ENVS} environments x {N_STEPS} steps, LSTM {HIDDEN}, {EPOCHS} epochs, {options.threads} thread(s)")
    results = [compare(batch_size, options.repetitions) for batch_size in options.batch_sizes]
    (Path(__file__).parent / "result.json").write_text(
        json.dumps({**vars(options), "results": results}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
