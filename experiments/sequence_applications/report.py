"""Write the tables of the README, and the pictures, from the results that are there.

python -m experiments.sequence_applications.report
"""

from pathlib import Path

from experiments.sequence_applications.run import PLAN, RESULTS
from experiments.sequence_benchmark.report import write

README = Path(__file__).parent / "README.md"


def main() -> None:
    """Replace what stands between the markers of the README."""
    write(PLAN, RESULTS, README)


if __name__ == "__main__":
    main()
