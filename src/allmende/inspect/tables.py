"""Tables: Parquet, CSV, TSV, JSON lines, JSON arrays, lists of lines."""

import csv
import io
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.inspect.finding import Column, Finding, examples, text_columns

LONGEST_LINE = 16 << 20
"""A line of a text table that is longer is taken as damage, bytes."""

LARGEST_JSON = 64 << 20
"""A JSON document has to be read whole; larger ones are only named."""


def parquet(file: IO[bytes], rows: int) -> Finding:
    """Rows, row groups, columns with their meaning, first rows. Reads the footer and the first rows only."""
    try:
        table = pq.ParquetFile(file)
        schema = table.schema_arrow
        first = [] if rows == 0 else next(table.iter_batches(batch_size=rows), _nothing(schema)).to_pylist()
        metadata = table.metadata
        writer = metadata.created_by
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        return Finding(kind="Parquet table", problems=(f"Can't be read: {str(error).splitlines()[0]}",))
    return Finding(
        kind="Parquet table",
        facts={"rows": metadata.num_rows, "row groups": metadata.num_row_groups, "written by": writer},
        columns=tuple(Column(field.name, str(field.type), _doc(field)) for field in schema),
        examples=examples(first),
    )


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def _doc(field: pa.Field) -> str:
    told: bytes = (field.metadata or {}).get(b"doc", b"")
    return told.decode("utf-8", "replace")


def delimited(stream: IO[bytes], separator: str, rows: int, limit: int) -> Finding:
    """A CSV or TSV table with a header line: rows, columns, first rows; counts rows that have too few or many cells."""
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
    finding = Finding(kind="TSV table" if separator == "\t" else "CSV table")
    reader = csv.reader(text, delimiter=separator)
    header: list[str] = []
    first: list[dict[str, Any]] = []
    count = ragged = 0
    try:
        header = next(reader, [])
        for cells in reader:
            if limit and count == limit:
                finding.complete = False
                break
            count += 1
            ragged += len(cells) != len(header)
            if len(first) < rows:
                first.append(dict(zip(header, cells, strict=False)))
    except (csv.Error, EOFError, OSError, zlib.error) as error:
        finding.problems = (f"Can't be read beyond row {count:,}: {error}",)
    if ragged:
        finding.problems += (f"{ragged:,} rows do not have the {len(header)} cells of the header.",)
    finding.facts = {"rows": count}
    finding.columns = text_columns(dict.fromkeys(header, "text"))
    finding.examples = examples(first)
    return finding


def json_lines(stream: IO[bytes], rows: int, limit: int) -> Finding:
    """A JSON document a line: rows, the fields of the first thousand, first rows; counts lines that are not JSON."""
    finding = Finding(kind="JSON lines")
    fields: dict[str, str] = {}
    first: list[dict[str, Any]] = []
    count = broken = 0
    for line in _lines(stream, finding):
        if limit and count == limit:
            finding.complete = False
            break
        count += 1
        try:
            row = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            broken += 1
            continue
        row = row if isinstance(row, dict) else {"(value)": row}
        if count <= 1000:
            fields |= {name: type(value).__name__ for name, value in row.items() if value is not None}
        if len(first) < rows:
            first.append(row)
    if broken:
        finding.problems += (f"{broken:,} lines are not JSON.",)
    finding.facts = {"rows": count}
    finding.columns = text_columns(fields)
    finding.examples = examples(first)
    return finding


def json_array(content: bytes, rows: int) -> Finding:
    """A JSON document that is a list of objects, or anything else that is JSON."""
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Finding(kind="JSON document", problems=(f"Not valid JSON: {error}",))
    if not isinstance(document, list):
        fields = examples([document]) if isinstance(document, dict) else ()
        return Finding(kind="JSON document", examples=fields)
    first = [row if isinstance(row, dict) else {"(value)": row} for row in document[:rows]]
    names = {name: type(value).__name__ for row in first for name, value in row.items()}
    return Finding(
        kind="JSON array",
        facts={"rows": len(document)},
        columns=text_columns(names),
        examples=examples(first),
    )


def lines(stream: IO[bytes], rows: int, limit: int) -> Finding:
    """A text file: how many lines, how many of them URLs, and the first ones."""
    finding = Finding(kind="text file")
    found = _lines(stream, finding)
    count = urls = 0
    first: list[dict[str, Any]] = []
    for line in islice(found, limit or None):
        count += 1
        urls += line.startswith((b"http://", b"https://"))
        if len(first) < rows:
            first.append({"line": line.decode("utf-8", "replace")})
    if limit and count == limit:
        finding.complete = next(found, None) is None
    finding.kind = "list of URLs" if count and urls == count else "text file"
    finding.facts = {"lines": count, "URLs": urls}
    finding.examples = examples(first)
    return finding


def _lines(stream: IO[bytes], finding: Finding) -> Iterator[bytes]:
    """Lines that are not blank; a line beyond all measure, or a stream that breaks, ends the reading with a problem."""
    try:
        while line := stream.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                finding.problems += (f"A line is longer than {LONGEST_LINE:,} bytes.",)
                return
            if not line.isspace():
                yield line.rstrip(b"\r\n")
    except (EOFError, OSError, zlib.error) as error:
        finding.problems += (f"The file is cut off or damaged: {error}",)
