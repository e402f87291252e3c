"""Tar files as our shards have them, read block by block without trust: plain files with short names, nothing else.

`tarfile` follows extended headers, links and sparse maps, and reads as much into memory as a header asks for. A shard
that we wrote has none of these, so here they are not followed but told.
"""

import hashlib
import tarfile
from typing import BinaryIO, NamedTuple

BLOCK = 512
_CHUNK = 1 << 20


class ArchiveDamaged(ValueError):
    """A header that is none, or an end that is too early."""


class Member(NamedTuple):
    """A header of the archive."""

    name: str
    size: int
    offset: int
    """Of its data, bytes from the beginning of the archive."""
    plain: bool
    """False for links, devices, folders, and headers that extend others."""


class TarStream:
    """Reads an archive from its first to its last byte, and digests it on the way.

    Args:
        file: The archive, at its beginning.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._digest = hashlib.sha256()
        self._at = 0
        self._end = 0

    def next(self) -> Member | None:
        """The next member; what is left of the one before is passed over. None at the end mark.

        Raises:
            ArchiveDamaged: The rest can't be read.
        """
        self._skip(self._end - self._at)
        at = self._at
        block = self._read(BLOCK)
        if not any(block) and len(block) == BLOCK:
            return None
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise ArchiveDamaged(f"no header at byte {at:,}: {error}") from None
        if header.size < 0:
            raise ArchiveDamaged(f"a negative size at byte {at:,}")
        self._end = self._at + header.size + -header.size % BLOCK
        name = header.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return Member(
            name, header.size, self._at, header.type in tarfile.REGULAR_TYPES and header.type != tarfile.GNUTYPE_SPARSE
        )

    def content(self, member: Member) -> bytes:
        """The data of the member that `next` has just given.

        Raises:
            ArchiveDamaged: The archive ends within it.
        """
        data = self._read(member.size)
        if len(data) < member.size:
            raise ArchiveDamaged(f"it ends within {member.name}")
        return data

    def finish(self) -> tuple[int, str]:
        """Reads what is left. Size of the archive, and its SHA-256."""
        while self._read(_CHUNK):
            pass
        return self._at, self._digest.hexdigest()

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self._at += len(data)
        return data

    def _skip(self, size: int) -> None:
        while size > 0:
            data = self._read(min(size, _CHUNK))
            if not data:
                raise ArchiveDamaged(f"it ends at byte {self._at:,}, within a member")
            size -= len(data)
