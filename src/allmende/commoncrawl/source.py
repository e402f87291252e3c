"""Where archives lie, and how to open them: over https, in S3 and other stores, in a mirror, in a file.

A *source* is `https` or `s3` (Common Crawl's own), a base URL, or the folder of a local mirror; `locate` makes
a path of a path list into a location under it. A *location* is a path or a URL; `open_archive` streams it,
`read_range` takes a piece of it. Both repeat what may pass, with `patience.Patience`, and take up what broke.
"""

import gzip
import io
import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from allmende.commoncrawl.cache import download, place_in
from allmende.commoncrawl.http_file import USER_AGENT, HttpFile
from allmende.commoncrawl.patience import Patience
from allmende.commoncrawl.remote import RemoteFile, Version, shown
from allmende.commoncrawl.store_file import StoreFile, filesystem, patiently, read_piece
from allmende.errors import SourceError, SourceMissing, SourceRefused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BASES = {"https": "https://data.commoncrawl.org", "s3": "s3://commoncrawl"}
"""Base URLs of Common Crawl's own sources."""

BUFFER_BYTES = 1 << 20

Wait = Callable[[float], object]


class Archive(io.BufferedReader):
    """The raw (compressed) bytes of a file, front to back or by `seek`; 1 MiB in memory, more in stores."""

    def __init__(self, raw: io.RawIOBase, location: str, size: int | None) -> None:
        """Wraps an open stream."""
        super().__init__(raw, BUFFER_BYTES)
        self.location = location
        self.size = size
        """Bytes of the whole file, if known."""


def locate(path: str, source: str = "https") -> str:
    """Location of a file named in a path list.

    Args:
        path: Such as `crawl-data/CC-MAIN-2026-43/…/….wat.gz`.
        source: `https`, `s3`, a base URL, or the folder of a local mirror.
    """
    base = BASES.get(source, source)
    if is_remote(base):
        return f"{base.rstrip('/')}/{path}"
    return os.fspath(local_path(base) / path)


def is_remote(location: str) -> bool:
    """Whether a location is a URL of something else than a local file."""
    return "://" in location and not location.startswith("file://")


def local_path(location: str) -> Path:
    """The path of a local location: a path, with `~` for home, or a file: URL."""
    if location.startswith("file://"):
        return Path(unquote(urlsplit(location).path))
    return Path(location).expanduser()


def expand(patterns: Sequence[str], *, retries: int = 8, sleep: Wait = time.sleep) -> list[str]:
    """The files that paths, globs and URLs name, sorted, each once.

    Globs (`*`, `?`, `[…]`, `**`) work on local paths and in stores (s3:// and the like). A URL without a glob is
    taken as it is; whether it exists is seen when it is opened.

    Raises:
        SourceMissing: if a path doesn't exist or a glob matches nothing.
        SourceError: for a glob on a web server, which can't be asked for a list; or a folder.
    """
    found: set[str] = set()
    for pattern in patterns:
        found.update(_matches(pattern, Patience.of(retries, sleep)))
    return sorted(found)


def _matches(pattern: str, patience: Patience) -> list[str]:
    if not is_remote(pattern):
        return _local_matches(pattern)
    protocol, _, rest = pattern.partition("://")
    if protocol in {"http", "https"}:
        if "*" in rest.partition("?")[0]:
            raise SourceError(f"{pattern}: web servers can't be asked which files match; name each file.")
        return [pattern]
    if not has_magic(pattern):
        return [pattern]
    store, path = filesystem(pattern)
    found, _ = patiently(lambda: store.glob(path, detail=True), pattern, patience)
    files = [store.unstrip_protocol(name) for name, facts in found.items() if facts["type"] == "file"]
    if not files:
        raise SourceMissing(f"{pattern}: no file matches.")
    return files


def _local_matches(pattern: str) -> list[str]:
    path = local_path(pattern)
    if path.is_file():  # also one with brackets in its name
        return [os.fspath(path)]
    if path.is_dir():
        raise SourceError(f"{pattern}: is a folder. To take the files in it: {os.fspath(path / '**' / '*.gz')}")
    if not has_magic(pattern):
        raise SourceMissing(f"{pattern}: no such file.")
    names = glob(os.fspath(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [name for name in names if Path(name).is_file()]
    if not files:
        raise SourceMissing(f"{pattern}: no file matches.")
    return files


@contextmanager
def open_archive(
    location: str, *, retries: int = 8, cache: str = "", agent: str = USER_AGENT, sleep: Wait = time.sleep
) -> Iterator[Archive]:
    """Opens a local or remote file as a stream of its raw bytes.

    A download that breaks goes on at the offset reached. Servers that ignore Range are read again up to there;
    a file that changed meanwhile is an error.

    Args:
        location: A path, or a URL (http, https, s3, or another that fsspec knows).
        retries: How often each kind of failure is repeated; see `patience`.
        cache: Folder in which remote files are kept whole, and looked for first; empty streams without keeping.
        agent: The User-Agent header, from `allmende.fetch.agent.user_agent`: for servers on the web.
        sleep: Waits for so many seconds between two tries.

    Raises:
        SourceMissing: if the file doesn't exist (or is refused: `SourceRefused`).
        SourceError: if it can't be had; also from `read`, later.
        MissingExtra: if the protocol needs a package that isn't installed.
    """
    patience = Patience.of(retries, sleep)
    if cache and is_remote(location):
        target = place_in(cache, location)
        remote = partial(_remote, location, patience, agent)
        download(location, target, lambda start, version: remote(start=start, version=version))
        raw: io.RawIOBase = LocalFile(target)
    else:
        raw = _open_raw(location, patience, agent)
    size = raw.size if isinstance(raw, RemoteFile | LocalFile) else None
    with Archive(raw, location, size) as archive:
        yield archive


def read_range(
    location: str,
    offset: int,
    length: int,
    *,
    retries: int = 8,
    cache: str = "",
    agent: str = USER_AGENT,
    sleep: Wait = time.sleep,
) -> bytes:
    """Bytes `offset` to `offset + length` of a local or remote file: one record of an archive.

    Takes them from the cache if it holds the file, but never downloads a whole file for them.

    Raises:
        SourceError: if the file ends earlier; else as `open_archive`.
        ValueError: if offset or length is negative.
    """
    if offset < 0 or length < 0:
        raise ValueError(f"no such range: {length} bytes from {offset} on")
    cached = place_in(cache, location) if cache and is_remote(location) else None
    if cached is not None and cached.is_file():
        location = os.fspath(cached)
    patience = Patience.of(retries, sleep)
    if is_remote(location) and not _on_the_web(location):
        data = read_piece(location, offset, offset + length, patience)
    else:
        with _open_raw(location, patience, agent, start=offset, stop=offset + length) as raw:
            data = _read_exactly(raw, length)
    if len(data) < length:
        raise SourceError(
            f"{shown(location)}: ends {length - len(data)} bytes before the end of the range "
            f"({length} bytes from {offset} on). Is it the file that the index means?"
        )
    return data


def _read_exactly(raw: io.RawIOBase, length: int) -> bytes:
    data, filled = bytearray(length), 0
    with memoryview(data) as view:
        while filled < length and (count := raw.readinto(view[filled:])):
            filled += count
    return bytes(data[:filled])


def read_small(
    location: str, *, retries: int, cache: str, sleep: Wait, agent: str = USER_AGENT, limit: int = 256 << 20
) -> bytes:
    """The content of a small file, such as a path list, decompressed if it is gzip.

    Raises:
        SourceError: if it is more than `limit` bytes, or damaged; else as `open_archive`.
    """
    with open_archive(location, retries=retries, cache=cache, agent=agent, sleep=sleep) as archive:
        data = archive.read(limit + 1)
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(limit + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(f"{shown(location)}: damaged ({error}).") from error
    if len(data) > limit:
        raise SourceError(f"{shown(location)}: larger than {limit} bytes; this is no path list.")
    return data


def _open_raw(
    location: str, patience: Patience, agent: str, *, start: int = 0, stop: int | None = None
) -> io.RawIOBase:
    if is_remote(location):
        return _remote(location, patience, agent, start=start, stop=stop)
    file = LocalFile(local_path(location))
    file.seek(start)
    return file


def _remote(
    location: str,
    patience: Patience,
    agent: str,
    *,
    start: int = 0,
    stop: int | None = None,
    version: Version | None = None,
) -> RemoteFile:
    if _on_the_web(location):
        return HttpFile(location, patience, start=start, stop=stop, version=version, agent=agent)
    return StoreFile(location, patience, start=start, stop=stop, version=version)


def _on_the_web(location: str) -> bool:
    return location[:8].lower().startswith(("http://", "https://"))


class LocalFile(io.RawIOBase):
    """A local file whose errors are ours."""

    def __init__(self, path: Path) -> None:
        """Opens it.

        Raises:
            SourceMissing: if it isn't there; `SourceRefused` if it may not be read.
            SourceError: if it is a folder, or the disk fails.
        """
        super().__init__()
        self.name = os.fspath(path)
        self._file: io.FileIO | None = None
        try:
            self._file = io.FileIO(path)
            self.size = os.fstat(self._file.fileno()).st_size
        except FileNotFoundError as error:
            raise SourceMissing(f"{path}: no such file.") from error
        except PermissionError as error:
            raise SourceRefused(f"{path}: may not be read; see its rights.") from error
        except (OSError, ValueError) as error:
            raise SourceError(f"{path}: can't be read ({error}).") from error

    def close(self) -> None:
        """Closes it."""
        if self._file is not None:
            self._file.close()
        super().close()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fills (part of) the buffer; 0 at the end."""
        assert self._file is not None
        try:
            return self._file.readinto(buffer) or 0
        except OSError as error:
            raise SourceError(f"{self.name}: can't be read any further ({error.strerror}).") from error

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """As the file is."""
        return self._file is not None and self._file.seekable()

    def tell(self) -> int:
        """Offset, bytes."""
        assert self._file is not None
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to another offset."""
        assert self._file is not None
        return self._file.seek(offset, whence)
