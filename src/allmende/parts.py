"""How a part of a step comes to exist, and what is known of it.

A part exists when its manifest does. Its files are written aside and moved to their place first, the
manifest goes last, so a process that dies leaves nothing or a whole part. What no manifest names is
swept away when the next build starts.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from allmende.errors import LakeError, LakeTooNew
from allmende.schema import FORMAT_VERSION, Reason
from allmende.storage import Storage, explained


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
    """What one part holds and how it came about. `started` and `seconds` differ from run to run."""

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
    """How often the part was written again: by a retry, a take-down."""
    started: float = 0.0
    seconds: float = 0.0

    @property
    def result(self) -> str:
        """What came of the part, in numbers. No clock reading is in it, as in the sizes of tables with times."""
        return msgspec.json.encode((self.counts, self.facts), order="deterministic").decode()

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


class StepFolder:
    """The parts of one step of a dataset."""

    def __init__(self, storage: Storage, name: str):
        self.storage = storage
        self.name = name

    def read_plan(self) -> Plan | None:
        """The step's plan, or None if it was not planned yet."""
        name = f"{self.name}/plan.json"
        if not self.storage.exists(name):
            return None
        plan = self.storage.decode(name, Plan, _MAKE_ANEW)
        _check_format(plan.format, self.storage.url(name))
        return plan

    def write_plan(self, plan: Plan) -> None:
        """Fixes the step's parts."""
        self.storage.write(f"{self.name}/plan.json", msgspec.json.format(msgspec.json.encode(plan), indent=1))

    def finished(self) -> list[str]:
        """Ids of the parts that exist, sorted. A listing, no file is opened."""
        return sorted(
            name[5:-5] for name in self.storage.names(self.name) if name.startswith("part-") and name.endswith(".json")
        )

    def manifest(self, part: str) -> Manifest:
        """The manifest of a part that exists."""
        name = f"{self.name}/part-{part}.json"
        manifest = self.storage.decode(name, Manifest, _MAKE_ANEW)
        _check_format(manifest.format, self.storage.url(name))
        return manifest

    def read_file(self, manifest: Manifest, name: str) -> bytes:
        """A small file of a part.

        Raises:
            LakeError: if it is not as long as when it was written.
        """
        content = self.storage.read(f"{self.name}/{name}")
        if len(content) != manifest.files[name].bytes:
            raise self.storage.damaged(
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
        with explained("Writing", self.storage.url(self.name)):
            if self.storage.local is not None:
                parent = self.storage.local / self.name
                parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=f".{part}-", dir=parent))
        try:
            with explained("Writing", f"{self.storage.url(self.name)}, part {part}"):
                yield PartWriter(self, part, plan, aside, round_)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def sweep(self) -> None:
        """Removes what dead processes left: files that no manifest names. Only under the dataset's lock."""
        named = {name for manifest in self.manifests() for name in manifest.files}
        loose = [n for n in self._all_files() if n not in named and n != "plan.json" and not _is_manifest(n)]
        self.storage.remove(f"{self.name}/{name}" for name in loose)
        self.storage.sweep(self.name)
        if self.storage.local is not None:
            for aside in (self.storage.local / self.name).glob(".*"):
                if aside.is_dir():
                    shutil.rmtree(aside, ignore_errors=True)

    def discard(self) -> None:
        """Forgets the plan and all parts: manifests first, so that no half part ever looks whole."""
        names = sorted(self._all_files(), key=lambda name: (not _is_manifest(name), name))
        self.storage.remove(f"{self.name}/{name}" for name in names)

    def _all_files(self) -> list[str]:
        """Files of the step, those in folders of a part too (the sink `files` makes some), but not what is written aside."""
        root = self.storage.at(self.name)
        with explained("Listing", self.storage.url(self.name)):
            self.storage.fs.invalidate_cache(root)
            names = [str(path)[len(root) + 1 :] for path in self.storage.fs.find(root)]
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
            self.step.storage.put(path, f"{self.step.name}/{name}")
        self._sync_folder()
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        self.step.storage.write(f"{self.step.name}/part-{self.part}.json", content)
        return manifest

    def _sync_folder(self) -> None:
        # After a power cut the manifest must not be there while the files it names are not.
        if self.step.storage.local is None:
            return
        handle = os.open(self.step.storage.local / self.step.name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
