"""Write the tables of the README, and the pictures, from the results that are there.

python -m experiments.sequence_benchmark.report
"""

import re
from collections.abc import Iterable
from pathlib import Path

from experiments.sequence_benchmark.run import PLAN, RESULTS
from recurrent_rl.sequence.benchmark.report import report
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import WORKS

README = Path(__file__).parent / "README.md"


def main() -> None:
    """Replace what stands between the markers of the README."""
    write(PLAN, RESULTS, README)


def write(plan: Iterable[str], results: Path, readme: Path) -> None:
    """Write the tables of tasks between the markers of a README, and their pictures beside the results."""
    suite = Suite(works={task: WORKS[task] for task in plan}, models=("all",), folder=results)
    tables = report(suite, results / "report").replace("](", "](results/report/")
    between(readme, "tables", tables)


def between(readme: Path, mark: str, text: str) -> None:
    """Replace what stands between the markers of a name."""
    pattern = rf"(?s)(<!-- {mark} -->\n).*(<!-- end of {mark} -->)"
    readme.write_text(re.sub(pattern, lambda m: f"{m[1]}{text}\n{m[2]}", readme.read_text()))


if __name__ == "__main__":
    main()
