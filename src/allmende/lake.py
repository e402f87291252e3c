"""A dataset on disk or in an object store: steps, their parts, and how a part comes to exist.

    my-dataset/
      recipe.toml                  the resolved recipe
      events.jsonl                 what happened, for machines
      candidates/ unique/ samples/ one folder a step
        plan.json                  the step's parts, fixed before work starts
        part-00000.json            manifest of part 0: its files, what was seen, kept, dropped and why
        part-00000.parquet ...     the files that the manifest names

A part exists when its manifest does. Its files are written aside and moved to their place first, the
manifest goes last, so a process that dies leaves nothing or a whole part. What no manifest names is
swept away when the next build starts. All paths go through fsspec; on a local disk files are synced
before they are renamed.
"""

import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar, cast

import fsspec
import msgspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from allmende.errors import AllmendeError, LakeError, LakeTooNew
from allmende.schema import FORMAT_VERSION, Reason

T = TypeVar("T")


class Tally(msgspec.Struct):
    """How many of one kind of row came in, stayed, and were dropped for which reason."""

    seen: int = 0
    kept: int = 0
    dropped: dict[str, int] = msgspec.field(default_factory=dict)

    def keep(self, count: int = 1) -> None:
        """Counts rows that stay."""
        self.seen += count
        self.kept += count

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Counts rows that go."""
        self.seen += count
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    def add(self, other: "Tally") -> Self:
        """Adds another tally to this one."""
        self.seen += other.seen
        self.kept += other.kept
        for reason, count in other.dropped.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count
        return self

    def balanced(self) -> bool:
        """True if every row seen was either kept or dropped."""
        return self.seen == self.kept + sum(self.dropped.values())


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of a part."""

    bytes: int
    sha256: str = ""


class Manifest(msgspec.Struct, kw_only=True):
    """What one part holds and how it came about. `started`, `seconds` and `clock` differ from run to run."""

    format: int = FORMAT_VERSION
    step: str
    part: str
    plan: str
    """Digest of the plan this part belongs to."""
    files: dict[str, File]
    counts: dict[str, Tally]
    """A tally for each unit: record, candidate, sample."""
    facts: dict[str, int] = msgspec.field(default_factory=dict)
    """Further sums, such as bytes_received."""
    round: int = 0
    """How often the part was rewritten by `retry`."""
    started: float = 0.0
    seconds: float = 0.0

    def file(self, suffix: str) -> str:
        """Name of this part's file with that suffix (everything after id and round); empty if it has none."""
        stem = _stem(self.part, self.round)
        return stem + suffix if stem + suffix in self.files else ""


def _stem(part: str, round_: int) -> str:
    return f"part-{part}.r{round_}" if round_ else f"part-{part}"


def total_counts(manifests: Iterable[Manifest]) -> dict[str, Tally]:
    """Tallies of several parts added up, by unit."""
    total: dict[str, Tally] = {}
    for manifest in manifests:
        for unit, tally in manifest.counts.items():
            total.setdefault(unit, Tally()).add(tally)
    return total


class Plan(msgspec.Struct, kw_only=True):
    """The parts of a step. Made once, before the step starts; the same recipe gives the same plan."""

    format: int = FORMAT_VERSION
    step: str
    digest: str
    parts: dict[str, dict[str, Any]]
    """What each part reads, by part id."""


def part_id(number: int) -> str:
    """Name of a part: its number, five digits or more."""
    return f"{number:05d}"


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


class Lake:
    """A dataset folder. Cheap to make; touches nothing until asked.

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
        return f"Lake({self.root!r})"

    def at(self, name: str) -> str:
        """Full path of a name in this dataset, for `fs`."""
        return f"{self.path}/{name}"

    def url(self, name: str) -> str:
        """Full URL of a name in this dataset, for other tools."""
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
        """Files in a folder and the folders in it, as names in the dataset, sorted; not what is written aside."""
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

    def event(self, kind: str, **facts: object) -> None:
        """Notes in `events.jsonl` what happened, with the time."""
        self.append("events.jsonl", json.dumps({"time": round(time.time(), 3), "event": kind, **facts}).encode())

    def step(self, name: str) -> "StepFolder":
        """The folder of a step."""
        return StepFolder(self, name)


class StepFolder:
    """The parts of one step of a dataset."""

    def __init__(self, lake: Lake, name: str):
        self.lake = lake
        self.name = name

    def read_plan(self) -> Plan | None:
        """The step's plan, or None if it was not planned yet."""
        name = f"{self.name}/plan.json"
        if not self.lake.exists(name):
            return None
        plan = self.lake.decode(name, Plan, _MAKE_ANEW)
        _check_format(plan.format, self.lake.url(name))
        return plan

    def write_plan(self, plan: Plan) -> None:
        """Fixes the step's parts."""
        self.lake.write(f"{self.name}/plan.json", msgspec.json.format(msgspec.json.encode(plan), indent=1))

    def finished(self) -> list[str]:
        """Ids of the parts that exist, sorted. A listing, no file is opened."""
        return sorted(
            name[5:-5] for name in self.lake.names(self.name) if name.startswith("part-") and name.endswith(".json")
        )

    def manifest(self, part: str) -> Manifest:
        """The manifest of a part that exists."""
        name = f"{self.name}/part-{part}.json"
        manifest = self.lake.decode(name, Manifest, _MAKE_ANEW)
        _check_format(manifest.format, self.lake.url(name))
        return manifest

    def read_file(self, manifest: Manifest, name: str) -> bytes:
        """A small file of a part.

        Raises:
            LakeError: if it is not as long as when it was written.
        """
        content = self.lake.read(f"{self.name}/{name}")
        if len(content) != manifest.files[name].bytes:
            raise self.lake.damaged(
                f"{self.name}/{name}",
                f"it has {len(content):,} bytes, not {manifest.files[name].bytes:,} as when it was written",
            )
        return content

    def manifests(self) -> Iterator[Manifest]:
        """The manifests of all finished parts, in order."""
        for part in self.finished():
            yield self.manifest(part)

    def files(self, suffix: str = ".parquet") -> list[str]:
        """Files `part-ID<suffix>` of all finished parts, in order, as names in the dataset."""
        return [f"{self.name}/{name}" for m in self.manifests() if (name := m.file(suffix))]

    def counts(self) -> dict[str, Tally]:
        """Tallies of all finished parts, by unit."""
        return total_counts(self.manifests())

    @contextmanager
    def part(self, part: str, plan: str, round_: int = 0) -> Iterator["PartWriter"]:
        """Writes a part: `with step.part(id, digest) as part: ...; part.commit(...)`. Without commit nothing stays.

        A part that is written again, with a higher round, replaces the old one when it commits.
        """
        parent = None
        with explained("Writing", self.lake.url(self.name)):
            if self.lake.local is not None:
                parent = self.lake.local / self.name
                parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=f".{part}-", dir=parent))
        try:
            with explained("Writing", f"{self.lake.url(self.name)}, part {part}"):
                yield PartWriter(self, part, plan, aside, round_)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def sweep(self) -> None:
        """Removes what dead processes left: files that no manifest names. Only under the dataset's lock."""
        named = {name for manifest in self.manifests() for name in manifest.files}
        loose = [n for n in self._all_files() if n not in named and n != "plan.json" and not _is_manifest(n)]
        self.lake.remove(f"{self.name}/{name}" for name in loose)
        if self.lake.local is not None:
            for aside in (self.lake.local / self.name).glob(".*"):
                if aside.is_dir():
                    shutil.rmtree(aside, ignore_errors=True)

    def discard(self) -> None:
        """Forgets the plan and all parts: manifests first, so that no half part ever looks whole."""
        names = sorted(self._all_files(), key=lambda name: (not _is_manifest(name), name))
        self.lake.remove(f"{self.name}/{name}" for name in names)

    def _all_files(self) -> list[str]:
        """Files of the step, those in folders of a part too (the sink `files` makes some), but not what is written aside."""
        root = self.lake.at(self.name)
        with explained("Listing", self.lake.url(self.name)):
            self.lake.fs.invalidate_cache(root)
            names = [str(path)[len(root) + 1 :] for path in self.lake.fs.find(root)]
        return [name for name in names if not name.startswith(".")]


_MAKE_ANEW = "Delete it and run the build again: only what is missing is made."


def _is_manifest(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".json")


def _check_format(version: int, where: str) -> None:
    if version > FORMAT_VERSION:
        raise LakeTooNew(
            f"{where} has format {version}, this Allmende reads up to {FORMAT_VERSION}. Upgrade: pip install -U allmende"
        )


class PartWriter:
    """Collects the files of one part in a folder aside, then makes them the part."""

    def __init__(self, step: StepFolder, part: str, plan: str, aside: Path, round_: int):
        self.step = step
        self.part = part
        self.plan = plan
        self.aside = aside
        self.round = round_
        self.started = time.time()
        """When work on the part began; whoever began before opening it says so."""

    def file(self, suffix: str) -> Path:
        """Path to write a file of this part to: `part-00000.parquet` for suffix `.parquet`."""
        return self.aside / (_stem(self.part, self.round) + suffix)

    def commit(
        self, counts: dict[str, Tally], facts: dict[str, int] | None = None, files: dict[str, File] | None = None
    ) -> Manifest:
        """Moves all files of the folder aside to their place, then writes the manifest.

        Raises:
            LakeError: if a tally does not balance, or a file can't be written.
        """
        for unit, tally in counts.items():
            if not tally.balanced():
                raise LakeError(
                    f"{self.step.name}, part {self.part}: {unit}s are lost: {tally}. This is a bug; please report it."
                )
        written = {path.relative_to(self.aside).as_posix(): path for path in self.aside.rglob("*") if path.is_file()}
        found = {name: File(path.stat().st_size) for name, path in sorted(written.items())}
        found |= files or {}
        manifest = Manifest(
            step=self.step.name,
            part=self.part,
            plan=self.plan,
            files=found,
            counts=counts,
            facts=facts or {},
            round=self.round,
            started=round(self.started, 3),
            seconds=round(time.time() - self.started, 3),
        )
        for name, path in sorted(written.items()):
            self.step.lake.put(path, f"{self.step.name}/{name}")
        self._sync_folder()
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self.step.lake.write(f"{self.step.name}/part-{self.part}.json", content)
        return manifest

    def _sync_folder(self) -> None:
        # After a power cut the manifest must not be there while the files it names are not.
        if self.step.lake.local is None:
            return
        handle = os.open(self.step.lake.local / self.step.name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
