"""The command that takes a run's policy elsewhere."""

import dataclasses
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from recurrent_rl.checkpoint import read_archive
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.folder import RunFolder

if TYPE_CHECKING:
    from recurrent_rl.export import Card

Form = Literal["numpy", "onnx", "onnx-int8", "torch", "safetensors", "sb3-contrib"]
SUFFIXES = {"numpy": ".npz", "onnx": ".onnx", "onnx-int8": ".int8.onnx", "torch": ".pt2", "safetensors": ".safetensors"}


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a run's policy, or a checkpoint's, to files that play elsewhere; each is checked against the policy first."""

    source: tyro.conf.Positional[Path]
    """The run's folder, or a checkpoint."""
    to: tuple[Form, ...] = ("numpy",)
    """Which files: numpy needs numpy alone to play; onnx, onnx-int8, safetensors need pip install recurrent-rl[export]."""
    path: Path | None = None
    """Name of the files, without a suffix; by default "policy" in the run's folder, or beside the checkpoint."""
    past: bool = False
    """The policy was trained under PreviousActionReward, and the agent is to add previous action and reward by itself."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        from recurrent_rl import export  # torch.export is for this command alone

        if not self.to:
            raise ValueError("Name a form after --to: numpy, onnx, onnx-int8, torch, safetensors or sb3-contrib.")
        stem = self.path or (self.source / "policy" if self.source.is_dir() else _without(self.source, ".zip"))
        for suffix in SUFFIXES.values():
            stem = _without(stem, suffix)
        card = card_of_run(self.source) if self.source.is_dir() else None
        found = export.exportable(self.source, self.past)
        for form in self.to:
            target = stem.with_name(stem.name + SUFFIXES.get(form, ".sb3.zip"))
            if form == "sb3-contrib":
                export.to_sb3_contrib(self.source, target, card)
            elif form in ("onnx", "onnx-int8"):
                export.to_onnx(found, target, card, int8=form == "onnx-int8")
            else:
                writers = {
                    "numpy": export.to_numpy,
                    "torch": export.to_torch_export,
                    "safetensors": export.to_safetensors,
                }
                writers[form](found, target, card)
            print(f"{target}  {target.stat().st_size:,} bytes")
        return 0


def _without(path: Path, suffix: str) -> Path:
    """Return a path without a suffix, where it has that one."""
    return path.with_name(path.name.removesuffix(suffix))


def card_of_run(path: Path) -> "Card":
    """Return what a run's folder tells of it: environment, command, last evaluation.

    Raises:
        ValueError: There is no run.
    """
    from recurrent_rl.export import Card

    config, folder = RunConfig.read(RunFolder(path).config), RunFolder(path)
    evaluation = folder.path / "evaluation.json"
    found = json.loads(evaluation.read_text()) if evaluation.exists() else {}
    if found and found["steps"] != read_archive(folder.latest)[0]["snapshot"]["counters"]["num_timesteps"]:
        found = {}  # trained on since then: the score is of another policy
    return Card(
        environment=" ".join([config.env, *(f"{name}={value}" for name, value in config.env_kwargs.items())]),
        command=_command(config),
        scores={f"seed {config.seed}, {_actions(found)} actions": found["mean_return"]} if found else {},
        episodes=found.get("episodes"),
    )


def _actions(evaluation: dict[str, Any]) -> str:
    return "likeliest" if evaluation["deterministic"] else "sampled"


def _command(config: RunConfig) -> str:
    """Return the command line of a run: the options that differ from their defaults."""
    default, words = RunConfig(), ["recurrent-rl", "train"]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name == "memory_fields":
            plain = RunConfig(memory=config.memory).memory_fields
            words += [f"--memory.{name}={one}" for name, one in value.items() if one != plain[name]]
        elif field.name == "env_kwargs":
            words += ["--env-kwargs", *(f"{name}={one}" for name, one in value.items())] if value else []
        elif value != getattr(default, field.name):
            name = field.name.replace("_", "-")
            words.append(f"--{name}={value}" if not isinstance(value, bool) else f"--{'' if value else 'no-'}{name}")
    return shlex.join(words)
