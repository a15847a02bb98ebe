"""A run: its configuration, its folder, training, evaluation and pictures."""

from recurrent_rl.runs.evaluate import load_run

__all__ = ["load_run"]
