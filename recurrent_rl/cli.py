"""The command line.

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

from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.train import Options, open_run, train


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train an agent that remembers, or go on with a run (--resume)."""

    config: Annotated[RunConfig, tyro.conf.arg(name="")] = dataclasses.field(default_factory=RunConfig)
    options: Annotated[Options, tyro.conf.arg(name="")] = dataclasses.field(default_factory=Options)
    run: Path | None = None
    """Folder of the new run; by default one under runs/."""
    resume: Path | None = None
    """Folder of a run to go on with; its own configuration is used."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        if self.resume is None:
            self.config.make_env(1, 0).close()  # an unknown id is refused before a folder is made
            return train(self.config, RunFolder.new(self.config, self.run), self.options)
        if self.config != RunConfig():
            raise ValueError(
                "--resume uses the run's own configuration; leave out the options that describe a new run."
            )
        return train(*open_run(self.resume), self.options)


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
        print(f"mean return {mean:.1f} +- {deviation:.1f} over {self.episodes} episodes")
        return 0


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; errors that the user can mend come as one line."""
    command = tyro.extras.subcommand_cli_from_dict(
        {"train": Train, "evaluate": Evaluate}, args=arguments, prog="recurrent-rl", description=__doc__
    )
    try:
        sys.exit(command())
    except (CheckpointError, ValueError, FileNotFoundError, FloatingPointError) as error:
        print(f"recurrent-rl: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
