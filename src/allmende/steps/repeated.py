"""Lines that repeat: the hashed lines of `pages/` in, those that many pages of a host have out, a part a bucket of hosts.

Pages that have their URL or their text from another page of the host count for nothing: a page that was captured ten times, or
can be had at ten addresses, would else lose all its lines. Lines are only counted for hosts with enough pages. Memory
is 40 bytes for each page of a bucket, and some 700 MB at most for its lines, which are counted in as many turns as it takes.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from allmende.dedup.repeats import Counter, Hashes, Options
from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.schema import DOCUMENTS
from allmende.steps.buckets import Bucket, BucketReader, part_for_each
from allmende.steps.pages import LINES, LINES_SCHEMA, line_options
from allmende.steps.step import Parts, Settings

Mask = NDArray[np.bool_]

REPEATED = pa.schema([DOCUMENTS.field("host_key"), pa.field("line", pa.uint64())])
"""A row for each line that repeats: its host, and its key, which is of this host alone."""

PAGE_KEYS = LINES_SCHEMA.remove(LINES_SCHEMA.get_field_index("lines"))
LINES_PER_TURN = 10_000_000
PAGES_AT_ONCE = 10_000


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each bucket."""
    del recipe
    return part_for_each(lake, "pages")


class Worker:
    """Counts lines."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.options = line_options(self.settings.recipe.repeats)
        lake = self.settings.lake
        self.pages = BucketReader(lake, lake.step("pages").files(LINES), LINES_SCHEMA)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            keys, hosts = self._frequent((part["bucket"], part["buckets"]))
            order = np.lexsort((keys, hosts))
            table = pa.table({"host_key": hosts[order], "line": keys[order]}, schema=REPEATED)
            with self.settings.lake.step("repeated").part(name, self.settings.plan) as writer:
                pq.write_table(table, writer.file(".parquet"), compression="zstd")
                writer.commit({}, facts={"lines": len(table), "hosts": len(np.unique(hosts))})
        return {"parts": len(task["parts"])}

    def _frequent(self, bucket: Bucket) -> tuple[Hashes, Hashes]:
        pages = self.pages.batches(*bucket, PAGE_KEYS.names)
        counts = counting_pages(pa.Table.from_batches(pages, PAGE_KEYS), self.options)
        turns = self.pages.values(*bucket, "lines") // LINES_PER_TURN + 1
        found = []
        for turn in range(turns if counts.any() else 0):
            counter, begin = Counter(self.options, (turn, turns)), 0
            for batch in self.pages.batches(*bucket, ["host_key", "lines"], PAGES_AT_ONCE):
                counter.add(batch.filter(pa.array(counts[begin : begin + len(batch)])))
                begin += len(batch)
            found.append(counter.frequent())
        nothing = np.empty(0, np.uint64)
        keys, hosts = zip((nothing, nothing), *found, strict=True)
        return np.concatenate(keys), np.concatenate(hosts)


def counting_pages(pages: pa.Table, options: Options) -> Mask:
    """Which pages count: the first with its URL and with its text on its host, if that host has enough of them.

    Args:
        pages: Columns `host_key`, `url_key` and `text_key`; a host's pages are all there.
        options: Says what is enough.
    """
    hosts, urls, texts = (pages.column(name).to_numpy() for name in ("host_key", "url_key", "text_key"))
    counts = _first(urls) & _first(texts ^ hosts)
    known, numbers = np.unique(hosts[counts], return_counts=True)
    return counts & np.isin(hosts, known[numbers >= options.documents])


def _first(values: Hashes) -> Mask:
    """Where each value comes for the first time."""
    first = np.zeros(len(values), np.bool_)
    first[np.unique(values, return_index=True)[1]] = True
    return first


def repeated_lines(lake: Lake, hosts: Hashes) -> Hashes:
    """Keys of the lines of some hosts that repeat, sorted."""
    found = [np.empty(0, np.uint64)]
    for name in lake.step("repeated").files():
        with lake.open(name) as file:
            for batch in pq.ParquetFile(file).iter_batches():
                here = np.isin(batch.column("host_key").to_numpy(), hosts)
                found.append(batch.column("line").to_numpy()[here])
    return np.sort(np.concatenate(found))
