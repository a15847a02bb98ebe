"""Recurrent PPO and A2C: train agents that remember, go on with runs, evaluate them; and the sequence benchmark.

recurrent-rl train --env pomdp_envs/CartPoleNoVel-v0 --algo ppo --memory gru

recurrent-rl train --resume RUN

recurrent-rl evaluate RUN

recurrent-rl export RUN --to numpy onnx

recurrent-rl sequence run --task speech --models gru hmm
"""

import ast
import dataclasses
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro
from gymnasium.error import DependencyNotInstalled

from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.memory import NoMemory
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.export import Export
from recurrent_rl.runs.memories import MEMORIES, holds_specs
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.sequence import Sequence
from recurrent_rl.runs.train import resume, train


@dataclass(frozen=True, kw_only=True)
class _ParsedConfig(RunConfig):
    """Unchecked: tyro would frame the error of a check, and `Train` gives it in one line."""

    memory: Annotated[str, tyro.conf.arg(metavar="{" + ",".join(MEMORIES) + "}")] = "gru"
    """What the policy remembers with; "window" stacks the last observations, "none" is the memoryless control. Its own
    fields are --memory.NAME; `train --memory lru --help` shows those of the LRU."""
    memory_fields: Annotated[Any, tyro.conf.Suppress] = None  # comes with the memory, see `train_with`
    env_kwargs: Annotated[tuple[str, ...], tyro.conf.arg(metavar="[NAME=VALUE ...]")] = ()  # type: ignore[assignment]
    """Arguments of the environment, such as corridor_length=5 tasks=train."""

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
    """Folder of a run to go on with, by its own configuration, up to its own --steps. How it is carried out (from
    --checkpoint-every on) may change; what is not given stays as it was."""
    memory_fields: Annotated[Any, tyro.conf.Suppress] = None

    def __call__(self) -> int:
        """Run it; return the exit status."""
        named = {"memory_fields": vars(self.memory_fields), "env_kwargs": _named_values(self.config.env_kwargs)}
        given = vars(self.config) | named
        config, options = RunConfig(**given), Options(**vars(self.options))
        if self.resume is None:
            return train(config, self.run, options)
        if config != RunConfig() or self.run is not None:
            raise ValueError(
                "--resume uses the run's own configuration; leave out the options that describe a new run."
            )
        return resume(self.resume, options)


def _named_values(pairs: Iterable[str]) -> dict[str, Any]:
    """Return what NAME=VALUE arguments say; a value that reads as Python's (5, 0.5, None, (1, 2)) is that, others text."""
    named = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--env-kwargs takes NAME=VALUE, such as corridor_length=5, not {pair!r}.")
        try:
            named[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            named[name] = value
    return named


def train_with(memory: str) -> type[Train]:
    """Return `Train` with the fields of a memory as arguments --memory.NAME."""
    fields = _memory_fields(memory)
    argument = Annotated[fields, tyro.conf.arg(name="memory")]
    made = dataclasses.make_dataclass(
        "Train",
        [("memory_fields", argument, dataclasses.field(default_factory=fields))],
        bases=(Train,),
        frozen=True,
        kw_only=True,
    )
    made.__doc__ = Train.__doc__
    return made


def _memory_fields(memory: str) -> Any:
    """Return a dataclass with the fields of a memory; where it holds specs, their names."""
    kind = MEMORIES.get(memory, NoMemory)  # an unknown one is refused later, with the known ones
    hints, fields = get_type_hints(kind), []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        hint, default = hints[field.name], field.default
        if holds_specs(kind, field.name):
            several = isinstance(default, tuple)
            hint, default = (tuple[str, ...], ("gru", "gru")) if several else (str, "gru")
        fields.append((field.name, hint, default))
    made = dataclasses.make_dataclass(kind.__name__, fields, frozen=True, kw_only=True)
    made.__doc__ = kind.__doc__
    return made


def _named_memory(arguments: list[str]) -> str:
    """Return what --memory names among the arguments, or the default."""
    named = RunConfig().memory
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument == "--memory":
            named = following
        if argument.startswith("--memory="):
            named = argument.removeprefix("--memory=")
    return named  # the last, as tyro has it


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
        actions = "likeliest" if self.deterministic else "sampled"
        print(f"mean return {mean:.4g} +- {deviation:.2g} over {self.episodes} episodes, {actions} actions")
        return 0


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; errors that the user can mend come as one line."""
    given = sys.argv[1:] if arguments is None else arguments
    commands = {"train": train_with(_named_memory(given)), "evaluate": Evaluate, "export": Export, "sequence": Sequence}
    command = tyro.extras.subcommand_cli_from_dict(commands, args=given, prog="recurrent-rl", description=__doc__)
    try:
        sys.exit(command())
    except (
        CheckpointError, ValueError, FileNotFoundError, FloatingPointError, ImportError, DependencyNotInstalled
    ) as error:  # fmt: skip
        print(f"recurrent-rl: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
