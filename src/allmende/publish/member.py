"""The parts of a released sample that every format shares: its JSON, its metadata columns, files with a digest."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import RecipeError
from allmende.publish.sink import Row, Shard, WrittenFile

BUILD_COLUMNS = frozenset({"data_offset", "data_size", "extra"})
"""Columns that point into the build's own files, or hold what has columns of its own in a release; no release has them."""

HASH_COLUMNS = frozenset({"url_key", "host_key", "caption_key", "text_key", "order_key"})
"""Columns that serve the build's bucketing; in the metadata table, but not in each sample's JSON."""

CLOCK_COLUMNS = frozenset({"fetched_at", "fetch_ms"})
"""Columns that differ from one build to the next. They stand in the metadata table only, so that two
builds of the same recipe from the same answers give the same archives, byte for byte."""

CLOCK_FIELDS = frozenset({"at"})
"""The same within a list column: when a permission signal was read."""

IMG2DATASET = (
    "url",
    "caption",
    "key",
    "status",
    "error_message",
    "width",
    "height",
    "original_width",
    "original_height",
    "exif",
    "sha256",
)
"""Fields of img2dataset's JSON, in its order; readers of its output find them here under the same names."""

STATUS_FIELDS = (
    pa.field("status", pa.string(), metadata={"doc": "success: for readers of img2dataset's metadata."}),
    pa.field("error_message", pa.string(), metadata={"doc": "null: for readers of img2dataset's metadata."}),
)

ROWS_PER_GROUP = 1_000
"""Rows in a row group of the metadata table: some 500 kB, read as a whole to find one sample."""

_ROWS_PER_BATCH = 500


def has_images(schema: pa.Schema) -> bool:
    """True for rows that come with an image; documents don't."""
    return "data_size" in schema.names


def check_images(shard: Shard, sink: str) -> None:
    """Makes sure that a sink for images is not given documents.

    Raises:
        RecipeError: if it is.
    """
    if not has_images(shard.schema):
        raise RecipeError(f'publish.sink = "{sink}" is for images: choose parquet or jsonl for text.')


def released(schema: pa.Schema) -> list[pa.Field]:
    """The columns of a build's samples that go into a release."""
    return [field for field in schema if field.name not in BUILD_COLUMNS]


def kept_fields(kept: Mapping[str, str]) -> list[pa.Field]:
    """Columns of a release that were kept of a URL table, from their kinds by name: bool, int64, double or string."""
    about = {"doc": "Column of the URL table, which the recipe keeps."}
    return [pa.field(name, pa.type_for_alias(kind), metadata=about) for name, kind in kept.items()]


def json_fields(schema: pa.Schema) -> list[str]:
    """Names of the fields of a sample's JSON: img2dataset's, then ours."""
    hidden = BUILD_COLUMNS | HASH_COLUMNS | CLOCK_COLUMNS | set(IMG2DATASET)
    return [*IMG2DATASET, *(name for name in schema.names if name not in hidden)]


def described(row: Row, key: str, fields: Iterable[str]) -> bytes:
    """A sample's JSON, indented by four like img2dataset's, UTF-8.

    Every field is there in every sample, null where nothing is known. Times are RFC 3339.
    """
    document = {name: row.get(name) for name in fields} | {"key": key, "status": "success", "error_message": None}
    document |= {name: _unclocked(value) for name, value in document.items() if isinstance(value, list)}
    return msgspec.json.format(msgspec.json.encode(document), indent=4)


def _unclocked(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: part for name, part in item.items() if name not in CLOCK_FIELDS} for item in items]


def statistics(rows: int) -> bytes:
    """A shard's `_stats.json`, as img2dataset writes it, without `duration`: what went wrong never reached a shard."""
    counts = {"count": rows, "successes": rows, "failed_to_download": 0, "failed_to_resize": 0}
    return msgspec.json.format(msgspec.json.encode({**counts, "status_dict": {"success": rows}}), indent=4)


def dtype(kind: pa.DataType) -> str:
    """The name that Hugging Face `datasets` has for a plain Arrow type."""
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


class HashedFile(io.RawIOBase):
    """A new file that knows its size and SHA-256 when it is closed, without being read again."""

    def __init__(self, directory: Path, name: str):
        super().__init__()
        self._name = name
        self._size = 0
        self._digest = hashlib.sha256()
        self._file = (directory / name).open("wb", buffering=1 << 20)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: Any) -> int:
        """Appends bytes, or anything that has the buffer protocol."""
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else data
        self._digest.update(view)
        self._file.write(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def close(self) -> None:
        """Closes the file; twice is no error."""
        if not self.closed:
            self._file.close()
        super().close()

    def facts(self) -> WrittenFile:
        """Name, size and digest of what was written."""
        return WrittenFile(self._name, self._size, self._digest.hexdigest())


def write_file(directory: Path, name: str, content: bytes) -> WrittenFile:
    """Writes a whole file."""
    (directory / name).write_bytes(content)
    return WrittenFile(name, len(content), hashlib.sha256(content).hexdigest())


class TableWriter:
    """Writes rows, given one by one, to a Parquet file; holds one row group.

    A context manager: leaving it finishes the file, unless an error is under way.
    """

    def __init__(self, directory: Path, name: str, schema: pa.Schema, rows_per_group: int, bytes_per_group: int):
        self._schema = schema
        self._rows_per_group = rows_per_group
        self._bytes_per_group = bytes_per_group
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._held_bytes = 0
        self._file = HashedFile(directory, name)
        # Images don't compress, don't repeat, and their minimum helps nobody.
        plain = [path for field in schema for path in _leaves(field) if not path.startswith("image.")]
        self._writer = pq.ParquetWriter(
            self._file, schema, compression=_codecs(schema), use_dictionary=plain, write_statistics=plain
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._write_group()
        finally:
            self._writer.close()
            self._file.close()

    def add(self, row: dict[str, Any], size: int = 0) -> None:
        """Adds a row; `size` is the number of bytes in its large values."""
        self._rows.append(row)
        self._held_rows += 1
        self._held_bytes += size
        if self._held_rows >= self._rows_per_group or self._held_bytes >= self._bytes_per_group:
            self._write_group()
        elif len(self._rows) >= _ROWS_PER_BATCH:
            self._pack_rows()

    def facts(self) -> WrittenFile:
        """Name, size and digest of the finished file."""
        return self._file.facts()

    def _pack_rows(self) -> None:
        # A row of Python objects is some ten times as large as in Arrow.
        if self._rows:
            self._batches.append(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._rows = []

    def _write_group(self) -> None:
        self._pack_rows()
        if self._batches:
            table = pa.Table.from_batches(self._batches, schema=self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._batches, self._held_rows, self._held_bytes = [], 0, 0


def _codecs(schema: pa.Schema) -> dict[str, str]:
    """Compression of each column of the file: images are compressed already."""
    return {path: "none" if path.endswith(".bytes") else "zstd" for field in schema for path in _leaves(field)}


def _leaves(field: pa.Field, above: str = "") -> Iterator[str]:
    """Names of a field's columns as Parquet writes them: `image.bytes`, `signals.list.element.name`."""
    path = f"{above}{field.name}"
    if pa.types.is_map(field.type):
        yield from _leaves(field.type.key_field.with_name("key"), f"{path}.key_value.")
        yield from _leaves(field.type.item_field.with_name("value"), f"{path}.key_value.")
    elif pa.types.is_list(field.type):
        yield from _leaves(field.type.value_field.with_name("element"), f"{path}.list.")
    elif pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _leaves(inner, f"{path}.")
    else:
        yield path


def metadata_writer(shard: Shard, fields: Iterable[pa.Field], directory: Path) -> TableWriter:
    """A writer of the metadata table beside a shard: `fields`, img2dataset's status, then the released columns."""
    schema = pa.schema([*fields, *STATUS_FIELDS, *released(shard.schema)])
    return TableWriter(directory, f"{shard.name}.parquet", schema, ROWS_PER_GROUP, 1 << 26)
