"""Shards: `samples/` in, `release/shards/` out, a part a shard.

Samples are spread over the shards at random but reproducibly: a group of parts, taken at even distances across all hosts,
is sorted by `order_key` and cut into shards. A group has at most about `GROUP_SAMPLES` samples; a dataset smaller than that is
shuffled as a whole. Parts are sorted themselves, so a shard is a run of rows of each part of its group.

To find that run, a part is read, which is most of what a small shard costs. So a task is several shards in a row where shards are
small, and reads each part once: a group is read less than 32 times, and a worker holds the metadata of one shard, or of some
10,000 samples. Smaller row groups in the parts were tried: they help little, and the files become half as large again.

Cut i of n holds the samples whose order_key lies in the i-th of n equal ranges. So a sample that is taken down is missing from
its own shard and changes no other, whether it was removed from a release or was never let in. Samples that were taken
down still count where the number of shards is decided.
"""

from collections.abc import Iterator
from math import ceil, sqrt
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.parts import File, Manifest, Tally, part_id
from allmende.publish.member import kept_fields
from allmende.publish.sink import Shard, index_digits, load_sink
from allmende.recipe import Recipe
from allmende.schema import SAMPLES, Reason
from allmende.steps.kept_columns import kept_columns
from allmende.steps.step import Parts, Settings

GROUP_SAMPLES = 160_000
TASK_SHARE = 16
"""Several shards are a task if together they are at most one in so many of their group's."""
READ_AT_ONCE = 64


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each shard: the parts of its group, and which cut of them it is."""
    samples = [(m.part, _placed(m.counts["sample"])) for m in lake.step("samples").manifests()]
    groups = max(1, ceil(sum(rows for _, rows in samples) / GROUP_SAMPLES))
    size = mean_size(recipe.publish.shard_size)
    parts: Parts = {}
    for number in range(groups):
        group = [(part, rows) for part, rows in samples[number::groups] if rows]
        shards = ceil(sum(rows for _, rows in group) / size)
        for cut in range(shards):
            parts[part_id(len(parts))] = {"samples": [part for part, _ in group], "cut": cut, "of": shards}
    return parts


def tasks(parts: Parts, workers: int) -> list[Parts]:
    """Shards in a row of a group, for which its parts are read once."""
    del workers
    grouped: dict[tuple[str, int], Parts] = {}
    for name, part in parts.items():
        together = max(1, part["of"] // TASK_SHARE)
        grouped.setdefault((part["samples"][0], part["cut"] // together), {})[name] = part
    return list(grouped.values())


def _placed(tally: Tally) -> int:
    """Samples, and those that a take-down left a gap for."""
    return tally.kept + tally.dropped.get(Reason.TAKEN_DOWN, 0)


def mean_size(shard_size: int) -> float:
    """Samples in a shard, on average.

    Sizes vary like a Poisson count. Where the keys of a shard have no digits to spare, room is left for six standard
    deviations: one shard in a billion is larger than that.
    """
    room = float(10 ** index_digits(shard_size))
    return min(shard_size, room - 6 * sqrt(room))


def cut_of(order_key: int, cuts: int) -> int:
    """Which cut of a group a sample belongs to."""
    return order_key * cuts >> 64


def range_of(order_keys: "np.ndarray[Any, np.dtype[np.uint64]]", cut: int, cuts: int) -> tuple[int, int]:
    """Where one cut of a group begins and ends, whose keys are sorted."""
    # The smallest key of cut i is i * 2**64 / n, rounded up; that of the cut behind the last does not fit 64 bits.
    first = np.array([-(-edge * 2**64 // cuts) for edge in (cut, cut + 1) if edge < cuts], np.uint64)
    edges = np.searchsorted(order_keys, first).tolist()
    begin, end = (*edges, len(order_keys))[:2]
    return begin, end


def _cuts(table: pa.Table, first: int, last: int, cuts: int) -> pa.Table:
    """The rows of some cuts in a row, of a table that is sorted by order_key."""
    keys = table.column("order_key").to_numpy()
    begin, end = range_of(keys, first, cuts)[0], range_of(keys, last, cuts)[1]
    return table.slice(begin, end - begin)


def _with_extra(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with the kept columns of its URL table as such."""
    extra = row.pop("extra")
    return row | msgspec.json.decode(extra) if extra else row


class Worker:
    """Writes shards."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.sink = load_sink(self.settings.recipe.publish.sink)
        self.schema = pa.schema([*SAMPLES, *kept_fields(kept_columns(self.settings.lake))])

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task, which are all of one group."""
        folder = self.settings.lake.step("release/shards")
        parts: Parts = task["parts"]
        wanted = [part["cut"] for part in parts.values()]
        some = next(iter(parts.values()))
        group = self._group(some["samples"], min(wanted), max(wanted), some["of"])
        for name, part in parts.items():
            table = _cuts(group, part["cut"], part["cut"], part["of"])
            with folder.part(name, self.settings.plan, part.get("round", 0)) as writer:
                shard = self.sink.write(
                    Shard(int(name), index_digits(self.settings.recipe.publish.shard_size), self.schema),
                    self._samples(table),
                    writer.aside,
                )
                tally = Tally(len(table), shard.rows)
                writer.commit({"sample": tally}, files={f.name: File(f.bytes, f.sha256) for f in shard.files})
        return {"parts": len(parts)}

    def _group(self, parts: list[str], first: int, last: int, cuts: int) -> pa.Table:
        """Metadata of some cuts of a group, in the order of the release, with the name of the samples' .bin file."""
        folder = self.settings.lake.step("samples")
        tables = [self._metadata(folder.manifest(part), first, last, cuts) for part in parts]
        return pa.concat_tables(tables).sort_by([("order_key", "ascending"), ("uid", "ascending")])

    def _metadata(self, manifest: Manifest, first: int, last: int, cuts: int) -> pa.Table:
        with self.settings.lake.open(f"samples/{manifest.file('.parquet')}") as file:
            table = _cuts(pq.read_table(file, schema=SAMPLES, use_threads=False), first, last, cuts)
        table = table.take(pa.array(np.arange(len(table))))  # a copy: a slice would hold on to the whole
        names = pa.array([manifest.file(".bin")] * len(table), pa.string())
        return table.append_column("bin", names.dictionary_encode())

    def _samples(self, table: pa.Table) -> Iterator[tuple[dict[str, Any], bytes]]:
        for begin in range(0, len(table), READ_AT_ONCE):
            rows = [_with_extra(row) for row in table.slice(begin, READ_AT_ONCE).to_pylist()]
            names = [f"samples/{row.pop('bin')}" for row in rows]
            begins = [row["data_offset"] for row in rows]
            ends = [row["data_offset"] + row["data_size"] for row in rows]
            yield from zip(rows, self.settings.lake.read_ranges(names, begins, ends), strict=True)
