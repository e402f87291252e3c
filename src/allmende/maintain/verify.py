"""`allmende verify`: a dataset against what it says of itself.

Offline: every file against the size and digest that its manifest has, every sample's members against its row of the
metadata table. Works on a build's folder and on a copy of the release. Streams, and changes nothing but `verify.json`.
"""

import asyncio
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from allmende.dataset import Dataset
from allmende.engine import Engine
from allmende.lake import Lake
from allmende.maintain import copies
from allmende.maintain.copies import Copy, Recorded
from allmende.maintain.documents import lines
from allmende.maintain.findings import OnlineReport
from allmende.maintain.problem import Flaw, Problem, Problems
from allmende.maintain.shards import Sample, ShardReader, check_sample
from allmende.maintain.stored_images import StoredImages
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.publish.unsafe import why_unsafe

REPORT = "verify.json"

Told = Callable[[str], None]
"""Hears how far it is."""


class Report(msgspec.Struct, kw_only=True):
    """What was found."""

    dataset: str
    form: str
    """dataset, or copy of the release."""
    sink: str
    version: str = ""
    """Of the release, as its manifest says; empty without one."""
    shards: int = 0
    samples: int = 0
    """Samples whose members are all there."""
    files: int = 0
    """Files that manifests name."""
    bytes: int = 0
    """Read."""
    problems: dict[str, int] = {}
    """How many of each kind (`Flaw`)."""
    examples: tuple[Problem, ...] = ()
    """The first of each kind."""
    online: OnlineReport | None = None

    @property
    def sound(self) -> bool:
        """True if the dataset is what it says. What the web made of its files since does not count."""
        return not self.problems


def verify(location: str, *, decode: bool = False, told: Told = lambda _: None) -> Report:
    """Checks a dataset offline.

    Args:
        location: Folder or URL of a dataset, or of a copy of its release.
        decode: Also decode every image, in processes of their own, and compare its perceptual hash.
        told: Hears of each shard.

    Raises:
        LakeError: There are no shards, or they can't be read.
    """
    return asyncio.run(_verify(copies.locate(location), decode, told))


def with_online(report: Report, online: OnlineReport) -> Report:
    """The report with what the web says."""
    return msgspec.structs.replace(report, online=online)


def write_report(report: Report) -> None:
    """Writes `verify.json` beside the dataset.

    Raises:
        LakeError: It can't be written.
    """
    Lake(report.dataset).write(REPORT, msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


async def _verify(copy: Copy, decode: bool, told: Told) -> Report:
    problems = Problems()
    recorded = copies.read_manifests(copy, problems)
    if not recorded.files:
        problems.add(Flaw.MANIFEST_MISSING, copy.folder, "sizes and digests can't be checked")
    reader = ShardReader(copy, recorded.files, problems)
    report = Report(
        dataset=copy.root,
        form="dataset" if copy.built_here else "copy of the release",
        sink=copy.sink,
        version=recorded.version,
    )
    report.files = len(recorded.files) + len(recorded.others)
    _check_names(copy, recorded, problems)
    async with StoredImages(Engine().worker_count(), problems) if decode else _Nothing() as images:
        for number, shard in enumerate(copy.shards):
            found = f"{report.samples:,} samples, {problems.counts.total():,} problems"
            told(f"shard {number + 1} of {len(copy.shards)} · {found} so far")
            report.samples += await _check_shard(reader, copy, recorded, shard, images)
            report.shards += 1
    if recorded.samples is not None and recorded.samples != report.samples:
        problems.add(Flaw.COUNT, "manifest.json", f"says {recorded.samples:,} samples; there are {report.samples:,}")
    _check_rest(reader, recorded)
    if copy.built_here and copy.recipe is not None:
        _check_lake(copy, problems)
    report.bytes = reader.bytes
    report.problems = dict(sorted(problems.counts.items()))
    report.examples = tuple(problems.first)
    return report


async def _check_shard(
    reader: ShardReader, copy: Copy, recorded: Recorded, shard: str, images: StoredImages | None
) -> int:
    """All of a shard's samples. How many are whole."""
    rows = 0
    for sample in _samples(reader, copy, shard):
        check_sample(sample, reader.problems)
        if images is not None and sample.image:
            await images.check(sample)
        rows += 1
    told = recorded.rows.get(shard)
    if told is not None and told != rows:
        reader.problems.add(Flaw.COUNT, shard, f"{rows:,} whole samples; the manifest says {told:,}")
    name = f"{shard}_stats.json"
    if name in reader.there and (successes := _successes(reader, name)) != (rows if told is None else told):
        reader.problems.add(Flaw.COUNT, name, f"says {successes} samples; the shard has {rows:,}")
    return rows


class _Nothing:
    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


def _samples(reader: ShardReader, copy: Copy, shard: str) -> Iterator[Sample]:
    """The samples of a shard, if its files are there."""
    ends = {"webdataset": (".parquet", ".tar"), "jsonl": (JSONL,)}
    needed = [f"{shard}{end}" for end in ends.get(copy.sink, (".parquet",))]
    missing = [name for name in needed if name not in copy.files]
    for name in missing:
        if name not in reader.recorded:  # else it is told already
            reader.problems.add(Flaw.FILE_MISSING, name, "its shard has other files")
    if missing:
        return iter(())
    if copy.sink == "jsonl":
        return lines(reader, shard)
    kinds = {"webdataset": reader.webdataset, "parquet": reader.parquet, "files": reader.files}
    return kinds[copy.sink](shard)


def _check_names(copy: Copy, recorded: Recorded, problems: Problems) -> None:
    """What should be there, what should not, and what nobody should open."""
    for name in recorded.files:
        if name not in copy.files:
            problems.add(Flaw.FILE_MISSING, name, "the manifest names it")
    for name in copy.files:
        why = why_unsafe(name)
        if why:
            problems.add(Flaw.UNSAFE, name, why)
        elif recorded.files and name not in recorded.files and "/" not in name and not _is_ours(name):
            problems.add(Flaw.FILE_STRAY, name, "no manifest names it")


def _is_ours(name: str) -> bool:
    return name in {"plan.json", REPORT} or (name.startswith("part-") and name.endswith(".json"))


def _successes(reader: ShardReader, name: str) -> Any:
    try:
        found = msgspec.json.decode(reader.lake.read(reader.at(name)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.get("successes") if isinstance(found, dict) else None


def _check_rest(reader: ShardReader, recorded: Recorded) -> None:
    """Files that no sample needed: statistics, the parts' manifests, and what lies beside the shards."""
    for name in recorded.files:
        if name in reader.there and name not in reader.checked:
            reader.check_file(name)
    for name, told in recorded.others.items():
        if not reader.lake.exists(name):
            reader.problems.add(Flaw.FILE_MISSING, name, "the manifest names it")
        elif (found := sha256(reader.lake.read(name)).hexdigest()) != told.sha256:
            reader.problems.add(Flaw.FILE_DIGEST, name, f"SHA-256 {found}; the manifest says {told.sha256}")


def _check_lake(copy: Copy, problems: Problems) -> None:
    """The other steps of a build: their files are there, with the size that the manifest says."""
    for step in Dataset(copy.lake).steps()[:-1]:  # all but the shards
        folder = copy.lake.step(step)
        there = copy.lake.names(step)
        for part in folder.finished():
            manifest = copies.read_manifest(folder, part, f"{step}/part-{part}.json", problems)
            for name, file in manifest.files.items() if manifest else ():
                if why_unsafe(name):
                    problems.add(Flaw.UNSAFE, f"{step}/part-{part}.json, file {name}", why_unsafe(name))
                elif name not in there:
                    problems.add(Flaw.FILE_MISSING, f"{step}/{name}", "the manifest names it")
                elif there[name] != file.bytes:
                    what = f"{there[name]:,} bytes; the manifest says {file.bytes:,}"
                    problems.add(Flaw.FILE_SIZE, f"{step}/{name}", what)
