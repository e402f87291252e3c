"""Exact duplicates: `candidates/` in, `unique/` out, a part a bucket of hosts.

Candidates lie in row groups of one bucket each (a range of the hash of their host), so a bucket is a few row groups of each file.
Pass one reads 20 bytes a row and decides; pass two streams the whole rows past the decision, in slices of at most
`SLICE_ROWS` when a giant host makes a bucket large. So memory is bounded whatever the dataset.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from allmende.dedup.exact import Counts, Keys, Unique, unique_rows
from allmende.errors import RecipeError
from allmende.lake import Lake
from allmende.parts import Tally
from allmende.recipe import Recipe
from allmende.schema import CANDIDATES, Reason
from allmende.steps.buckets import Bucket, BucketReader, in_bucket, part_for_each, table_writer
from allmende.steps.step import Parts, Settings
from allmende.tables import Tables

KEYS = ["url_key", "uid", "seen"]

SLICE_ROWS = 250_000
ROW_GROUP = 20_000


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each bucket."""
    del recipe
    return part_for_each(lake, "candidates")


def tasks(parts: Parts, workers: int) -> list[Parts]:
    """A part for each free worker; a worker that is alone gets all, and does as many at a time as it has cores."""
    return [parts] if workers == 1 else [{name: part} for name, part in parts.items()]


class Worker:
    """Deduplicates buckets."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        lake = self.settings.lake
        self.folder = lake.step("unique")
        self.candidates = BucketReader(lake, lake.step("candidates").files())
        self.earlier = [_earlier(root) for root in self.settings.recipe.dedup.earlier]

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        with ThreadPoolExecutor(self.settings.cores) as threads:  # Arrow and NumPy need no interpreter for most of it
            list(threads.map(self._part, task["parts"].keys(), task["parts"].values()))
        pa.default_memory_pool().release_unused()  # in the build's own process it would stay until the last step is done
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        bucket = (plan["bucket"], plan["buckets"])
        unique, url_keys, tally = self._decide(bucket)
        with self.folder.part(name, self.settings.plan) as part:
            with table_writer(part.file(".parquet"), CANDIDATES) as writer:
                for begin in range(0, len(unique.rows), SLICE_ROWS):
                    table = self._rows(bucket, unique, slice(begin, begin + SLICE_ROWS), len(url_keys))
                    writer.write_table(table, row_group_size=ROW_GROUP)
            part.commit({"candidate": tally})

    def _decide(self, bucket: Bucket) -> tuple[Unique, Keys, Tally]:
        url_keys, uids, seen = _keys(self.candidates.batches(*bucket, KEYS))
        known = [_keys(tables.batches(in_bucket(*bucket), KEYS)) for tables in self.earlier]
        none = np.empty(0, np.uint64)
        unique = unique_rows(
            url_keys,
            uids,
            seen,
            np.concatenate([none, *(k[0] for k in known)]),
            np.concatenate([none, *(k[1] for k in known)]),
        )
        limit = self.settings.recipe.dedup.max_url_seen
        rare = unique.url_seen <= limit if limit else np.ones(len(unique.rows), bool)
        kept = Unique(unique.rows[rare], unique.seen[rare], unique.url_seen[rare], unique.earlier)
        drops = {
            Reason.DUPLICATE: len(url_keys) - len(unique.rows) - unique.earlier,
            Reason.DUPLICATE_EARLIER: unique.earlier,
            Reason.URL_TOO_FREQUENT: len(unique.rows) - len(kept.rows),
        }
        tally = Tally(len(url_keys), len(kept.rows), {str(k): v for k, v in drops.items() if v})
        return kept, url_keys, tally

    def _rows(self, bucket: Bucket, unique: Unique, part: slice, total: int) -> pa.Table:
        wanted = unique.rows[part]
        mask = np.zeros(total, bool)
        mask[wanted] = True
        rows, batches, begin = [np.empty(0, np.int64)], [], 0
        for batch in self.candidates.batches(*bucket):
            end = begin + len(batch)
            if 2 * np.count_nonzero(mask[begin:end]) < len(batch):  # else a copy costs more than it saves memory
                rows.append(np.flatnonzero(mask[begin:end]) + begin)
                batches.append(batch.take(pa.array(rows[-1] - begin)))
            else:
                rows.append(np.arange(begin, end))
                batches.append(batch)
            begin = end
        # The stream has the order of the files; the part has the order of `wanted`.
        table = pa.Table.from_batches(batches, CANDIDATES)
        table = table.take(pa.array(np.searchsorted(np.concatenate(rows), wanted)))
        return table.set_column(
            table.schema.get_field_index("seen"), CANDIDATES.field("seen"), pa.array(unique.seen[part], pa.int32())
        )


def _earlier(root: str) -> Tables:
    """What an earlier dataset has: the samples of a dataset folder, or the metadata of a downloaded release."""
    lake = Lake(root)
    names = lake.step("samples").files() or [
        str(path).removeprefix(lake.path + "/") for path in lake.fs.find(lake.path) if str(path).endswith(".parquet")
    ]
    if not names:
        raise RecipeError(f"[dedup] earlier: {root} holds no dataset: neither samples/ nor metadata in Parquet.")
    return Tables(lake, names, CANDIDATES)


def _keys(batches: Iterable[pa.RecordBatch]) -> tuple[Keys, Keys, Counts]:
    """URL key, first half of the uid, occurrences: of all rows, in their order."""
    urls: list[Keys] = [np.empty(0, np.uint64)]
    uids: list[Keys] = [np.empty(0, np.uint64)]
    seen: list[Counts] = [np.empty(0, np.int64)]
    for batch in batches:
        urls.append(batch.column("url_key").to_numpy())
        uids.append(_first_half(batch.column("uid")))
        seen.append(batch.column("seen").to_numpy().astype(np.int64))
    return np.concatenate(urls), np.concatenate(uids), np.concatenate(seen)


def _first_half(uids: pa.Array) -> Keys:
    """The first 64 bits of hexadecimal uids, 32 characters each."""
    if not len(uids):
        return np.empty(0, np.uint64)
    _, offsets, text = uids.buffers()
    begin = int(np.frombuffer(offsets, np.int32)[uids.offset])
    letters = np.frombuffer(text, np.uint8)[begin : begin + 32 * len(uids)].reshape(-1, 32)[:, :16]
    return np.frombuffer(bytes.fromhex(letters.tobytes().decode("ascii")), ">u8").astype(np.uint64)
