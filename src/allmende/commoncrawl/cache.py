"""A folder that keeps downloaded archives, and is itself a local mirror.

A file is downloaded to `<name>.part`, with what the server said about its version in `<name>.part.json`;
a download that broke, or whose process died, goes on where it stopped. When it is whole, and as long as
the server promised, it gets its name. A file with its name is whole, and is never asked for again: archives
do not change.

Processes that want the same file wait for one another (`flock`). On file systems without locks (some
cluster mounts) both download; that costs traffic, but no harm: each writes the same bytes to the same places.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from allmende.commoncrawl.remote import RemoteFile, SourceChanged, Version, shown
from allmende.errors import SourceError

OFFICIAL_PLACES = frozenset({("https", "data.commoncrawl.org"), ("s3", "commoncrawl"), ("s3a", "commoncrawl")})
"""Where a path names the same file everywhere; other places get a folder of their own in the cache."""

_PIECE_BYTES = 1 << 20
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})

Opener = Callable[[int, Version | None], RemoteFile]
"""Opens the remote file at an offset, given the version that the bytes before belong to."""


def place_in(cache: str, location: str) -> Path:
    """Where the cache keeps a file: `<cache>/<path>` for Common Crawl's own, else `<cache>/<host or bucket>/<path>`.

    Raises:
        SourceError: if the URL has no file name, or `..` in its path.
    """
    parts = urlsplit(location)
    host = parts.netloc.rpartition("@")[2]
    names = [name for name in parts.path.split("/") if name]
    if not names or not host or parts.path.endswith("/") or {".", ".."} & {host, *names}:
        raise SourceError(f"{shown(location)}: can't be kept in a cache, as its path names no file.")
    if parts.query:  # two queries may be two files
        names[-1] += "." + hashlib.blake2b(parts.query.encode(), digest_size=8).hexdigest()
    official = (parts.scheme, host) in OFFICIAL_PLACES
    return Path(cache).expanduser().joinpath(*([] if official else [host]), *names)


def download(location: str, target: Path, opener: Opener) -> None:
    """Downloads a file to `target`, unless it is there; takes up what an earlier try left.

    Raises:
        SourceError: if it can't be had, or the cache can't be written.
    """
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with _locked_part(target) as part:
        if part is None:
            return
        try:
            _fill(part, target, opener)
        except SourceChanged:
            with _writing(target):
                os.ftruncate(part, 0)
            _fill(part, target, opener)


def _fill(part: int, target: Path, opener: Opener) -> None:
    notes = target.with_name(f"{target.name}.part.json")
    with _writing(target):
        offset = os.fstat(part).st_size
    version = _noted(notes) if offset else None
    if version is None and offset:
        with _writing(target):
            os.ftruncate(part, 0)
        offset = 0
    with opener(offset, version) as remote:
        with _writing(target):
            _note(notes, remote.version)
            os.lseek(part, offset, os.SEEK_SET)
        while piece := remote.read(_PIECE_BYTES):
            with _writing(target):
                _write_all(part, piece)
            offset += len(piece)
        size = remote.size
    if size is not None and size != offset:
        raise SourceError(f"{shown(remote.location)}: {offset} bytes came instead of {size}. Run the command again.")
    with _writing(target):
        os.fsync(part)
        with contextlib.suppress(FileNotFoundError):  # where locks don't work, another process may have been first
            _part_of(target).replace(target)
        notes.unlink(missing_ok=True)


def _note(notes: Path, version: Version | None) -> None:
    fresh = notes.with_name(f"{notes.name}.{os.getpid()}")
    fresh.write_bytes(msgspec.json.encode(version))
    fresh.replace(notes)


def _write_all(part: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(part, view) :]


def _noted(notes: Path) -> Version | None:
    """The version that an unfinished download belongs to, if that can be told from another."""
    try:
        version = msgspec.json.decode(notes.read_bytes(), type=Version)
    except (OSError, msgspec.MsgspecError):
        return None
    return version if version.etag or version.modified else None


def _part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


@contextmanager
def _locked_part(target: Path) -> Iterator[int | None]:
    """The open .part file, locked; None if the whole file is there."""
    while True:
        with _writing(target):
            if target.exists():
                break
            part = os.open(_part_of(target), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with _writing(target):
                _lock(part)
                ours = _is_still(part, _part_of(target))
                if ours and target.exists():  # finished by another just before we made a new .part
                    _part_of(target).unlink(missing_ok=True)
                    break
            if ours:
                yield part
                return
        finally:
            os.close(part)
    yield None


def _lock(part: int) -> None:
    try:
        fcntl.flock(part, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _is_still(part: int, path: Path) -> bool:
    """Whether the file we waited for has kept its name: its former owner may have finished it meanwhile."""
    try:
        return os.path.samestat(os.fstat(part), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{target}: the cache can't be written ({error.strerror or error}). "
            "Free space, fix its rights, or choose another folder as `select.cache`; downloads go on where they stopped."
        ) from error
