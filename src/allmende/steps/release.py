"""Shards: `samples/` in, `release/shards/` out, a part a shard.

Samples are spread over the shards at random but reproducibly: a group of parts, taken at even distances across all hosts,
is sorted by `order_key` and cut into shards. A group has at most about `GROUP_SAMPLES` samples, so that
its metadata fits into memory; a dataset smaller than that is shuffled as a whole.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import File, Lake, Manifest, Tally, part_id
from allmende.publish.sink import Shard, index_digits, load_sink
from allmende.recipe import Recipe
from allmende.schema import SAMPLES
from allmende.steps.step import Parts, Settings

GROUP_SAMPLES = 160_000
READ_AT_ONCE = 64


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each shard: the parts of its group, and which cut of them it is."""
    samples = [(m.part, m.counts["sample"].kept) for m in lake.step("samples").manifests()]
    groups = max(1, ceil(sum(kept for _, kept in samples) / GROUP_SAMPLES))
    parts: Parts = {}
    for number in range(groups):
        group = [(part, kept) for part, kept in samples[number::groups] if kept]
        total = sum(kept for _, kept in group)
        shards = ceil(total / recipe.publish.shard_size)
        for cut in range(shards):
            parts[part_id(len(parts))] = {"samples": [part for part, _ in group], "cut": cut, "of": shards}
    return parts


class Worker:
    """Writes shards."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.sink = load_sink(self.settings.recipe.publish.sink)
        self.group = lru_cache(maxsize=1)(self._group)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        folder = self.settings.lake.step("release/shards")
        for name, part in task["parts"].items():
            table = self.group(tuple(part["samples"]))
            begin, end = (len(table) * cut // part["of"] for cut in (part["cut"], part["cut"] + 1))
            with folder.part(name, self.settings.plan) as writer:
                shard = self.sink.write(
                    Shard(int(name), index_digits(self.settings.recipe.publish.shard_size)),
                    self._samples(table.slice(begin, end - begin)),
                    writer.aside,
                )
                tally = Tally(end - begin, shard.rows)
                writer.commit({"sample": tally}, files={f.name: File(f.bytes, f.sha256) for f in shard.files})
        return {"parts": len(task["parts"])}

    def _group(self, parts: tuple[str, ...]) -> pa.Table:
        """Metadata of all samples of a group, in the order of the release, with the name of their .bin file."""
        folder = self.settings.lake.step("samples")
        tables = [self._metadata(folder.manifest(part)) for part in parts]
        return pa.concat_tables(tables).sort_by([("order_key", "ascending"), ("uid", "ascending")])

    def _metadata(self, manifest: Manifest) -> pa.Table:
        with self.settings.lake.open(f"samples/{manifest.file('.parquet')}") as file:
            table = pq.read_table(file, schema=SAMPLES)
        return table.append_column("bin", pa.array([manifest.file(".bin")] * len(table)).dictionary_encode())

    def _samples(self, table: pa.Table) -> Iterator[tuple[dict[str, Any], bytes]]:
        lake = self.settings.lake
        for begin in range(0, len(table), READ_AT_ONCE):
            rows = table.slice(begin, READ_AT_ONCE).to_pylist()
            names = [lake.at(f"samples/{row.pop('bin')}") for row in rows]
            starts = [row["data_offset"] for row in rows]
            ends = [row["data_offset"] + row["data_size"] for row in rows]
            yield from zip(rows, lake.fs.cat_ranges(names, starts, ends, on_error="raise"), strict=True)


def shard_files(lake: Lake) -> list[str]:
    """Names of all files of the release's shards."""
    return [f"release/shards/{name}" for m in lake.step("release/shards").manifests() for name in m.files]
