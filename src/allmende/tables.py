"""Tables of a dataset, read: one that is damaged is an error that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import LakeError
from allmende.lake import Lake

if TYPE_CHECKING:
    import pyarrow.compute as pc

_READ = {"batch_readahead": 2, "fragment_readahead": 1, "use_threads": False}
"""By default Arrow reads ahead by some 16 batches of 4 files, which is most of the memory that some steps would need."""


def columns_of(lake: Lake, name: str) -> list[str]:
    """The names of a table's columns.

    Raises:
        LakeError: if it is damaged.
    """
    with lake.open(name) as file:
        names: list[str] = pq.ParquetFile(file).schema_arrow.names
        return names


def read(lake: Lake, name: str, columns: list[str]) -> pa.Table:
    """Columns of a table, in this order.

    Raises:
        LakeError: if it is damaged, or lacks one.
    """
    with lake.open(name) as file:
        table = pq.ParquetFile(file)
        _check(lake, name, table.schema_arrow, columns)
        return table.read(columns).select(columns)


def batches(lake: Lake, name: str, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """The same, at most so many rows at a time."""
    with lake.open(name) as file:
        table = pq.ParquetFile(file)
        _check(lake, name, table.schema_arrow, columns)
        for batch in table.iter_batches(rows, columns=columns):
            yield batch.select(columns)


def _check(lake: Lake, name: str, schema: pa.Schema, columns: list[str]) -> None:
    if lacking := sorted(set(columns) - set(schema.names)):
        raise LakeError(f"{lake.url(name)} lacks the columns {', '.join(lacking)}. See: allmende verify {lake.root}")


class Tables:
    """Tables of one schema, read as if they were one. What a filter rules out by a row group's statistics is not read.

    Args:
        lake: The dataset.
        names: The tables' names in it; there may be none.
        schema: What they have.
    """

    def __init__(self, lake: Lake, names: list[str], schema: pa.Schema):
        import pyarrow.dataset as pads  # 0.1 to 0.3 s that workers save who need none of this

        self._lake = lake
        self._names = names
        with self._undamaged():
            self._all = pads.dataset([lake.at(name) for name in names], schema, "parquet", lake.fs)

    def read(self, where: "pc.Expression | None" = None, columns: list[str] | None = None) -> pa.Table:
        """Rows that a filter leaves, in the order of the tables.

        Raises:
            LakeError: if a table is damaged or missing.
        """
        with self._undamaged():
            return self._all.to_table(columns, where, **_READ)

    def batches(
        self, where: "pc.Expression | None" = None, columns: list[str] | None = None, rows: int = 131_072
    ) -> Iterator[pa.RecordBatch]:
        """The same, as a stream, at most so many rows at a time."""
        with self._undamaged():
            yield from self._all.to_batches(columns=columns, filter=where, batch_size=rows, **_READ)

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        """Names the table that an error is about, which Arrow does not always do."""
        with self._lake.undamaged(self._names[0].rpartition("/")[0] if self._names else ""):
            try:
                yield
            except (pa.ArrowException, OSError):
                for name in self._names:
                    with self._lake.open(name) as file:
                        for _ in pq.ParquetFile(file).iter_batches():
                            pass
                raise
