"""Reads tables of URLs in the formats people have them in: parquet, csv, tsv, json, jsonl, txt, and .gz of those.

Batch by batch, so a table may be larger than memory (a .json array may not: it has to be read whole; JSON lines under that
name are read as such). A line that can't be
parsed is counted and skipped.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO, cast

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from allmende.errors import AllmendeError, RecipeError, SourceError
from allmende.recipe import Select

BLOCK_BYTES = 4 << 20
BATCH_ROWS = 10_000
FORMATS = ("parquet", "csv", "tsv", "json", "jsonl", "txt")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table, and how many lines before them could not be parsed."""

    rows: pa.Table
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a table before it is read."""

    rows: int
    """Roughly, but for Parquet."""
    row_groups: list[int]
    """Rows of each row group of Parquet; empty for others."""
    kinds: dict[str, str]
    """Kinds of the columns to keep, by name: bool, int64, double or string; none for a table that does not tell."""


def format_of(location: str) -> str:
    """The format that a file's name promises.

    Raises:
        RecipeError: if it promises none that we read.
    """
    name = location.split("?", maxsplit=1)[0].lower().removesuffix(".gz")
    suffix = name.rsplit(".", 1)[-1]
    suffix = {"ndjson": "jsonl", "pq": "parquet"}.get(suffix, suffix)
    if suffix not in FORMATS:
        raise RecipeError(
            f"{location}: not a URL table by its name. Names end in {', '.join(FORMATS)}, or in .gz of those."
        )
    if suffix == "parquet" and location.endswith(".gz"):
        raise RecipeError(f"{location}: Parquet is not read from inside gzip. Unpack it: gunzip {location}")
    return suffix


def look(location: str, url_column: str, caption_column: str, keep_columns: Sequence[str] = ()) -> Look:
    """What a table is like, so that a column of another name is known before any work. Of Parquet only the metadata is read.

    Args:
        location: Path or fsspec URL.
        url_column: The column that must be there.
        caption_column: Must be there, too, unless it is empty or the default: a table may well have no captions.
        keep_columns: These must be there.

    Raises:
        SourceError, RecipeError: as `read`; also for captions.
    """
    schema: pa.Schema | None
    with _opened(location) as file:
        if format_of(location) == "parquet":
            of = _parquet(file, location)
            groups = [of.metadata.row_group(i).num_rows for i in range(of.metadata.num_row_groups)]
            schema, rows = of.schema_arrow, of.metadata.num_rows
        else:
            file.seek(0, 2)
            packed = 4 if location.endswith(".gz") else 1
            rows, groups = file.tell() * packed // 100, []
            file.seek(0)
            schema = _first_columns(file, location, url_column)
    if schema is None:
        return Look(rows, groups, {})
    _check_column(location, schema.names, "url", url_column)
    if caption_column not in ("", Select().caption_column):
        _check_column(location, schema.names, "caption", caption_column)
    for name in keep_columns:
        _check_column(location, schema.names, "keep", name)
    return Look(rows, groups, {name: _kind(schema.field(name).type) for name in keep_columns})


def _first_columns(file: BinaryIO, location: str, url_column: str) -> pa.Schema | None:
    """The columns of the first rows; None if nothing tells them, as JSON without a row."""
    with closing(_batches(file, location, url_column)) as batches:
        first = next(batches, None)
    if first is None or (not len(first.rows) and format_of(location).startswith("json")):
        return None
    return first.rows.schema


def _kind(of: pa.DataType) -> str:
    if pa.types.is_boolean(of):
        return "bool"
    if pa.types.is_integer(of) and of != pa.uint64():
        return "int64"
    return "double" if pa.types.is_floating(of) else "string"


def read(location: str, url_column: str, row_groups: list[int] | None = None) -> Generator[Batch, None, None]:
    """Reads a table batch by batch. A txt file has one column, named `url_column`.

    Args:
        location: Path or fsspec URL.
        url_column: The column that must be there.
        row_groups: Parquet only: which row groups; all by default.

    Raises:
        SourceError: if the file can't be opened or is not in its format.
        RecipeError: if it lacks `url_column`, or has several columns of one name.
    """
    with _opened(location) as file:
        yield from _batches(file, location, url_column, row_groups)


def _batches(
    file: BinaryIO, location: str, url_column: str, row_groups: list[int] | None = None
) -> Generator[Batch, None, None]:
    kind = format_of(location)
    try:
        if kind == "parquet":
            batches: Iterator[Batch] = _read_parquet(_parquet(file, location), row_groups)
        else:
            stream = gzip.GzipFile(fileobj=file) if location.endswith(".gz") else file
            batches = _READERS[kind](cast(BinaryIO, stream), url_column)
        for batch in batches:
            _check_column(location, batch.rows.column_names, "url", url_column)
            yield batch
    except AllmendeError:
        raise
    except _DAMAGE as error:
        raise SourceError(f"{location} is not a readable {kind} file: {error}") from error


def _check_column(location: str, names: list[str], of: str, wanted: str) -> None:
    if wanted not in names:
        there = ", ".join(names) or "none"
        raise RecipeError(
            f"{location} has no column {wanted!r}; it has: {there}. "
            f"Say which it is: --{of}-column, or select.{of}_column{'s' * (of == 'keep')} in a recipe."
        )
    if several := [name for name, count in Counter(names).items() if count > 1]:
        raise RecipeError(f"{location} has more than one column {several[0]!r}. Rename or remove all but one.")


_DAMAGE = (pa.ArrowException, OSError, EOFError, ValueError, TypeError, zlib.error, csv.Error)
"""What the readers raise on damaged files: found by fuzzing (tests/fuzz/corpus/url_table)."""


def _opened(location: str) -> BinaryIO:
    try:
        return cast(BinaryIO, fsspec.open(location, "rb").open())
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(f"{location} can't be opened: {error}") from error


def _parquet(file: BinaryIO, location: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{location} is not a readable parquet file: {error}") from error


def _read_parquet(file: pq.ParquetFile, row_groups: list[int] | None) -> Iterator[Batch]:
    if not file.metadata.num_rows:
        yield Batch(file.schema_arrow.empty_table())
    for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=row_groups):
        yield Batch(pa.Table.from_batches([batch]))


def _read_delimited(stream: BinaryIO, delimiter: str) -> Iterator[Batch]:
    malformed = 0

    def skip(row: pyarrow.csv.InvalidRow) -> str:
        nonlocal malformed
        malformed += 1
        return "skip"

    header = stream.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    if "\0" in header:
        raise ValueError("it is not text in UTF-8")
    names = next(csv.reader([header], delimiter=delimiter), [])
    try:
        reader = pyarrow.csv.open_csv(
            _Utf8(stream),
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False, column_names=names),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            # Types guessed from the first block may not fit the next one; text always does.
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            yield Batch(pa.table({name: pa.array([], pa.string()) for name in names}))
            return
        raise
    for batch in reader:
        yield Batch(pa.Table.from_batches([batch]), malformed)
        malformed = 0
    if malformed:
        yield Batch(reader.schema.empty_table(), malformed)


class _Utf8(io.RawIOBase):
    """A stream whose bytes that are no UTF-8 become U+FFFD: pyarrow would give up the file, or lose the line."""

    def __init__(self, stream: BinaryIO):
        super().__init__()
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """About `size` bytes: a few more or less where some were repaired."""
        data = b""
        while not data:
            stored = self._stream.read(max(1, size // 3) if size >= 0 else size)
            data = self._decoder.decode(stored, final=not stored).encode()
            if not stored:
                break
        return data


def _read_csv(stream: BinaryIO, url_column: str) -> Iterator[Batch]:
    del url_column
    return _read_delimited(stream, ",")


def _read_tsv(stream: BinaryIO, url_column: str) -> Iterator[Batch]:
    del url_column
    return _read_delimited(stream, "\t")


def _read_jsonl(stream: Iterable[bytes], url_column: str) -> Iterator[Batch]:
    rows: list[dict[str, Any]] = []
    malformed = 0
    for line in stream:
        if not line.strip():
            continue
        try:
            rows.append(_texts(msgspec.json.decode(line)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError):
            malformed += 1
        if len(rows) >= BATCH_ROWS:
            yield Batch(_table(rows, url_column), malformed)
            rows, malformed = [], 0
    if rows or malformed:
        yield Batch(_table(rows, url_column), malformed)


def _read_json(stream: BinaryIO, url_column: str) -> Iterator[Batch]:
    head, more = (next((line for line in stream if line.strip()), b"") for _ in range(2))
    if more and _is_object(head):
        yield from _read_jsonl(chain((head, more), stream), url_column)
        return
    try:
        values = msgspec.json.decode(head + more + stream.read())
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"{_NO_TABLE} ({error})") from error
    if isinstance(values, dict):
        values = _rows_of_columns(values) if all(isinstance(c, dict | list) for c in values.values()) else [values]
    if not isinstance(values, list):
        raise TypeError(_NO_TABLE)
    rows, malformed = [], 0
    for value in values:
        try:
            rows.append(_texts(value))
        except TypeError:
            malformed += 1
    yield Batch(_table(rows, url_column), malformed)


_NO_TABLE = "it holds neither a list of objects, nor columns of one length, nor an object a line"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _rows_of_columns(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of columns as pandas writes them by default: {"url": {"0": ..., "1": ...}}, or as lists."""
    columns = {name: list(column.values() if isinstance(column, dict) else column) for name, column in values.items()}
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{len(column):,} in {name}" for name, column in columns.items())
        raise ValueError(f"{_NO_TABLE}: there are {lengths}")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _read_txt(stream: BinaryIO, url_column: str) -> Iterator[Batch]:
    lines: list[str] = []
    for line in stream:
        text = line.decode("utf-8", "replace").strip()
        if text:
            lines.append(text)
        if len(lines) >= BATCH_ROWS:
            yield Batch(pa.table({url_column: lines}))
            lines = []
    if lines:
        yield Batch(pa.table({url_column: lines}))


def _texts(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return {name: item if item is None or isinstance(item, str) else str(item) for name, item in value.items()}


def _table(rows: list[dict[str, Any]], url_column: str) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row) or {url_column: None}
    return pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})


_READERS: dict[str, Callable[[BinaryIO, str], Iterator[Batch]]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_jsonl,
    "json": _read_json,
    "txt": _read_txt,
}
