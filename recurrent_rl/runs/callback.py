"""What happens beside training in a run: checkpoints at update boundaries, the picture, a line of progress, stopping."""

import time
from collections.abc import Callable

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import safe_mean

from recurrent_rl.runs.folder import RunFolder

SECONDS_BETWEEN_LINES = 10.0


class RunCallback(BaseCallback):
    """Saves the latest checkpoint every so many steps, and stops training when asked.

    Args:
        folder: The run's.
        checkpoint_every: Environment steps between checkpoints.
        draw: Called after a checkpoint is written.
        lines: Print a line of progress now and then (where there is no progress bar).
    """

    def __init__(self, folder: RunFolder, checkpoint_every: int, draw: Callable[[], None], lines: bool) -> None:
        super().__init__()
        self.stop_requested = False
        self._folder, self._every, self._draw, self._lines = folder, checkpoint_every, draw, lines
        self._saved_at = 0
        self._line_at = time.monotonic()

    def _on_training_start(self) -> None:
        self._saved_at = self.num_timesteps = self.model.num_timesteps

    def _on_rollout_start(self) -> None:
        steps = self.model.num_timesteps
        if steps - self._saved_at >= self._every:
            self.model.save(self._folder.latest)
            self._saved_at = steps
            self._draw()
        if self._lines and time.monotonic() - self._line_at > SECONDS_BETWEEN_LINES:
            self._line_at = time.monotonic()
            print(self._line(steps), flush=True)

    def _on_step(self) -> bool:
        return not self.stop_requested

    def _line(self, steps: int) -> str:
        episodes = self.model.ep_info_buffer or []
        mean = f"{safe_mean([episode['r'] for episode in episodes]):.4g}" if episodes else "-"
        return f"{steps:>9,} / {self.model._total_timesteps:,} steps   mean return {mean}"
