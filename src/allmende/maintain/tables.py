"""Tables of a dataset, read by commands of people: one that is damaged is an error that names it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import LakeError
from allmende.lake import Lake


@contextmanager
def damaged(lake: Lake, name: str) -> Iterator[None]:
    """Turns what Arrow says of a table into a `LakeError`."""
    try:
        yield
    except LakeError:
        raise
    except (pa.ArrowException, OSError) as error:
        what = (str(error).partition("\n")[0] or type(error).__name__).rstrip(".")
        url = lake.url(name)
        raise LakeError(f"{url} can't be read: {what}. What else is wrong: allmende verify {lake.root}") from error


def columns_of(lake: Lake, name: str) -> list[str]:
    """The names of a table's columns.

    Raises:
        LakeError: if it is damaged.
    """
    with damaged(lake, name), lake.open(name) as file:
        names: list[str] = pq.ParquetFile(file).schema_arrow.names
        return names


def read(lake: Lake, name: str, columns: list[str]) -> pa.Table:
    """Columns of a table, in this order.

    Raises:
        LakeError: if it is damaged, or lacks one.
    """
    with damaged(lake, name), lake.open(name) as file:
        table = pq.ParquetFile(file)
        _check(lake, name, table.schema_arrow, columns)
        return table.read(columns).select(columns)


def batches(lake: Lake, name: str, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """The same, at most so many rows at a time."""
    with damaged(lake, name), lake.open(name) as file:
        table = pq.ParquetFile(file)
        _check(lake, name, table.schema_arrow, columns)
        for batch in table.iter_batches(rows, columns=columns):
            yield batch.select(columns)


def _check(lake: Lake, name: str, schema: pa.Schema, columns: list[str]) -> None:
    if lacking := sorted(set(columns) - set(schema.names)):
        raise LakeError(f"{lake.url(name)} lacks the columns {', '.join(lacking)}. See: allmende verify {lake.root}")
