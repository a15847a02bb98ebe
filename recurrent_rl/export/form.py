"""Kinds of exported files: how each is written, and that nothing is left under its name before it was played."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recurrent_rl.checkpoint.archive import umask
from recurrent_rl.export.card import Card, write_card
from recurrent_rl.export.exportable import Exportable, Source, exportable
from recurrent_rl.export.numpy_agent import Agent
from recurrent_rl.export.parity import around_of, check_step, compare


@dataclass(frozen=True)
class Form:
    """A kind of exported file.

    Args:
        suffix: Of its files.
        write: Writes a policy to a path.
        load: Returns the agent of a file.
        exact: Whether it is to play as the policy does; otherwise it is played, but not compared.
    """

    suffix: str
    write: Callable[[Exportable, Path], None]
    load: Callable[[Path], Agent]
    exact: bool = True


def write_checked(source: Source | Exportable, path: str | Path, form: Form, card: Card | None) -> Path:
    """Write a file, play it beside the policy, put it under its name only where both agree, and write its card.

    Args:
        source: The policy.
        path: The file; the form's suffix is added where it has another. Parent folders are made.
        form: How it is written and read.
        card: See `write_card`.

    Raises:
        ParityError: They disagree; no file is left.
    """
    found = source if isinstance(source, Exportable) else exportable(source)
    check_step(found)
    with drafted(path, form.suffix) as (draft, target):
        form.write(found, draft)
        compare(found.agent(), form.load(draft), around_of(found.step), form.exact)
    write_card(target, {**found.header, "exact": form.exact}, card)
    return target


@contextmanager
def drafted(path: str | Path, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Give a draft to be written and the path that it gets when all went well; otherwise it is removed."""
    target = Path(path) if Path(path).suffix == suffix else Path(f"{path}{suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".draft-") as folder:
        draft = Path(folder) / target.name
        yield draft, target
        draft.chmod(0o666 & ~umask())
        draft.replace(target)
