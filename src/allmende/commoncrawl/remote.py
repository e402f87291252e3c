"""What all files elsewhere have in common: a place in them, a version, and patience.

Nothing but `SourceError` and its kin leaves the streams of this package (and `MissingExtra`, for a
protocol whose package isn't installed).
"""

import io
from abc import abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from urllib3 import BaseHTTPResponse

from allmende.commoncrawl.patience import Patience
from allmende.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CALM_BYTES = 1 << 20
"""After so many bytes without trouble the retries start anew: a long file may break more often than a short one."""


class SourceChanged(SourceError):
    """The file isn't the one whose first part was read."""


class Version(msgspec.Struct, frozen=True):
    """What a server says about which version of a file it sends."""

    etag: str = ""
    modified: str = ""
    size: int | None = None
    """Bytes of the whole file, if known."""

    @property
    def condition(self) -> str:
        """Value for If-Range: a strong ETag, else the date (RFC 9110 §13.1.5 allows no weak one); or empty."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def same(self, other: "Version") -> bool:
        """Whether both may be one version: by ETag if both have one, else nothing that both say differs."""
        if self.etag and other.etag:
            return self.etag == other.etag
        if self.modified and other.modified and self.modified != other.modified:
            return False
        return self.size is None or other.size is None or self.size == other.size


class RemoteFile(io.RawIOBase):
    """A readable, seekable stream over bytes `start` to `stop` of a file elsewhere.

    Subclasses say in `_read` how bytes are got, and call `_trouble` when they were not.
    """

    def __init__(
        self,
        location: str,
        patience: Patience,
        *,
        start: int = 0,
        stop: int | None = None,
        version: Version | None = None,
    ) -> None:
        """Prepares; subclasses then open.

        Args:
            location: URL.
            patience: The retries allowed.
            start: Where to begin, bytes.
            stop: Where to end (exclusive); None reads to the end.
            version: The version that the bytes before `start` belong to; another one raises `SourceChanged`.
        """
        super().__init__()
        self.location = location
        self.version = version
        self._offset = start
        self._stop = stop
        self._patience = self._allowed = patience
        self._calm = 0

    @property
    def size(self) -> int | None:
        """Bytes of the whole file, if the server said."""
        return self.version.size if self.version else None

    @abstractmethod
    def _read(self, wanted: int) -> bytes:
        """Returns 1 to `wanted` bytes from `_offset` on; none at the end of the file."""

    def _trouble(self, *, response: BaseHTTPResponse | None = None, error: Exception | None = None) -> None:
        self._calm = 0
        self._patience = self._patience.after(shown(self.location), response=response, error=error)

    def _meet(self, version: Version) -> None:
        """Compares what the server says now with what it said before."""
        if self.version is not None and not self.version.same(version):
            raise SourceChanged(
                f"{shown(self.location)}: the file changed while it was read (at byte {self._offset}). "
                "Run the same command again to read the new one."
            )
        if self.version is None or version.size is not None:
            self.version = version

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fills (part of) the buffer; 0 at the end."""
        view = memoryview(buffer).cast("B")
        wanted = len(view) if self._stop is None else min(len(view), self._stop - self._offset)
        if wanted <= 0:
            return 0
        data = self._read(wanted)
        view[: len(data)] = data
        self._offset += len(data)
        self._calm += len(data)
        if self._calm >= CALM_BYTES:
            self._patience = self._allowed
        return len(data)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always; a jump costs a request."""
        return True

    def tell(self) -> int:
        """Offset in the whole file, bytes."""
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to another offset of the whole file."""
        if whence == io.SEEK_CUR:
            offset += self._offset
        elif whence == io.SEEK_END:
            if self.size is None:
                raise io.UnsupportedOperation("the server didn't say how long the file is")
            offset += self.size
        if offset != self._offset:
            self._offset = offset
            self._moved()
        return offset

    @abstractmethod
    def _moved(self) -> None:
        """Forgets what was under way; `_offset` is elsewhere now."""


def shown(location: str) -> str:
    """The location for messages and logs: without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(location if "://" in location else "")
    except ValueError:
        parts = urlsplit("")
    if not parts.netloc:
        return location.partition("?")[0]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
