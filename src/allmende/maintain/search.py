"""Which rows of a dataset a take-down log names. Reads a few columns of `samples/` (or `documents/`), part by part."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from allmende import tables
from allmende.lake import Lake
from allmende.maintain import texts
from allmende.maintain.hits import Hits
from allmende.parts import Manifest
from allmende.safety.veil import Kind
from allmende.schema import Reason
from allmende.steps.release import cut_of
from allmende.steps.tombstone_screen import Tombstones, any_of, comparable

_ROW = ["url", "uid"]
_FILE = ["sha256", "phash", "phash_quality"]
_LANGUAGE = "language"


def search(lake: Lake, tombstones: Tombstones) -> Iterator[Hits]:
    """The parts in which rows are named that are still there."""
    if is_text(lake):
        yield from texts.search(lake, tombstones)
        return
    for manifest in lake.step("samples").manifests():
        samples = _columns(lake, f"samples/{manifest.file('.parquet')}", [*_ROW, *_FILE, _LANGUAGE, "order_key"])
        failures = _columns(lake, f"samples/{manifest.file('.dropped.parquet')}", [*_ROW, "reason"])
        hits = _hits(manifest, samples, failures, tombstones)
        if hits.any:
            yield hits


def is_text(lake: Lake) -> bool:
    """Whether a dataset consists of documents."""
    return lake.step("documents").read_plan() is not None


def _hits(manifest: Manifest, samples: pa.Table, failures: pa.Table, tombstones: Tombstones) -> Hits:
    masks = tombstones.rows(*_lists(samples, _ROW)) | tombstones.files(*_lists(samples, _FILE))
    found = any_of(masks)
    gone = samples.filter(pa.array(found))
    counts = gone.column(_LANGUAGE).fill_null("und").value_counts().to_pylist()
    settled = failures.column("reason").to_numpy(zero_copy_only=False) == str(Reason.TAKEN_DOWN)
    return Hits(
        part=manifest.part,
        round=manifest.round,
        samples=found,
        failures=any_of(tombstones.rows(*_lists(failures, _ROW))) & ~settled,
        by_kind={kind: int(mask.sum()) for kind, mask in masks.items() if mask.any()},
        languages={count["values"]: count["counts"] for count in counts},
        order_keys=gone.column("order_key").to_pylist(),
    )


def content(lake: Lake, hits: Hits) -> Iterator[tuple[Kind, str]]:
    """What the files of the samples found are: their digest, and how they look where that means anything.

    Of documents the digest of the text, normalised as for finding duplicates.
    """
    if is_text(lake):
        for digest in texts.digests(lake, hits):
            yield "sha256", digest
        return
    table = _columns(lake, f"samples/{lake.step('samples').manifest(hits.part).file('.parquet')}", _FILE)
    for digest, phash, quality in zip(*_lists(table.filter(pa.array(hits.samples)), _FILE), strict=True):
        yield "sha256", digest
        if phash and comparable(quality):
            yield "phash", phash


def touched_shards(lake: Lake, found: list[Hits]) -> set[str]:
    """The shards that hold the samples found; empty if there are no shards yet."""
    plan = lake.step("release/shards").read_plan()
    places: dict[str, dict[int, str]] = {}
    for shard, part in (plan.parts if plan else {}).items():
        for name in part.get("samples") or part["documents"]:
            places.setdefault(name, {})[part["cut"]] = shard
    return {
        places[hits.part][cut_of(key, len(places[hits.part]))]
        for hits in found
        for key in hits.order_keys
        if hits.part in places
    }


def _columns(lake: Lake, name: str, columns: list[str]) -> pa.Table:
    return tables.read(lake, name, columns)


def _lists(table: pa.Table, names: list[str]) -> list[list[Any]]:
    return [table.column(name).to_pylist() for name in names]
