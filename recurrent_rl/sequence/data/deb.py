"""Members of a Debian package, with the standard library: an ar archive that holds, among others, data.tar.

    !<arch>\\n
    name(16) time(12) owner(6) group(6) mode(8) size(10) `\\n      then so many bytes, and one more where they are odd

Source: the manual pages deb(5) and ar(5).
"""

import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from recurrent_rl.sequence.data.errors import DataError

_MAGIC, _HEADER = b"!<arch>\n", 60


def from_deb(archive: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """Return those of the members that the package holds, by their paths as installed, without a slash before them.

    Raises:
        DataError: The file is no Debian package, or its data are compressed in a way that this Python cannot read.
    """
    for name, content in _parts(archive.read_bytes()):
        if name.startswith("data.tar"):
            return _from_data(archive, name, content, set(paths))
    raise DataError(f"{archive} holds no data.tar, so it is no Debian package: fetch it again.")


def _from_data(archive: Path, name: str, content: bytes, wanted: set[str]) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as file:
            for member in file:
                path = member.name.removeprefix("./")
                if path in wanted and (reader := file.extractfile(member)) is not None:
                    found[path] = reader.read()
    except tarfile.ReadError as error:
        raise DataError(f"{archive}: Python cannot read its {name}; for .zst take Python 3.14 or later.") from error
    return found


def _parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of an ar archive; nothing of what is none."""
    place = len(_MAGIC) if content.startswith(_MAGIC) else len(content)
    while place + _HEADER <= len(content):
        header = content[place : place + _HEADER]
        begin, size = place + _HEADER, int(header[48:58])
        yield header[:16].decode().rstrip().removesuffix("/"), content[begin : begin + size]
        place = begin + size + size % 2
