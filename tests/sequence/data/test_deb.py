"""Members come out of Debian packages, which are written here as dpkg writes them."""

import gzip
import io
import lzma
import tarfile

import pytest

from recurrent_rl.sequence.data.deb import from_deb
from recurrent_rl.sequence.data.errors import DataError

MEMBERS = {"usr/share/a.txt": b"first", "usr/share/b.txt": b"second, and of an odd length."}


def tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, content in members.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def ar(parts):
    content = b"!<arch>\n"
    for name, part in parts.items():
        header = f"{name:16}{'0':12}{'0':6}{'0':6}{'100644':8}{len(part):<10}`\n"
        content += header.encode() + part + b"\n" * (len(part) % 2)
    return content


def package(path, name, content):
    path.write_bytes(ar({"debian-binary": b"2.0\n", "control.tar.xz": b"odd", name: content}))
    return path


@pytest.mark.parametrize(("ending", "squeeze"), [(".xz", lzma.compress), (".gz", gzip.compress), ("", bytes)])
def test_members_are_read_whatever_they_are_compressed_with(tmp_path, ending, squeeze):
    path = package(tmp_path / "a.deb", f"data.tar{ending}", squeeze(tar(MEMBERS)))
    assert from_deb(path, list(MEMBERS)) == MEMBERS
    assert from_deb(path, ["usr/share/b.txt", "usr/share/c.txt"]) == {"usr/share/b.txt": MEMBERS["usr/share/b.txt"]}


def test_names_may_end_with_a_slash_as_those_of_other_writers_do(tmp_path):
    path = package(tmp_path / "a.deb", "data.tar.gz/", gzip.compress(tar(MEMBERS)))
    assert from_deb(path, list(MEMBERS)) == MEMBERS


def test_what_cannot_be_decompressed_is_said_with_the_cure(tmp_path):
    path = package(tmp_path / "a.deb", "data.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(600))
    with pytest.raises(DataError, match=r"cannot read its data\.tar\.zst.*Python 3\.14"):
        from_deb(path, ["usr/share/a.txt"])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", ar({"debian-binary": b"2.0\n"})])
def test_what_is_no_package_is_refused(tmp_path, content):
    (tmp_path / "a.deb").write_bytes(content)
    with pytest.raises(DataError, match=r"holds no data\.tar"):
        from_deb(tmp_path / "a.deb", ["a"])
