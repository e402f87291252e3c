"""A take-down while it is under way: the release as it was, kept until the patch that leads away from it is written.

    releases/unfinished.json    which version it was, which shards are made anew, what was removed
    releases/before/            the files of that release that change, by their paths

On a disk the files are linked, not copied: shards are replaced by others, never written into.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from allmende.lake import Lake
from allmende.publish.manifest import NAME, SHARDS, ReleaseManifest
from allmende.steps.release_manifest import UNFINISHED, release_paths
from allmende.storage import explained

BEFORE = "releases/before"


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """What was begun."""

    version: str
    """Of the release before."""
    shards: tuple[str, ...]
    """To be made anew."""
    counts: dict[str, dict[str, int]]
    """Samples to be removed: by class of reason, then by part and round, so that none is counted twice."""

    @property
    def removed(self) -> dict[str, int]:
        """Samples, by class of reason."""
        return {reason: sum(parts.values()) for reason, parts in self.counts.items() if any(parts.values())}


def read(lake: Lake) -> Unfinished | None:
    """What was begun and not finished; None if nothing was."""
    return lake.decode(UNFINISHED, Unfinished) if lake.exists(UNFINISHED) else None


def begin(lake: Lake, last: ReleaseManifest, shards: Iterable[str], reason: str, counts: dict[str, int]) -> Unfinished:
    """Keeps what will change, notes what is begun, and takes the release's manifest away: it is under work now.

    What an earlier run had begun is continued with it.
    """
    before = read(lake) or Unfinished(version=last.version, shards=(), counts={})
    every = {*before.shards, *shards}
    for name in _changing(lake, every):
        _keep(lake, name)
    total = before.counts | {reason: before.counts.get(reason, {}) | counts}
    begun = Unfinished(version=before.version, shards=tuple(sorted(every)), counts=total)
    lake.write(UNFINISHED, msgspec.json.encode(begun))
    lake.remove([f"release/{NAME}"])
    return begun


def finish(lake: Lake) -> None:
    """Forgets it."""
    lake.remove([UNFINISHED])
    clear(lake)


def clear(lake: Lake) -> None:
    """Removes the files that were kept."""
    if lake.exists(BEFORE):
        with explained("Removing", lake.url(BEFORE)):
            lake.fs.rm(lake.at(BEFORE), recursive=True)


def _changing(lake: Lake, shards: set[str]) -> Iterator[str]:
    """Files of the release that may change: documents, notes of the build, and those of some shards."""
    folder = lake.step("release/shards")
    changing = {name for shard in shards for name in (*folder.manifest(shard).files, f"part-{shard}.json")}
    changing.add("plan.json")
    for path in release_paths(lake):
        if not path.startswith(SHARDS) or path.removeprefix(SHARDS) in changing:
            yield path


def _keep(lake: Lake, name: str) -> None:
    source, target = f"release/{name}", f"{BEFORE}/{name}"
    if lake.exists(target):
        return
    with explained("Writing", lake.url(target)):
        if lake.local is None:
            lake.fs.cp_file(lake.at(source), lake.at(target))
            return
        _link(lake.local / source, lake.local / target)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        aside = target.with_name(f".{target.name}")
        aside.write_bytes(source.read_bytes())
        aside.replace(target)
