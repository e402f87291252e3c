"""Buckets: how rows of all parts that belong together find each other without a shuffle.

Every file of candidates is written in row groups that each hold one bucket, a range of `host_key` (documents: of `text_key`). Whoever needs
a bucket reads just those row groups of each file, found by their statistics. All URLs of a host, and all
captions of a URL, are in one bucket.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.dedup.exact import Keys
from allmende.lake import Lake
from allmende.parts import part_id
from allmende.schema import CANDIDATES
from allmende.steps.step import Parts

Bucket = tuple[int, int]
"""The number of one, and how many there are."""

ROWS_PER_BUCKET = 1_000_000
FEWEST, MOST = 8, 4096
"""Eight, so that even a small job spreads over workers; no more than what keeps row groups at a useful size."""

HELD_BYTES = 1 << 25
"""Rows that wait until there are more: with 128 buckets, a row group for each archive has 150 rows, and to read it takes three
times as long as if there were five archives in it."""

FOOTER_BYTES = 1 << 25
"""Footers that a reader keeps, so as not to parse them anew for each bucket; in memory they take ten times as much."""


def bucket_count(rows: int) -> int:
    """Number of buckets for about that many rows: a power of two."""
    wanted = max(1, rows // ROWS_PER_BUCKET)
    return min(MOST, max(FEWEST, 1 << (wanted - 1).bit_length()))


def part_for_each(lake: Lake, step: str) -> Parts:
    """The plan of a step that goes through the buckets of another."""
    plan = lake.step(step).read_plan()
    assert plan is not None
    buckets = max((part["buckets"] for part in plan.parts.values()), default=1)
    return {part_id(bucket): {"bucket": bucket, "buckets": buckets} for bucket in range(buckets)}


def in_bucket(bucket: int, buckets: int, key_column: str = "host_key") -> pc.Expression:
    """Filter for the rows of one bucket out of `buckets`, a power of two."""
    width = 2**64 // buckets
    key = pc.field(key_column)
    low, high = (pa.scalar(value, pa.uint64()) for value in (bucket * width, bucket * width + (width - 1)))
    return (key >= low) & (key <= high)


def _first_keys(file: pq.ParquetFile, key_column: str) -> Keys:
    """The smallest key of each row group."""
    column = file.schema_arrow.get_field_index(key_column)  # `metadata.schema` would keep itself in memory
    groups = map(file.metadata.row_group, range(file.num_row_groups))
    return np.array([group.column(column).statistics.min for group in groups], np.uint64)


def _shift(buckets: int) -> np.uint64:
    return np.uint64(64 - (buckets.bit_length() - 1))


def table_writer(path: str | Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Writes rows in no order but that of their bucket: a dictionary where values repeat, statistics only of numbers.

    Both for each column take a sixth more time, and files are a twentieth larger.

    Args:
        path: Of the file.
        schema: Simple columns, and lists of such. 64 bits without a sign are a hash.
    """
    repeated = [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in schema
        if field.name not in {"uid", "url"} and not pa.types.is_uint64(field.type)
    ]
    numbers = [field.name for field in schema if pa.types.is_primitive(field.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated, write_statistics=numbers)


class BucketWriter:
    """Writes rows with a 64-bit key to a Parquet file, a row group for each bucket whenever `HELD_BYTES` came together."""

    def __init__(self, path: str, buckets: int, schema: pa.Schema = CANDIDATES, key_column: str = "host_key"):
        self._key_column = key_column
        self._writer = table_writer(path, schema)
        self._shift = _shift(buckets)
        self._held: list[pa.Table] = []
        self._bytes = 0

    def write(self, table: pa.Table) -> None:
        """Appends rows; those of one bucket stay in their order."""
        if len(table):
            self._held.append(table)
            self._bytes += table.nbytes
        if self._bytes >= HELD_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        table = pa.concat_tables(self._held)
        self._held, self._bytes = [], 0
        buckets = table.column(self._key_column).to_numpy() >> self._shift
        order = np.argsort(buckets, kind="stable")
        table, edges = table.take(pa.array(order)), np.flatnonzero(np.diff(buckets[order])) + 1
        for begin, end in itertools.pairwise([0, *edges.tolist(), len(table)]):
            self._writer.write_table(table.slice(begin, end - begin))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writer:
            if kind is None:
                self._flush()


class BucketReader:
    """Reads files of `BucketWriter`, a bucket at a time.

    A filter by `in_bucket` does the same for files of any kind, but takes two to eight times as long, and has the footers of all
    of them in memory.

    Args:
        lake: The dataset.
        names: The files' names in it; there may be none.
        schema: As for the writer.
        key_column: Likewise.
    """

    def __init__(self, lake: Lake, names: list[str], schema: pa.Schema = CANDIDATES, key_column: str = "host_key"):
        self._lake = lake
        self._names = names
        self._schema = schema
        self._key_column = key_column
        self._first: dict[str, Keys] = {}
        self._footers: dict[str, pq.FileMetaData] = {}
        self._room = FOOTER_BYTES

    def batches(
        self, bucket: int, buckets: int, columns: list[str] | None = None, rows: int = 65_536
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a bucket, in the order of the files, at most so many at a time.

        Raises:
            LakeError: if a file is damaged or missing.
        """
        for file, groups in self._groups(bucket, buckets):
            yield from file.iter_batches(rows, groups, columns, use_threads=False)

    def read(self, bucket: int, buckets: int) -> pa.Table:
        """All of them at once."""
        return pa.Table.from_batches(self.batches(bucket, buckets), self._schema)

    def values(self, bucket: int, buckets: int, column: str) -> int:
        """How many values a column has in a bucket, those in lists added up; nothing but footers is read."""
        number = self._schema.get_field_index(column)
        files = self._groups(bucket, buckets)
        return sum(
            file.metadata.row_group(group).column(number).num_values for file, groups in files for group in groups
        )

    def _groups(self, bucket: int, buckets: int) -> Iterator[tuple[pq.ParquetFile, list[int]]]:
        """The files, and their row groups that hold a bucket."""
        for name in self._names:
            with self._lake.undamaged(name), self._open(name) as file:
                yield file, np.flatnonzero(self._first[name] >> _shift(buckets) == bucket).tolist()

    def _open(self, name: str) -> pq.ParquetFile:
        footer, where = self._footers.get(name), self._lake.at(name)
        file = pq.ParquetFile(where, metadata=footer, pre_buffer=True, filesystem=self._lake.fs)
        if name not in self._first:
            self._first[name] = _first_keys(file, self._key_column)
            self._room -= file.metadata.serialized_size
            if self._room > 0:
                self._footers[name] = file.metadata
        return file
