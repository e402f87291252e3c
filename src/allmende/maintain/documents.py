"""Shards of documents in JSON lines: every line is a document with all fields, and every file has its digest.

Lines are read one by one from the compressed stream, so a file that unpacks to far more than it should is stopped at its
first line that is too long. Memory: one line.
"""

import hashlib
import io
from collections.abc import Iterator
from typing import IO, Any, cast

import pyarrow as pa
import zstandard

from allmende.maintain.problem import Flaw
from allmende.maintain.shards import MEMBER_BYTES, OF_DOCUMENT, Sample, ShardReader
from allmende.publish.jsonl import SUFFIX, row_of
from allmende.schema import DOCUMENTS

WINDOW_BYTES = 128 << 20
"""Window that a decoder of Zstandard may be asked to hold: that of level 22. Ours take 8 MiB."""


class _Hashed(io.RawIOBase):
    """A file that knows size and SHA-256 of what was read of it."""

    def __init__(self, file: Any):
        super().__init__()
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    def finish(self) -> tuple[int, str]:
        """Reads the rest. Size and digest of all."""
        while self.read(1 << 20):
            pass
        return self._size, self._digest.hexdigest()


def lines(reader: ShardReader, shard: str) -> Iterator[Sample]:
    """The documents of `SHARD.jsonl.zst`; the file itself is compared with its digest behind the last one."""
    name = f"{shard}{SUFFIX}"
    with reader.lake.open(reader.at(name)) as file:
        hashed = _Hashed(file)
        unpacked = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES).stream_reader(
            cast("IO[bytes]", hashed), read_across_frames=True, closefd=False
        )
        try:
            yield from _documents(reader, name, shard, io.BufferedReader(unpacked, 1 << 20))
        except (zstandard.ZstdError, OSError) as error:
            reader.problems.add(Flaw.TABLE_DAMAGED, name, f"can't be unpacked: {error}")
        reader.compare(name, *hashed.finish())


def _documents(reader: ShardReader, name: str, shard: str, file: IO[bytes]) -> Iterator[Sample]:
    before, number, names = "", 0, set(OF_DOCUMENT)
    while line := file.readline(MEMBER_BYTES):
        number += 1
        where = f"{name}, line {number}"
        if len(line) == MEMBER_BYTES:
            reader.problems.add(Flaw.TABLE_DAMAGED, name, f"line {number} is longer than {MEMBER_BYTES:,} bytes")
            return
        try:
            row = _checked(line, names)
        except ValueError as error:
            reader.problems.add(Flaw.JSON, where, str(error))
            continue
        names = set(row)
        key = row["key"]
        if not isinstance(key, str) or not key.isdecimal() or not key.startswith(shard) or key <= before:
            reader.problems.add(Flaw.KEY_ORDER, name, f"key {key!r} after {before!r}")
            return
        before = key
        yield Sample(f"{name}, document {key}", row, b"")


def _checked(line: bytes, names: set[str]) -> dict[str, Any]:
    """A line as a row whose values have the types of a table of documents.

    Raises:
        ValueError: if they have not, or if one of `names` is missing.
    """
    row = row_of(line)
    if lacking := sorted(names - row.keys()):
        raise ValueError(f"no document: lacks {', '.join(lacking[:10])}")
    schema = pa.schema([field for field in DOCUMENTS if field.name in row])
    try:
        pa.RecordBatch.from_pylist([{name: row[name] for name in schema.names}], schema)
    except (pa.ArrowException, TypeError, OverflowError, AttributeError) as error:
        raise ValueError(f"no document: {str(error).partition(chr(10))[0]}") from error
    return row
