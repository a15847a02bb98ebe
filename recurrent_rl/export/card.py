"""A model card beside an export: what it is, where it is from, how it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a file cannot know of itself.

    Args:
        environment: Id, with arguments and wrappers; None for the id that the model's environment was made by.
        command: That trained it.
        scores: Mean return by seed of the training, or by another name.
        episodes: How many each score is the mean of; None where that is not known.
    """

    environment: str | None = None
    command: str = "not told"
    scores: Mapping[str, float] = field(default_factory=dict)
    episodes: int | None = None


def write_card(path: Path, header: dict[str, Any], card: Card | None) -> Path:
    """Write the card of an exported file beside it, as <file>.md, and return its path."""
    card = card or Card()
    found = path.with_name(f"{path.name}.md")
    found.write_text(_text(path, header, card), encoding="utf-8")
    return found


def _text(path: Path, header: dict[str, Any], card: Card) -> str:
    scores = [f"| {name} | {score:.4g} |" for name, score in card.scores.items()]
    mean_of = f" (mean of {card.episodes} episodes)" if card.episodes else ""
    table = (
        ["", f"| trained with | return{mean_of} |", "| --- | --- |", *scores] if scores else ["", "No score was given."]
    )
    versions = ", ".join(f"{name} {version}" for name, version in header["versions"].items())
    return "\n".join(
        [
            f"# {path.name}",
            "",
            f"* environment: {card.environment or header['environment'] or 'not told'}",
            f"* memory: `{header['memory']}`",
            f"* observations: {_space(header['observation_space'])}",
            f"* actions: {_space(header['action_space'])}",
            f"* trained by: `{card.command}`",
            f"* versions: {versions}",
            f"* file: {path.stat().st_size:,} bytes" + ("" if header["exact"] else ", weights rounded to 8 bits"),
            *table,
            "",
            "```python",
            *_usage(path, header["past"] is not None),
            "```",
            "",
        ]
    )


def _usage(path: Path, past: bool) -> list[str]:
    if path.suffix == ".zip":
        return ["from sb3_contrib import RecurrentPPO", "", f'model = RecurrentPPO.load("{path.name}")']
    trust = ", trust=True" if path.suffix == ".pt2" else ""
    return [
        "from recurrent_rl.export import load_agent",
        "",
        f'agent = load_agent("{path.name}"{trust})',
        "agent.reset()  # at the start of each episode",
        f"action = agent.act(observation{', reward=reward' if past else ''})  # one observation, or B stacked",
    ]


def _space(space: dict[str, Any]) -> str:
    if space["kind"] == "Dict":
        return "Dict of " + ", ".join(f"{name} ({_space(part)})" for name, part in space["parts"].items())
    if space["kind"] == "Discrete":
        return f"Discrete({space['n']})"
    if space["kind"] == "MultiDiscrete":
        return f"MultiDiscrete({space['nvec']})"
    return f"{space['kind']} {tuple(space['shape'])} {space['dtype']}"
