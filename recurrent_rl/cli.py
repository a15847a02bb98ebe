"""Recurrent PPO and A2C: train agents that remember, go on with runs, evaluate them.

recurrent-rl train --env pomdp_envs/CartPoleNoVel-v0 --algo ppo --memory gru

recurrent-rl train --resume RUN

recurrent-rl evaluate RUN
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from gymnasium.error import DependencyNotInstalled

from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.train import resume, train


@dataclass(frozen=True, kw_only=True)
class _ParsedConfig(RunConfig):
    """Unchecked: tyro would frame the error of a check, and `Train` gives it in one line."""

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class _ParsedOptions(Options):
    """Unchecked, for the same reason."""

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train an agent that remembers, or go on with a run (--resume)."""

    config: Annotated[_ParsedConfig, tyro.conf.arg(name="")] = dataclasses.field(default_factory=_ParsedConfig)
    options: Annotated[_ParsedOptions, tyro.conf.arg(name="")] = dataclasses.field(default_factory=_ParsedOptions)
    run: Path | None = None
    """Folder of the new run; by default one under runs/."""
    resume: Path | None = None
    """Folder of a run to go on with, by its own configuration; options that are not given stay as they were."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        config, options = RunConfig(**vars(self.config)), Options(**vars(self.options))
        if self.resume is None:
            return train(config, self.run, options)
        if config != RunConfig() or self.run is not None:
            raise ValueError(
                "--resume uses the run's own configuration; leave out the options that describe a new run."
            )
        return resume(self.resume, options)


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Evaluate a run's latest checkpoint in fresh episodes."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    episodes: int = 50
    """Episodes to play."""
    deterministic: bool = True
    """Take the most likely action, or sample."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        mean, deviation = evaluate(self.run, self.episodes, self.deterministic)
        print(f"mean return {mean:.4g} +- {deviation:.2g} over {self.episodes} episodes")
        return 0


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; errors that the user can mend come as one line."""
    command = tyro.extras.subcommand_cli_from_dict(
        {"train": Train, "evaluate": Evaluate}, args=arguments, prog="recurrent-rl", description=__doc__
    )
    try:
        sys.exit(command())
    except (CheckpointError, ValueError, FileNotFoundError, FloatingPointError, DependencyNotInstalled) as error:
        print(f"recurrent-rl: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
