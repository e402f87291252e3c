"""Take-downs of documents: which rows of `documents/` a log names, and a part of it in which these rows are blank.

A blank row keeps its place, so that what later steps say of other rows stays true, and its order key: the release still
knows that something is missing there, and from which shard.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.lake import Lake, Manifest, PartWriter
from allmende.maintain.hits import Hits
from allmende.schema import DOCUMENTS, Reason
from allmende.steps.buckets import BucketWriter
from allmende.steps.permitted import HOSTS, HOSTS_SCHEMA
from allmende.steps.tombstone_screen import Mask, Tombstones, any_of

KEPT_COLUMNS = frozenset({"language", "crawl", "captured_at", "seen", "order_key"})
"""Columns that a row keeps: none of them says what it was or where it came from."""


def search(lake: Lake, tombstones: Tombstones) -> Iterator[Hits]:
    """The parts in which rows are named that are still there."""
    for manifest in lake.step("documents").manifests():
        columns = ["url", "uid", "language", "order_key"]
        with lake.open(f"documents/{manifest.file('.parquet')}") as file:
            table = pq.read_table(file, columns=columns)
        masks = tombstones.rows(table.column("url").to_pylist(), table.column("uid").to_pylist())
        found = any_of(masks)
        if not found.any():
            continue
        gone = table.filter(pa.array(found))
        yield Hits(
            part=manifest.part,
            round=manifest.round,
            samples=found,
            failures=np.zeros(0, np.bool_),
            by_kind={kind: int(mask.sum()) for kind, mask in masks.items() if mask.any()},
            languages=dict(Counter(gone.column("language").to_pylist())),
            order_keys=gone.column("order_key").to_pylist(),
        )


def rewrite(lake: Lake, hits: Hits) -> None:
    """Writes the part anew with the rows that were found blank."""
    folder = lake.step("documents")
    manifest = folder.manifest(hits.part)
    counts, facts = dict(manifest.counts), dict(manifest.facts)
    tally = counts["document"]
    number = int(hits.samples.sum())
    tally.kept -= number
    tally.dropped[Reason.TAKEN_DOWN] = tally.dropped.get(Reason.TAKEN_DOWN, 0) + number
    for language, count in hits.languages.items():
        facts[f"{language}/kept"] = facts.get(f"{language}/kept", 0) - count
        facts[f"{language}/{Reason.TAKEN_DOWN}"] = facts.get(f"{language}/{Reason.TAKEN_DOWN}", 0) + count
    with folder.part(hits.part, manifest.plan, manifest.round + 1) as part:
        _blank(lake, manifest, hits.samples, part)
        _copy_others(lake, manifest, hits.samples, part)
        part.commit(counts, facts=facts)
    lake.remove(f"documents/{name}" for name in manifest.files)


def _blank(lake: Lake, manifest: Manifest, gone: Mask, part: PartWriter) -> None:
    """Copies the rows, row group by row group."""
    begin = 0
    with (
        lake.open(f"documents/{manifest.file('.parquet')}") as file,
        pq.ParquetWriter(part.file(".parquet"), DOCUMENTS, compression="zstd") as out,
    ):
        source = pq.ParquetFile(file)
        for group in range(source.num_row_groups):
            table = source.read_row_group(group).cast(DOCUMENTS)
            mask = gone[begin : begin + len(table)]
            begin += len(table)
            out.write_table(blanked(table, mask) if mask.any() else table, row_group_size=len(table))


def blanked(table: pa.Table, gone: Mask) -> pa.Table:
    """Documents, with nothing in some rows that would lead back to what they were."""
    rows = table.to_pylist()
    for row in (rows[at] for at in np.flatnonzero(gone).tolist()):
        row.update({name: None for name in row if name not in KEPT_COLUMNS})
    return pa.Table.from_pylist(rows, DOCUMENTS)


def _copy_others(lake: Lake, manifest: Manifest, gone: Mask, part: PartWriter) -> None:
    """Takes over the sidecars; that of hosts without the URLs of what is gone."""
    stem = manifest.file(".parquet").removesuffix(".parquet")
    plan = lake.step("documents").read_plan()
    assert plan is not None
    for name in manifest.files.keys() - {manifest.file(".parquet"), manifest.file(HOSTS)}:
        part.file(name.removeprefix(stem)).write_bytes(lake.read(f"documents/{name}"))
    if hosts := manifest.file(HOSTS):
        with lake.open(f"documents/{hosts}") as file:
            table = pq.read_table(file, schema=HOSTS_SCHEMA)
        stays = pc.invert(pc.is_in(table.column("row"), pa.array(np.flatnonzero(gone).astype(np.int32))))
        with BucketWriter(str(part.file(HOSTS)), plan.parts[manifest.part]["buckets"], HOSTS_SCHEMA) as out:
            out.write(table.filter(stays))
