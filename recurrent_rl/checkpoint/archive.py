"""A checkpoint is a zip: `data.json`, and one `<name>.pt` per state_dict, read with weights_only.

Writing is atomic: the file appears under its name complete or not at all.
"""

import contextlib
import io
import json
import os
import pickle
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import torch

from recurrent_rl.checkpoint.codec import decode, encode

FORMAT = "recurrent_rl checkpoint 1"
StateDicts = dict[str, dict[str, Any]]
CheckpointFile = str | os.PathLike[str] | IO[bytes]


class CheckpointError(ValueError):
    """The file is damaged, is not ours, or does not fit; the message says what to do."""


def with_suffix(path: CheckpointFile) -> CheckpointFile:
    """Return the path with ".zip" where it has no suffix, as Stable-Baselines3 does; open files pass through."""
    if isinstance(path, str | os.PathLike):
        return Path(path) if Path(path).suffix else Path(f"{os.fspath(path)}.zip")
    return path


def write_archive(path: CheckpointFile, data: dict[str, Any], state_dicts: StateDicts) -> None:
    """Write `data` (see codec) and state_dicts, to a file atomically or to an open file.

    Args:
        path: Where; parent folders are made.
        data: Anything that the codec takes.
        state_dicts: By name, as torch.nn.Module and torch.optim.Optimizer return them.
    """
    path = with_suffix(path)
    if not isinstance(path, Path):
        _write(path, data, state_dicts)  # type: ignore[arg-type]
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            _write(file, data, state_dicts)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read_archive(
    path: CheckpointFile, device: torch.device | str = "cpu", trust: bool = False
) -> tuple[dict[str, Any], StateDicts]:
    """Return the data and state_dicts that `write_archive` wrote.

    Args:
        path: A file's path (".zip" may be left out) or an open file.
        device: Where tensors go.
        trust: See `codec.decode`. Tensors are read with weights_only in any case.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file is damaged or not a checkpoint of this library.
    """
    path = _existing(path)
    name = str(path) if isinstance(path, Path) else "the open file"
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, name, device, trust)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{name} is damaged or not a checkpoint ({error}); load an earlier checkpoint."
        ) from error
    except (
        pickle.UnpicklingError, RuntimeError, ValueError, TypeError, AttributeError, ImportError, OSError, OverflowError,
        MemoryError,
    ) as error:  # fmt: skip
        raise CheckpointError(f"{name} cannot be read ({error}); load an earlier checkpoint.") from error


def _existing(path: CheckpointFile) -> CheckpointFile:
    if not isinstance(path, str | os.PathLike):
        return path
    for candidate in (Path(path), with_suffix(path)):
        if isinstance(candidate, Path) and candidate.is_file():
            return candidate
    raise FileNotFoundError(f"There is no checkpoint at {os.fspath(path)} (with or without .zip).")


def _write(file: IO[bytes], data: dict[str, Any], state_dicts: StateDicts) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        header = {"format": FORMAT, "torch": torch.__version__, "state_dicts": sorted(state_dicts)}
        archive.writestr("data.json", json.dumps({**header, "data": encode(data)}))
        for name, state_dict in state_dicts.items():
            buffer = io.BytesIO()
            torch.save(state_dict, buffer)
            archive.writestr(f"{name}.pt", buffer.getvalue())


def _read(
    archive: zipfile.ZipFile, name: str, device: torch.device | str, trust: bool
) -> tuple[dict[str, Any], StateDicts]:
    entries = archive.namelist()
    if "data.json" not in entries:
        kind = "Stable-Baselines3 or sb3-contrib" if "_stable_baselines3_version" in entries else "some other program"
        raise CheckpointError(
            f"{name} was written by {kind}, not by recurrent_rl. A RecurrentPPO of sb3-contrib is read, without unpickling, "
            "by recurrent_rl.export.from_sb3_contrib(path); of other files pass the weights with set_parameters(dict)."
        )
    document = json.loads(archive.read("data.json"))
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        told = document.get("format") if isinstance(document, dict) else None
        newer = isinstance(told, str) and told.startswith(FORMAT.rstrip("1"))
        advice = "take a newer version of recurrent_rl" if newer else "save it again with this version"
        raise CheckpointError(f"{name} is a checkpoint of the form {told!r}, not {FORMAT!r}; {advice}.")
    state_dicts = {
        entry: torch.load(io.BytesIO(archive.read(f"{entry}.pt")), map_location=device, weights_only=True)
        for entry in document["state_dicts"]
    }
    return decode(document["data"], trust), state_dicts


def umask() -> int:
    """Return the process's mask of permissions."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
