"""The story of a take-down: name it, log it, remove it, release without it, tell those who hold copies.

    find ──► log ──► keep the old release ──► samples without the rows ──► touched shards ──► release ──► patch ──► feed

The log is written first, and everything behind it only makes the dataset obey its log. So a take-down that was killed, at any
moment, is finished by running the same command again; and a dataset whose log others have added to obeys them the same way.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from allmende.building import digest_of, run_parts, session, step_is_finished
from allmende.dataset import Dataset
from allmende.engine import Engine
from allmende.errors import LakeError, RecipeError
from allmende.lake import Lake
from allmende.maintain import unfinished
from allmende.maintain.hits import Hits
from allmende.maintain.patch import write_patch
from allmende.maintain.rewrite import rewrite
from allmende.maintain.search import content, is_text, search, touched_shards
from allmende.maintain.targets import Targets
from allmende.maintain.unfinished import Unfinished
from allmende.parts import Plan
from allmende.progress import Progress, Silent
from allmende.safety.keys import Signer
from allmende.safety.tombstones import KINDS, REASONS, ReasonClass
from allmende.safety.veil import SALT_BYTES, Kind, Veil
from allmende.steps.documents import write_documents
from allmende.steps.order import steps
from allmende.steps.release_manifest import history, newest, write_feed
from allmende.steps.tombstone_folder import TombstoneFolder, folder_of, missing
from allmende.steps.tombstone_screen import Tombstones

CONTENT_FOLLOWS: frozenset[ReasonClass] = frozenset({"illegal", "privacy", "copyright"})
"""Reasons that are about the picture or text, wherever it lies: its digest and its looks are logged, too. Who opts out with a URL or a
domain speaks for that address only."""
OLDER = "logged before"
"""Stands for the reason where a dataset only catches up with its log."""


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What a take-down does, or did."""

    dataset: str
    samples: int
    """Samples that go (in a run that goes on after a kill: all since its begin)."""
    failures: int
    """Rows without a picture, or pages before they were judged, that are blanked."""
    by_kind: dict[str, int]
    """Samples by what named them: url, domain, sha256, phash, uid."""
    languages: dict[str, int]
    entries: int
    """New entries of the log."""
    parts: int
    """Parts of `samples/` that are written anew."""
    shards: int
    """Shards that are made anew."""
    version_before: str
    """Empty if there was no release."""
    version: str
    """The same as before if no file of the release changed, or in a dry run."""
    patch: str
    """Its name in the dataset; empty if there is none."""


def take_down(
    dataset: Lake | str,
    targets: Targets | None = None,
    *,
    reason: str = "other",
    ticket: str = "",
    dry_run: bool = False,
    key: Path | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Removal:
    """Takes something down, for good; or finishes what was begun, or catches up with the log.

    Args:
        dataset: A dataset with its lake, or its path or URL.
        targets: What to take down. None adds nothing to the log and only obeys it.
        reason: One of `REASONS`. For some the content follows: `CONTENT_FOLLOWS`.
        ticket: Name of the request; only its salted hash is stored.
        dry_run: Only say what would go.
        key: File of the log's private key, if it does not lie beside the log.
        engine: Where shards are made; by default here.
        progress: Who is told.

    Raises:
        RecipeError: if there is no such reason.
        LakeError: if the dataset has no lake, or a build of it is unfinished.
        Untrusted: if the log was changed.
    """
    opened = Dataset(dataset)
    lake, recipe = opened.lake, opened.recipe
    engine, progress = engine or Engine(workers=recipe.run.workers), progress or Silent()
    chosen = _checked(reason)
    _check_lake(lake)
    log = folder_of(lake, recipe)
    if dry_run:
        found = _find(lake, log, targets, chosen)
        _check_finished(lake)
        return _summary(lake, found)
    with session(lake, engine, "take-down"):
        _check_finished(lake)
        if not recipe.safety.tombstones:
            log.create()
        signer = log.signer(key)
        found = _find(lake, log, targets, chosen)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        log.append(found.values, chosen, ticket, now, key)
        begun = _begin(lake, found, chosen if targets else OLDER)
        lake.event("taking down", entries=found.entries, parts=len(found.hits))
        for hits in found.hits:
            rewrite(lake, hits)
        patch = _release(lake, begun, engine, progress, signer) if begun else ""
    return msgspec.structs.replace(_summary(lake, found, begun), version=_version(lake), patch=patch)


class _Found(msgspec.Struct, frozen=True):
    """What a take-down is about to do."""

    values: list[tuple[Kind, str]]
    """To be logged, plain."""
    entries: int
    """How many of them the log does not have."""
    hits: list[Hits]
    """Rows of the dataset that the log names then."""


def _find(lake: Lake, folder: TombstoneFolder, targets: Targets | None, reason: ReasonClass) -> _Found:
    """Looks through the dataset; twice if the content of what is named is to be logged, too."""
    values = targets.values() if targets else []
    log, veil = folder.load() if folder.exists() else (None, Veil(bytes(SALT_BYTES)))
    if reason in CONTENT_FOLLOWS and values:
        # Not of what merely looks like a picture named: that would take down what looks like that, and so on.
        named = Tombstones(_packed([pair for pair in values if pair[0] != "phash"], veil), veil)
        values += [pair for hits in search(lake, named) for pair in content(lake, hits)]
    hashes = _packed(values, veil)
    every: dict[str, bytes | bytearray] = {
        kind: (log.hashes[kind] if log else b"") + hashes.get(kind, b"") for kind in KINDS
    }
    entries = len(missing(log, veil, values)) if log else len(set(values))
    return _Found(values, entries, list(search(lake, Tombstones(every, veil))))


def _packed(values: Iterable[tuple[Kind, str]], veil: Veil) -> dict[str, bytes]:
    """Veiled values one after the other, by kind, as a log has them."""
    packed: dict[str, list[str]] = {}
    for kind, value in values:
        packed.setdefault(kind, []).append(veil.veiled(kind, value))
    return {kind: bytes.fromhex("".join(veiled)) for kind, veiled in packed.items()}


def _begin(lake: Lake, found: _Found, reason: str) -> Unfinished | None:
    """Keeps the release as it was; None if there is none, or nothing to do."""
    last, earlier = newest(lake), unfinished.read(lake)
    if earlier is None:
        unfinished.clear(lake)  # of a run that died before it noted anything, or after all was done
    if last is None or not (found.hits or earlier):
        return None
    counts = {f"{hits.part}.{hits.round}": int(hits.samples.sum()) for hits in found.hits}
    return unfinished.begin(lake, last, touched_shards(lake, found.hits), reason, counts)


def _release(lake: Lake, begun: Unfinished, engine: Engine, progress: Progress, signer: Signer) -> str:
    """Makes the touched shards anew, and a release of them; the name of the patch that leads to it."""
    _remake(lake, begun.shards, engine, progress)
    write_documents(Dataset(lake), begun.removed)
    old, new = (next(m for m in history(lake) if m.version == version) for version in (begun.version, _version(lake)))
    patch = write_patch(lake, old, new, signer) if old != new else ""
    write_feed(lake)
    unfinished.finish(lake)
    return patch


def _remake(lake: Lake, shards: Iterable[str], engine: Engine, progress: Progress) -> None:
    """Makes some shards anew, unless an earlier run has; the others, and the number of all, stay as they are."""
    recipe = Dataset(lake).recipe
    release = steps(recipe)[-1]
    folder = lake.step(release.name)
    before = folder.read_plan()
    assert before is not None
    plan = Plan(step=release.name, digest=digest_of(lake, release, recipe), parts=before.parts)
    folder.write_plan(plan)
    made = {shard: folder.manifest(shard) for shard in shards}
    left = {shard: manifest.round + 1 for shard, manifest in made.items() if manifest.plan != plan.digest}
    if left:
        pending = {shard: plan.parts[shard] | {"round": round_} for shard, round_ in left.items()}
        run_parts(lake, release, plan, pending, recipe, engine, progress, {"rewriting": True})
    folder.sweep()


def _summary(lake: Lake, found: _Found, begun: Unfinished | None = None) -> Removal:
    version = _version(lake)
    return Removal(
        dataset=lake.root,
        samples=sum(begun.removed.values()) if begun else sum(int(hits.samples.sum()) for hits in found.hits),
        failures=sum(int(hits.failures.sum()) for hits in found.hits),
        by_kind=_added(hits.by_kind for hits in found.hits),
        languages=_added(hits.languages for hits in found.hits),
        entries=found.entries,
        parts=len(found.hits),
        shards=len(begun.shards if begun else touched_shards(lake, found.hits)),
        version_before=begun.version if begun else version,
        version=version,
        patch="",
    )


def _added(counts: Iterable[Mapping[Any, int]]) -> dict[str, int]:
    """Counts added up, the largest first."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total.most_common())


def _version(lake: Lake) -> str:
    last = newest(lake)
    return last.version if last else ""


def _checked(reason: str) -> ReasonClass:
    for known in REASONS:
        if reason == known:
            return known
    raise RecipeError(f"--reason {reason}: one of {', '.join(REASONS)}.")


def _check_lake(lake: Lake) -> None:
    if lake.step("samples").read_plan() is None and not is_text(lake):
        raise LakeError(
            f"{lake.root} has no samples/: this is a copy of a release, or a build that has just begun. "
            "A copy is brought to a newer version with: allmende patch apply COPY PATCH"
        )


def _check_finished(lake: Lake) -> None:
    """Makes sure that the release is that of the samples, so that nothing but the take-down changes it.

    Raises:
        LakeError: if it isn't.
    """
    recipe = Dataset(lake).recipe
    if newest(lake) is None or unfinished.read(lake) is not None:
        return
    if not step_is_finished(lake, steps(recipe)[-1], recipe):
        raise LakeError(f"{lake.root}: its last build is not finished. Run it again first, then the take-down.")
