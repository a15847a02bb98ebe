"""How fast are the environments, beside popgym's, and what is there? Writes the table of envs/README.md.

    python -m experiments.environments.run
    python -m experiments.environments.run --ids RepeatFirstEasy TMaze --repetitions 3
    python -m experiments.environments.run --table-only

Both sides of an id alternate in one process; the figures are medians. Random actions, drawn before the clock starts.
"""

import argparse

import pomdp_envs
from experiments.environments.pictures import draw
from experiments.environments.speed import OURS, bars, measure
from experiments.environments.table import README, write_table
from experiments.throughput.output import Row, load, machine, progress, save, show
from experiments.throughput.timing import Effort

RESULTS = README.parents[1] / "experiments" / "environments" / "results"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", nargs="+", help="names such as RepeatFirstEasy; all without it")
    parser.add_argument("--columns", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20_000, help="of popgym's environment, in each repetition")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--table-only", action="store_true", help="write table and pictures with the recorded speeds")
    return parser.parse_args()


def native_ids() -> list[str]:
    """Return the ids with a native batch."""
    import gymnasium as gym

    return [i for i in pomdp_envs.ids() if isinstance(gym.make_vec(i, num_envs=1).unwrapped, pomdp_envs.BatchedEnv)]


def run(options: argparse.Namespace) -> list[Row]:
    """Measure the ids that were asked for."""
    wanted = native_ids() if options.ids is None else [f"pomdp_envs/{name}-v0" for name in options.ids]
    effort = Effort(repetitions=options.repetitions)
    rows: list[Row] = []
    for env_id in wanted:
        progress(env_id)
        rows.append(measure(env_id, options.columns, options.steps, effort))
    return rows


def main() -> None:
    options = parse()
    if not options.table_only:
        print(machine(1), flush=True)
        rows = run(options)
        show(rows)
        if any(row["ratio"] is not None for row in rows):
            print("\n".join(bars(rows)))
        if options.ids is not None:
            return
        save(RESULTS / "speed.csv", rows)
    write_table({str(row["id"]): float(row[OURS]) for row in load(RESULTS / "speed.csv")})  # type: ignore[arg-type]
    draw(RESULTS / "worlds.png")


if __name__ == "__main__":
    main()
