"""The comparison: tasks with their training, models of one size, tuning, seeds, tables and pictures."""

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS as ENTRANTS
from recurrent_rl.sequence.benchmark.own import compare as compare
from recurrent_rl.sequence.benchmark.own import own_work as own_work
from recurrent_rl.sequence.benchmark.report import report as report
from recurrent_rl.sequence.benchmark.suite import Suite as Suite
from recurrent_rl.sequence.benchmark.works import WORKS as WORKS
from recurrent_rl.sequence.benchmark.works import Work as Work
