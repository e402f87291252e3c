"""The last act of every build, retry and take-down: the release gets its version, its manifest and its place in the history.

release/manifest.json          of the newest release
releases/1.0.0.json ...        the manifest of each release there was
releases/patches/              1.0.0-2.0.0.patch: brings a copy from one to the next
releases/feed.xml              tells about both
releases/unfinished.json       a take-down that was interrupted; nothing else may run before it is finished
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from allmende import __version__, recipe_file
from allmende.dataset import Dataset
from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.parts import File
from allmende.permission.policy import from_recipe
from allmende.publish import manifest as form
from allmende.publish.feed import PatchFile, feed_xml
from allmende.publish.manifest import Earlier, Released, ReleaseManifest
from allmende.recipe import Recipe
from allmende.safety.tombstones import Head
from allmende.schema import Reason
from allmende.steps.tombstone_folder import folder_of

HISTORY = "releases"
PATCHES = "releases/patches"
UNFINISHED = "releases/unfinished.json"
FIRST = "1.0.0"
LISTS = "lists.json"
"""What the safety lists note about themselves, in the dataset's folder."""
_READ = 1 << 22


def publish(dataset: Dataset, removed: Mapping[str, int] | None = None) -> ReleaseManifest:
    """Gives what lies in `release/` a version, unless it has one.

    Args:
        dataset: Its release is finished, the documents too.
        removed: Samples that a take-down removed, by class of reason.

    Returns:
        The manifest of the newest release.
    """
    lake = dataset.lake
    last = newest(lake)
    now = _describe(dataset, last, dict(removed or {}))
    if last is None:
        now = msgspec.structs.replace(now, version=FIRST)
    elif form.same_content(last, now):
        now = last
    else:
        earlier = Earlier(version=last.version, sha256=form.digest(last))
        now = msgspec.structs.replace(now, version=form.next_version(last, now), previous=earlier)
    _write_once(lake, f"{HISTORY}/{now.version}.json", form.encode(now))
    _write_once(lake, f"release/{form.NAME}", form.encode(now))
    write_feed(lake)
    return now


def history(lake: Lake) -> list[ReleaseManifest]:
    """The manifests of all releases, oldest first."""
    names = [f"{HISTORY}/{name}" for name in lake.names(HISTORY) if name[:1].isdigit() and name.endswith(".json")]
    found = [form.decode(lake.read(name), lake.url(name)) for name in names]
    return sorted(found, key=lambda manifest: form.order(manifest.version))


def newest(lake: Lake) -> ReleaseManifest | None:
    """The manifest of the newest release; None before the first."""
    return next(reversed(history(lake)), None)


def write_feed(lake: Lake) -> None:
    """Renews the feed."""
    names = lake.names(PATCHES)
    pairs = {name: name.removesuffix(".patch").partition("-") for name in names if name.endswith(".patch")}
    patches = [PatchFile(old, new, names[name]) for name, (old, _, new) in pairs.items() if not name.startswith(".")]
    _write_once(lake, f"{HISTORY}/feed.xml", feed_xml(history(lake), patches))


def check_beginning(lake: Lake, recipe: Recipe) -> None:
    """Makes sure, before anything is fetched, that a release can come of it.

    Raises:
        LakeError: if a take-down was left halfway (its patch could not be made any more), or the recipe's log is not there.
        Untrusted: if the log was changed, or lost entries that the last release obeyed.
    """
    if lake.exists(UNFINISHED):
        raise LakeError(
            f"{lake.root}: a take-down was interrupted. Finish it first: allmende takedown {lake.root} --continue"
        )
    folder, last = folder_of(lake, recipe), newest(lake)
    if recipe.safety.tombstones or folder.exists() or last is not None:
        log, _ = folder.load()
        if last is not None:
            log.check_head(last.tombstones)


def _describe(dataset: Dataset, last: ReleaseManifest | None, removed: dict[str, int]) -> ReleaseManifest:
    """The manifest of what lies there now; version and predecessor are still those of the last release."""
    lake, recipe = dataset.lake, dataset.recipe
    text = recipe.dataset.kind == "text"
    source, unit = ("documents", "document") if text else ("samples", "sample")
    tallies = (lake.step(name).counts().get(unit) for name in ("pages", source, "release/shards"))
    return ReleaseManifest(
        dataset=recipe.dataset.name,
        version=last.version if last else FIRST,
        previous=last.previous if last else None,
        released=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        allmende=__version__,
        samples=sum(m.counts[unit].kept for m in lake.step("release/shards").manifests()),
        taken_down=sum(tally.dropped.get(Reason.TAKEN_DOWN, 0) for tally in tallies if tally),
        removed=removed,
        data=_plan_digest(lake, "near" if text else source),
        form=recipe_file.digest(recipe, {"publish": frozenset()}),
        policy=from_recipe(recipe.permission).label,
        lists=_lists(lake),
        tombstones=_head(lake, recipe, last),
        files=release_files(lake),
    )


def release_files(lake: Lake) -> dict[str, Released]:
    """All files of the release but its manifest, with size and digest. Those of shards are known from the build."""
    known = {name: file for m in lake.step("release/shards").manifests() for name, file in m.files.items()}
    names = release_paths(lake)
    return {
        name: _released(lake, name, size, known.get(name.removeprefix(form.SHARDS))) for name, size in names.items()
    }


def release_paths(lake: Lake) -> dict[str, int]:
    """All files of the release but its manifest, with their size."""
    root = lake.at("release")
    lake.fs.invalidate_cache(root)
    found = {str(path)[len(root) + 1 :]: info["size"] for path, info in lake.fs.find(root, detail=True).items()}
    names = sorted(n for n in found if n != form.NAME and not any(part.startswith(".") for part in n.split("/")))
    return {name: int(found[name]) for name in names}


def _released(lake: Lake, name: str, size: int, known: File | None) -> Released:
    if known is not None and known.sha256 and known.bytes == size and name.startswith(form.SHARDS):
        return Released(bytes=size, sha256=known.sha256)
    return Released(bytes=size, sha256=file_digest(lake, f"release/{name}"))


def file_digest(lake: Lake, name: str) -> str:
    """SHA-256 of a file, hex."""
    found = hashlib.sha256()
    with lake.open(name) as file:
        while block := file.read(_READ):
            found.update(block)
    return found.hexdigest()


def _head(lake: Lake, recipe: Recipe, last: ReleaseManifest | None) -> Head:
    folder = folder_of(lake, recipe)
    if not recipe.safety.tombstones:
        folder.create()
    log, _ = folder.load()
    if last is not None:
        log.check_head(last.tombstones)
    return log.head()


def _plan_digest(lake: Lake, step: str) -> str:
    plan = lake.step(step).read_plan()
    return plan.digest if plan else ""


def _lists(lake: Lake) -> Any:
    return lake.decode(LISTS, object) if lake.exists(LISTS) else None


def _write_once(lake: Lake, name: str, content: bytes) -> None:
    """Writes a file unless it has this content: an untouched release keeps its times."""
    if not lake.exists(name) or lake.read(name) != content:
        lake.write(name, content)
