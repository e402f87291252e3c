"""Columns of the files of a release, as a stream: of tables in Parquet, and of documents in JSON lines.

For whoever compares releases or reads those of others. What is damaged is an error here, with file and line; what is wrong
with a dataset in all is told by `allmende verify`.
"""

import io
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import LakeError
from allmende.publish.jsonl import SUFFIX

AT_ONCE = 1_000
"""Rows in memory."""


def read_columns(file: IO[bytes], name: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Some columns of a file of a release.

    Args:
        file: Open for reading, by `Lake.open`, which says what Arrow finds damaged.
        name: As it is called in messages; its end tells the format.
        schema: Columns wanted: strings, times, and 64-bit hashes. What the file lacks is null, if the column may be.

    Raises:
        LakeError: if a line is no document, or there is nothing in a column that may not be null.
    """
    for batch in _of_lines(file, name, schema) if name.endswith(SUFFIX) else _of_table(file, schema):
        for field in schema:
            if not field.nullable and batch.column(field.name).null_count:
                raise LakeError(f"{name}: rows without {field.name}. {_VERIFY}")
        yield batch


_VERIFY = "What else is wrong with it: allmende verify DATASET"


def _of_table(file: IO[bytes], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    source = pq.ParquetFile(file)
    names = [name for name in schema.names if name in source.schema_arrow.names]
    for batch in source.iter_batches(AT_ONCE, columns=names):
        there = [
            batch.column(field.name).cast(field.type) if field.name in names else pa.nulls(len(batch), field.type)
            for field in schema
        ]
        yield pa.RecordBatch.from_arrays(there, schema=schema)


def _of_lines(file: IO[bytes], name: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    if file.seek(0, io.SEEK_END) == 0:  # even a shard without documents has a frame
        raise LakeError(f"{name} can't be read: it is empty. {_VERIFY}")
    file.seek(0)
    unpacked = pa.CompressedInputStream(
        pa.PythonFile(file, "r"), "zstd"
    )  # zstandard's reader ends at a cut without a word
    decode = msgspec.json.Decoder(_line(schema)).decode
    hashes = [field.name for field in schema if pa.types.is_uint64(field.type)]
    lines, number = io.BufferedReader(unpacked, 1 << 20), 0
    while some := list(islice(lines, AT_ONCE)):
        rows = []
        for line in some:
            number += 1
            try:
                row = msgspec.structs.asdict(decode(line))
                row.update((key, int(row[key], 16)) for key in hashes if row[key])
            except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
                raise LakeError(f"{name}, line {number}: no document: {error}. {_VERIFY}") from error
            rows.append(row)
        yield pa.RecordBatch.from_pylist(rows, schema)


def _line(schema: pa.Schema) -> type[msgspec.Struct]:
    """What is read of a line: all else is passed over."""
    return msgspec.defstruct("Line", [(field.name, _kind(field.type) | None, None) for field in schema])


def _kind(kind: pa.DataType) -> Any:
    return datetime if pa.types.is_timestamp(kind) else str
