"""Metrics, configuration and checkpoints to Weights & Biases. A failure warns once and never stops training.

Names that dashboards can rely on:

    rollout/  ep_rew_mean, ep_len_mean                         training episodes
    eval/     mean_reward, mean_ep_length                      evaluation episodes
    train/    loss, policy_gradient_loss, value_loss, entropy_loss, approx_kl, kl_epoch_NN, kl_max, clip_fraction,
              first_ratio_error, grad_norm, explained_variance, learning_rate
    memory/   state_drift                                      stored entry states, every tenth update
    time/     fps, collection_fps, update_fps, total_timesteps

All against `time/total_timesteps`.
"""

import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import KVWriter

GROUPS = ("rollout", "train", "memory", "time", "eval")
STEP = "time/total_timesteps"


class WandbWriter(KVWriter):
    """An output of SB3's logger.

    Args:
        config: The whole configuration.
        folder: The run's folder; wandb writes under it.
        resume_id: Id of the run to go on with, or None.
        project: Project name.
    """

    def __init__(self, config: dict[str, Any], folder: Path, resume_id: str | None, project: str) -> None:
        self._run: Any = None
        self._failed = False
        self._guard(lambda: self._start(config, folder, resume_id, project))

    @property
    def run_id(self) -> str | None:
        """The id to resume with, or None where tracking failed."""
        return None if self._run is None else self._run.id

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        """Log one row of scalars."""
        row = {key: value for key, value in key_values.items() if isinstance(value, int | float)}
        row[STEP] = step
        self._guard(lambda: self._run.log(row))

    def finish(self, curve: Path, checkpoint: Path) -> None:
        """Log the picture and the last checkpoint as an artifact, and end the run."""
        self._guard(lambda: self._finish(curve, checkpoint))

    def close(self) -> None:
        """Leave the run open: `finish` ends it."""

    def _start(self, config: dict[str, Any], folder: Path, resume_id: str | None, project: str) -> None:
        import wandb

        self._run = wandb.init(
            project=project,
            config={**config, "commit": commit()},
            dir=str(folder),
            name=folder.name,
            id=resume_id,
            resume="allow" if resume_id else None,
        )
        self._run.define_metric(STEP)
        for group in GROUPS:
            self._run.define_metric(f"{group}/*", step_metric=STEP)

    def _finish(self, curve: Path, checkpoint: Path) -> None:
        import wandb

        if curve.exists():
            self._run.log({"learning_curve": wandb.Image(str(curve))})
        if checkpoint.exists():
            artifact = wandb.Artifact(f"{self._run.id}-checkpoint", type="model")
            artifact.add_file(str(checkpoint))
            self._run.log_artifact(artifact)
        self._run.finish()

    def _guard(self, action: Callable[[], None]) -> None:
        """Do it; after the first failure do nothing more."""
        if self._failed:
            return
        try:
            action()
        except Exception as error:
            self._failed = True
            warnings.warn(f"Weights & Biases tracking failed and is off; training goes on. {error!r}", stacklevel=3)


def commit() -> str | None:
    """Return the commit of the working folder, or None outside a repository."""
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return found.stdout.strip() or None
