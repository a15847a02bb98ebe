"""How a run is carried out: one frozen dataclass, kept beside config.json in options.json."""

import dataclasses
from pathlib import Path
from typing import Literal

from recurrent_rl.runs.fields import check_range, check_types, read_json, to_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is carried out; none of it changes what is learned.

    Raises:
        ValueError: A value is of the wrong type or out of range; the message names the field.
    """

    checkpoint_every: int = 50_000
    """Environment steps between checkpoints."""
    eval_every: int = 0
    """Environment steps between evaluations; 0 for none."""
    eval_episodes: int = 10
    """Episodes of an evaluation."""
    track: Literal["none", "wandb"] = "none"
    """Where to log beside metrics.csv and TensorBoard; WANDB_MODE=offline works."""
    project: str = "recurrent_rl"
    """Weights & Biases project."""
    progress_bar: bool = True
    """A progress bar, on a terminal."""

    def __post_init__(self) -> None:
        check_types(self)
        check_range(self, ("checkpoint_every", "eval_episodes"), low=1)
        check_range(self, ("eval_every",), low=0)

    def over(self, stored: "Options") -> "Options":
        """Return these options, with the stored value of each field that has its default here.

        A default that was typed cannot be told from one that was not; to go back to it, edit options.json.
        """
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        changed = {name: value for name, value in given.items() if value != defaults[name]}
        return dataclasses.replace(stored, **changed)

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        part = path.with_suffix(".part.json")
        part.write_text(to_json(self), encoding="utf-8")
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Options":
        """Read what `write` wrote; defaults where there is no such file.

        Raises:
            ValueError: The file is not what `write` wrote; the message names file and field.
        """
        return read_json(cls, path) if path.is_file() else cls()
