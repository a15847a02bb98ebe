"""Write the tables of the README, and the pictures, from the results that are there.

python -m experiments.sequence_benchmark.report
"""

import re
from pathlib import Path

from experiments.sequence_benchmark.run import PLAN, RESULTS
from recurrent_rl.sequence.benchmark.report import report
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import WORKS

README = Path(__file__).parent / "README.md"


def main() -> None:
    """Replace what stands between the markers of the README."""
    suite = Suite(works={task: WORKS[task] for task in PLAN}, models=("all",), folder=RESULTS)
    tables = report(suite, RESULTS / "report").replace("](", "](results/report/")
    text = README.read_text()
    README.write_text(
        re.sub(r"(?s)(<!-- tables -->\n).*(<!-- end of tables -->)", lambda m: f"{m[1]}{tables}\n{m[2]}", text)
    )


if __name__ == "__main__":
    main()
