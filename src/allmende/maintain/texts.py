"""Take-downs of documents: which rows of `documents/` a log names, and a part of it in which these rows are blank.

A blank row keeps its place, so that what later steps say of other rows stays true, and its order key: the release still
knows that something is missing there, and from which shard. Where texts of pages are stored before they are judged (`pages/`),
those of documents that go are blanked, too, and all others that are named. Pages that became no documents (`text.keep_dropped`) are
removed: nothing counts their rows.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende import tables
from allmende.dedup.same_text import text_digest
from allmende.lake import Lake
from allmende.maintain.hits import Hits
from allmende.parts import Manifest, PartWriter
from allmende.safety.veil import Kind
from allmende.schema import DOCUMENTS, PAGES
from allmende.steps.buckets import BucketWriter
from allmende.steps.dropped_pages import SUFFIX as DROPPED
from allmende.steps.permitted import HOSTS, HOSTS_SCHEMA
from allmende.steps.tombstone_screen import Mask, Tombstones, any_of

KEPT_COLUMNS = frozenset({"language", "crawl", "captured_at", "seen", "order_key"})
"""Columns that a row keeps: none of them says what it was or where it came from."""

ROWS = 500
"""Documents in memory at once."""

_PLACE = ["warc_file", "warc_offset"]


def search(lake: Lake, tombstones: Tombstones) -> Iterator[Hits]:
    """The parts in which rows are named that are still there."""
    for manifest in lake.step("documents").manifests():
        table = _read(lake, "documents", manifest, ["language", "order_key", *_PLACE])
        masks = _masks(lake, f"documents/{manifest.file('.parquet')}", tombstones)
        found = any_of(masks)
        gone = table.filter(pa.array(found))
        hits = Hits(
            part=manifest.part,
            round=manifest.round,
            samples=found,
            failures=_pages(lake, manifest.part, gone, tombstones),
            by_kind={kind: int(mask.sum()) for kind, mask in masks.items() if mask.any()},
            languages=dict(Counter(gone.column("language").to_pylist())),
            order_keys=gone.column("order_key").to_pylist(),
            dropped=_dropped(lake, manifest.part, tombstones),
        )
        if hits.any:
            yield hits


def _dropped(lake: Lake, part: str, tombstones: Tombstones) -> dict[str, Mask]:
    """Which pages of a part that became no documents are named."""
    steps = (step for step in ("pages", "documents") if lake.step(step).read_plan() is not None)
    files = ((step, lake.step(step).manifest(part).file(DROPPED)) for step in steps)
    masks = {step: any_of(_masks(lake, f"{step}/{name}", tombstones)) for step, name in files if name}
    return {step: mask for step, mask in masks.items() if mask.any()}


def _pages(lake: Lake, part: str, gone: pa.Table, tombstones: Tombstones) -> Mask:
    """Which pages of a part are named, or are those of documents that go; none if the dataset keeps no pages."""
    folder = lake.step("pages")
    if folder.read_plan() is None:
        return np.zeros(0, np.bool_)
    manifest = folder.manifest(part)
    places = set(zip(*(gone.column(name).to_pylist() for name in _PLACE), strict=True))
    every = zip(*(column.to_pylist() for column in _read(lake, "pages", manifest, _PLACE).columns), strict=True)
    own = np.fromiter((place in places for place in every), np.bool_)
    return own | any_of(_masks(lake, f"pages/{manifest.file('.parquet')}", tombstones))


def digests(lake: Lake, hits: Hits) -> Iterator[str]:
    """Digests of the texts of the documents that were found."""
    begin = 0
    documents = lake.step("documents").manifest(hits.part).file(".parquet")
    for batch in _batches(lake, f"documents/{documents}", ["text"]):
        found = batch.filter(pa.array(hits.samples[begin : begin + len(batch)]))
        begin += len(batch)
        yield from map(text_digest, found.column("text").to_pylist())


def _masks(lake: Lake, name: str, tombstones: Tombstones) -> dict[Kind, Mask]:
    """Which rows of a file are named, by what names them. Texts are read only if the log names content; pages have no uid yet."""
    there = tables.columns_of(lake, name)
    columns = [column for column in ("url", "uid", *(["text"] if tombstones.looks_at_files else [])) if column in there]
    found: list[dict[Kind, Mask]] = [tombstones.documents([], [], [])]
    for batch in _batches(lake, name, columns):
        rows = {name: batch.column(name).to_pylist() for name in columns}
        nothing = [None] * len(batch)
        found.append(tombstones.documents(*(rows.get(name, nothing) for name in ("url", "uid", "text"))))
    return {kind: np.concatenate([masks[kind] for masks in found]) for kind in found[0]}


def _read(lake: Lake, step: str, manifest: Manifest, columns: list[str]) -> pa.Table:
    return tables.read(lake, f"{step}/{manifest.file('.parquet')}", columns)


def _batches(lake: Lake, name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns of a file, in the order asked for, `ROWS` rows at a time."""
    return tables.batches(lake, name, columns, ROWS)


def rewrite(lake: Lake, hits: Hits) -> None:
    """Writes the part anew with the rows that were found blank; pages first, because only documents tell which these are.

    Its counts stay: a blank row goes through all steps like others, and is counted as taken down where it leaves, in the release.
    """
    for step, gone in (("pages", hits.failures), ("documents", hits.samples)):
        if gone.any() or step in hits.dropped:
            _rewrite(lake, step, hits, gone)


def _rewrite(lake: Lake, step: str, hits: Hits, gone: Mask) -> None:
    folder = lake.step(step)
    manifest = folder.manifest(hits.part)
    with folder.part(hits.part, manifest.plan, manifest.round + 1) as part:
        _blank(lake, step, manifest, gone, part)
        _copy_others(lake, step, manifest, gone, part)
        if step in hits.dropped:
            with lake.open(f"{step}/{manifest.file(DROPPED)}") as file:
                dropped = pq.read_table(file)
            pq.write_table(dropped.filter(pa.array(~hits.dropped[step])), part.file(DROPPED), compression="zstd")
        part.commit(dict(manifest.counts), facts=manifest.facts)
    lake.remove(f"{step}/{file}" for file in manifest.files)


def _blank(lake: Lake, step: str, manifest: Manifest, gone: Mask, part: PartWriter) -> None:
    """Copies the rows, row group by row group."""
    begin, schema = 0, PAGES if step == "pages" else DOCUMENTS
    with (
        lake.open(f"{step}/{manifest.file('.parquet')}") as file,
        pq.ParquetWriter(part.file(".parquet"), schema, compression="zstd") as out,
    ):
        source = pq.ParquetFile(file)
        for group in range(source.num_row_groups):
            table = source.read_row_group(group).cast(schema)
            mask = gone[begin : begin + len(table)]
            begin += len(table)
            out.write_table(blanked(table, mask) if mask.any() else table, row_group_size=len(table))


def blanked(table: pa.Table, gone: Mask) -> pa.Table:
    """Documents, or pages, with nothing in some rows that would lead back to what they were."""
    rows = table.to_pylist()
    for row in (rows[at] for at in np.flatnonzero(gone).tolist()):
        row.update({name: None for name in row if name not in KEPT_COLUMNS})
    return pa.Table.from_pylist(rows, table.schema)


def _copy_others(lake: Lake, step: str, manifest: Manifest, gone: Mask, part: PartWriter) -> None:
    """Takes over the sidecars; that of hosts without the URLs of what is gone."""
    stem = manifest.file(".parquet").removesuffix(".parquet")
    for name in manifest.files.keys() - {manifest.file(".parquet"), manifest.file(HOSTS)}:
        part.file(name.removeprefix(stem)).write_bytes(lake.step(step).read_file(manifest, name))
    if hosts := manifest.file(HOSTS):
        plan = lake.step(step).read_plan()
        assert plan is not None
        with lake.open(f"{step}/{hosts}") as file:
            table = pq.read_table(file, schema=HOSTS_SCHEMA)
        stays = pc.invert(pc.is_in(table.column("row"), pa.array(np.flatnonzero(gone).astype(np.int32))))
        with BucketWriter(str(part.file(HOSTS)), plan.parts[manifest.part]["buckets"], HOSTS_SCHEMA) as out:
            out.write(table.filter(stays))
