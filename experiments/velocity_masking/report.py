"""Print the table of results: both libraries, the interval of the difference, the published figure.

python -m experiments.velocity_masking.report
"""

import json
import statistics
from pathlib import Path

import numpy as np

from experiments.velocity_masking.settings import SETTINGS, Setting

RESULTS = Path(__file__).parent / "results"
RESAMPLES = 10_000


def scores(environment: str, library: str) -> dict[int, float]:
    """Seed -> mean return of the final policy."""
    files = sorted(RESULTS.glob(f"{environment}_{library}_*.json"))
    results = [json.loads(file.read_text()) for file in files]
    return {result["seed"]: result["mean_return"] for result in results}


def interval(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """95% bootstrap interval of the difference of means, both sides resampled."""
    generator = np.random.default_rng(0)
    draws = [
        generator.choice(ours, len(ours)).mean() - generator.choice(theirs, len(theirs)).mean()
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def row(setting: Setting) -> str:
    ours, theirs = (list(scores(setting.environment, library).values()) for library in ("recurrent_rl", "sb3-contrib"))
    if not ours or not theirs:
        return f"| {setting.environment} | (results missing) | | | | |"
    if min(len(ours), len(theirs)) < 2:
        difference = "one seed, no interval"
    else:
        low, high = interval(ours, theirs)
        difference = f"[{low:.1f}, {high:.1f}]"
    return (
        f"| {setting.environment} | {statistics.mean(ours):.1f} ({len(ours)} seeds) "
        f"| {statistics.mean(theirs):.1f} ({len(theirs)} seeds) | {difference} "
        f"| {max(ours):.1f} | {setting.published:.1f} |"
    )


def main() -> None:
    print("| environment | recurrent_rl | sb3-contrib | difference, 95% | best seed | zoo |")
    print("|---|---|---|---|---|---|")
    for setting in SETTINGS:
        print(row(setting))
    print()
    for setting in SETTINGS:
        for library in ("recurrent_rl", "sb3-contrib"):
            listed = ", ".join(f"{seed}: {score:.1f}" for seed, score in scores(setting.environment, library).items())
            print(f"- {setting.environment}, {library}: {listed}")


if __name__ == "__main__":
    main()
