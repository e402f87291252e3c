"""The files of a dataset, on disk or in an object store: all paths go through fsspec.

What is written is there whole or not at all; on a local disk files are synced before they are renamed. Errors of the
operating system, of object stores and of Arrow become `LakeError`s that say what to do.
"""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import fsspec
import msgspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from allmende.errors import AllmendeError, LakeError

T = TypeVar("T")


@contextmanager
def explained(doing: str, where: str) -> Iterator[None]:
    """Turns the operating system's and the object store's errors into `LakeError`s that say what to do."""
    try:
        yield
    except AllmendeError:
        raise
    except FileNotFoundError as error:
        raise LakeError(f"{doing} {where}: not found. Is the path right?") from error
    except PermissionError as error:
        raise LakeError(
            f"{doing} {where}: no permission ({error}). Choose another output, or fix its rights."
        ) from error
    except OSError as error:
        raise LakeError(f"{doing} {where}: {_cause(error)}") from error
    except store_errors() as error:
        raise LakeError(f"{doing} {where}: {error}. Check the bucket, the network and your credentials.") from error


def store_errors() -> tuple[type[Exception], ...]:
    """What the library of an object store raises that is no `OSError`; nothing if none is loaded."""
    library = sys.modules.get("botocore.exceptions")
    return (library.BotoCoreError,) if library else ()


def _cause(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full. Free some room and run the same command again: finished parts are safe."
    if error.errno == errno.EROFS:
        return "the file system is read-only. Choose another output."
    return f"{error}. Run the same command again to continue from the last finished part."


class Storage:
    """A folder. Cheap to make; touches nothing until asked.

    Args:
        root: A path, or an fsspec URL such as `s3://bucket/name`.
    """

    def __init__(self, root: str | os.PathLike[str]):
        self.root = os.fspath(root).rstrip("/") or "/"
        try:
            self.fs, path = fsspec.core.url_to_fs(self.root)
        except ImportError as error:
            raise LakeError(f"{self.root}: {error}. For S3: pip install 'allmende[s3]'.") from error
        except ValueError as error:
            raise LakeError(f"{self.root}: {error}") from error
        self.path = str(path)
        self.local = Path(self.path) if isinstance(self.fs, LocalFileSystem) else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root!r})"

    def at(self, name: str) -> str:
        """Full path of a name in this folder, for `fs`."""
        return f"{self.path}/{name}"

    def url(self, name: str) -> str:
        """Full URL of a name in this folder, for other tools."""
        return f"{self.root}/{name}"

    def exists(self, name: str) -> bool:
        """True if there is such a file or folder."""
        with explained("Looking for", self.url(name)):
            return bool(self.fs.exists(self.at(name)))

    def read(self, name: str) -> bytes:
        """Content of a small file."""
        with explained("Reading", self.url(name)):
            return bytes(self.fs.cat_file(self.at(name)))

    def decode(self, name: str, kind: type[T], advice: str = "Put it back from a copy of the dataset.") -> T:
        """What a small file of JSON says.

        Raises:
            LakeError: if it is damaged, with advice what to do.
        """
        try:
            return msgspec.json.decode(self.read(name), type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LakeError(f"{self.url(name)} is damaged ({error}). {advice}") from error

    def write(self, name: str, content: bytes) -> None:
        """Writes a small file whole or not at all."""
        with explained("Writing", self.url(name)):
            if self.local is None:
                self.fs.pipe_file(self.at(name), content)
                return
            target = self.local / name
            target.parent.mkdir(parents=True, exist_ok=True)
            aside = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                with aside.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(target)
            finally:
                aside.unlink(missing_ok=True)

    def sweep(self, folder: str) -> None:
        """Removes files that dead processes began to write in a folder (not in those in it). Only under the dataset's lock."""
        if self.local is not None:
            for aside in (self.local / folder).glob(".*.*"):
                if aside.suffix[1:].isdecimal() and aside.is_file():
                    aside.unlink(missing_ok=True)

    def append(self, name: str, line: bytes) -> None:
        """Appends a line to a log. Object stores can't append: there the log is read and written anew."""
        with explained("Writing", self.url(name)):
            if self.local is None:
                before = self.fs.cat_file(self.at(name)) if self.fs.exists(self.at(name)) else b""
                self.fs.pipe_file(self.at(name), before + line + b"\n")
                return
            with (self.local / name).open("ab") as file:
                file.write(line + b"\n")

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Opens a file for reading, with seeks.

        Raises:
            LakeError: if it is not there, or if Arrow, while it is open, finds that it is damaged.
        """
        with explained("Reading", self.url(name)), self.undamaged(name):
            opened = cast(BinaryIO, self.fs.open(self.at(name)))
        with opened as file, self.undamaged(name):
            yield file

    @contextmanager
    def undamaged(self, name: str) -> Iterator[None]:
        """Turns what Arrow says of a damaged table, or of one that is not there, into a `LakeError` that names it."""
        try:
            yield
        except AllmendeError:
            raise
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno not in {None, errno.ENOENT}:
                raise  # Arrow's have no number: this is about another file, perhaps one that is written meanwhile
            missing = isinstance(error, FileNotFoundError)
            what = "it is not there" if missing else str(error).partition("\n")[0].rstrip(".") or type(error).__name__
            raise self.damaged(name, what) from error

    def damaged(self, name: str, what: str) -> LakeError:
        """What to raise where a file is not as it was written."""
        return LakeError(
            f"{self.url(name)} can't be read: {what}. What else is wrong: allmende verify {self.root}; a part whose "
            "manifest (part-*.json) you delete is made anew by the next build."
        )

    def read_ranges(self, names: list[str], begins: list[int], ends: list[int]) -> list[bytes]:
        """Bytes begin <= i < end of each name. An object store is asked for all at once.

        Raises:
            LakeError: if a file is not there, or too short.
        """
        with explained("Reading", self.root):
            found = self._ranges(names, begins, ends)
        for name, begin, end, piece in zip(names, begins, ends, found, strict=True):
            if len(piece) != end - begin:
                raise self.damaged(name, f"it ends before byte {end:,}")
        return found

    def _ranges(self, names: list[str], begins: list[int], ends: list[int]) -> list[bytes]:
        if self.local is None:
            return list(self.fs.cat_ranges([self.at(name) for name in names], begins, ends, on_error="raise"))
        with ExitStack() as stack:
            files = {name: stack.enter_context((self.local / name).open("rb", 0)).fileno() for name in set(names)}
            spans = zip(names, begins, ends, strict=True)
            return [os.pread(files[name], end - begin, begin) for name, begin, end in spans]

    def put(self, source: Path, name: str) -> None:
        """Moves a finished local file to its place, atomically."""
        with explained("Writing", self.url(name)):
            if self.local is None:
                self.fs.put_file(str(source), self.at(name))
                source.unlink()
                return
            target = self.local / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as file:
                os.fsync(file.fileno())
            source.replace(target)

    def names(self, folder: str) -> dict[str, int]:
        """Files in a folder with their sizes; empty if there is no such folder."""
        with explained("Listing", self.url(folder)):
            self.fs.invalidate_cache(self.at(folder))
            try:
                entries = self.fs.ls(self.at(folder), detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
            return {e["name"].rsplit("/", 1)[1]: int(e["size"] or 0) for e in entries if e["type"] == "file"}

    def files_below(self, folder: str) -> list[str]:
        """Files in a folder and the folders in it, as names in this one, sorted; not what is written aside."""
        root = self.at(folder)
        with explained("Listing", self.url(folder)):
            self.fs.invalidate_cache(root)
            found = [f"{folder}/{str(path)[len(root) + 1 :]}" for path in self.fs.find(root)]
        return sorted(name for name in found if not name.rpartition("/")[2].startswith("."))

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; missing ones are no error."""
        for name in names:
            with explained("Removing", self.url(name)):
                try:
                    self.fs.rm_file(self.at(name))
                except FileNotFoundError:
                    continue
