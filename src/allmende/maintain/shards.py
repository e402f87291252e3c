"""One shard, looked at in the format it has: every file against its digest, every sample against its row.

Streams: a row group of the table and one sample are in memory, whatever the size of the shard. Nothing is unpacked,
no path of the metadata is followed, no image is decoded: formats and sides are read from headers.
"""

import hashlib
import io
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.dedup.same_text import text_key
from allmende.identity import uid
from allmende.maintain.copies import Copy
from allmende.maintain.problem import Flaw, Problems
from allmende.maintain.tar_stream import ArchiveDamaged, Member, TarStream
from allmende.media import probe
from allmende.parts import File
from allmende.publish.member import described, json_fields
from allmende.publish.unsafe import why_unsafe
from allmende.schema import DOCUMENTS

MEMBER_BYTES = 256 << 20
"""A larger member is not read: no sample of ours comes near."""

ROWS = 100
"""Rows of a table in memory at once, as Python values."""

_NEEDED = ("key", "uid", "url", "caption", "width", "height", "format")
OF_DOCUMENT = ("key", "uid", "url", "text", "language", "chars", "words", "text_key")
"""Columns of a table of documents: the one with the text tells it."""
_PLACES = tuple(f"{kind}_{what}" for kind in ("image", "json", "text") for what in ("offset", "size"))


class Sample(msgspec.Struct, frozen=True):
    """A sample whose members were found."""

    where: str
    row: dict[str, Any]
    image: bytes
    document: bytes | None = None
    """Its JSON; None in formats that have none."""
    words: bytes | None = None
    """Its caption, likewise."""
    fields: tuple[str, ...] = ()
    """What the JSON must have."""


class ShardReader:
    """Looks at shards, and notes what is wrong.

    Args:
        copy: The dataset.
        recorded: Size and digest of the files, by name among the shards.
        problems: Gets what is wrong.
    """

    def __init__(self, copy: Copy, recorded: dict[str, File], problems: Problems):
        self.sink = copy.sink
        self.lake = copy.lake
        self.at = copy.at
        self.there = copy.files
        self.recorded = recorded
        self.problems = problems
        self.bytes = 0
        """Read so far."""
        self.checked: set[str] = set()
        """Files whose digest was looked at."""

    def check_file(self, name: str) -> None:
        """A file among the shards against its size and digest."""
        with self.lake.open(self.at(name)) as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            self.compare(name, size, hashlib.file_digest(cast(Any, file), "sha256").hexdigest())

    def compare(self, name: str, size: int, digest: str) -> None:
        """What was read of a file among the shards against what the manifest says."""
        self.bytes += size
        self.checked.add(name)
        told = self.recorded.get(name)
        if told is None:
            return
        if size != told.bytes:
            self.problems.add(Flaw.FILE_SIZE, name, f"{size:,} bytes; the manifest says {told.bytes:,}")
        if told.sha256 and digest != told.sha256:
            self.problems.add(Flaw.FILE_DIGEST, name, f"SHA-256 {digest}; the manifest says {told.sha256}")

    def rows(self, name: str, shard: str, needed: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        """The rows of a table, with the fields that a sample's JSON has; keys that do not rise end it."""
        with self.lake.open(self.at(name)) as file:
            try:
                yield from self._rows(pq.ParquetFile(file), name, shard, needed)
            except (pa.ArrowException, OSError, ValueError) as error:
                why = str(error).splitlines()[0] if str(error) else "can't be read"
                self.problems.add(Flaw.TABLE_DAMAGED, name, why)

    def _rows(
        self, table: pq.ParquetFile, name: str, shard: str, needed: tuple[str, ...]
    ) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
        schema = table.schema_arrow
        of_text = self.sink == "parquet" and "text" in schema.names and "caption" not in schema.names
        wanted = OF_DOCUMENT if of_text else (*_NEEDED, *needed)
        lacking = [column for column in wanted if schema.get_field_index(column) < 0]
        if lacking:
            self.problems.add(Flaw.TABLE_DAMAGED, name, f"lacks the columns {', '.join(lacking)}")
            return
        if of_text and (others := _other_types(schema)):
            self.problems.add(Flaw.TABLE_DAMAGED, name, f"has columns of another type: {', '.join(others)}")
            return
        fields = tuple(json_fields(pa.schema([field for field in schema if field.name not in _OF_SINK])))
        before = ""
        for batch in table.iter_batches(batch_size=ROWS):
            for row in batch.to_pylist():
                key = row["key"]
                if not isinstance(key, str) or not key.isdecimal() or not key.startswith(shard) or key <= before:
                    self.problems.add(Flaw.KEY_ORDER, name, f"key {key!r} after {before!r}")
                    return
                before = key
                yield row, fields

    def webdataset(self, shard: str) -> Iterator[Sample]:
        """The samples of `SHARD.tar` and `SHARD.parquet`."""
        name = f"{shard}.tar"
        with self.lake.open(self.at(name)) as file:
            tar = TarStream(file)
            try:
                yield from _Members(self, tar, name).samples(self.rows(f"{shard}.parquet", shard, _PLACES))
            except ArchiveDamaged as error:
                self.problems.add(Flaw.ARCHIVE_DAMAGED, name, str(error))
            self.compare(name, *tar.finish())
        self.check_file(f"{shard}.parquet")

    def parquet(self, shard: str) -> Iterator[Sample]:
        """The samples of `SHARD.parquet` with images inside; documents have none."""
        name = f"{shard}.parquet"
        for row, _ in self.rows(name, shard, ("image",)):
            if "caption" not in row:
                yield Sample(f"{name}, document {row['key']}", row, b"")
                continue
            image = row["image"] if isinstance(row["image"], dict) else {}
            data, path = image.get("bytes"), image.get("path")
            where = f"{name}, sample {row['key']}"
            if path != f"{row['key']}.{row['format']}":
                self.problems.add(Flaw.MEMBER_PLACE, where, f"the image is called {path!r}")
            if isinstance(data, bytes):
                yield Sample(where, row, data)
            else:
                self.problems.add(Flaw.MEMBER_MISSING, where, "no image")
        self.check_file(name)

    def files(self, shard: str) -> Iterator[Sample]:
        """The samples of `SHARD/` and `SHARD.parquet`."""
        name = f"{shard}.parquet"
        strays = {path for path in self.there if path.startswith(f"{shard}/")}
        for row, fields in self.rows(name, shard, ("file",)):
            key = row["key"]
            if row["file"] != f"{shard}/{key}.{row['format']}":
                self.problems.add(
                    Flaw.MEMBER_PLACE, f"{name}, sample {key}", f"the image is said to be {row['file']!r}"
                )
            paths = [f"{shard}/{key}.{extension}" for extension in (row["format"], "json", "txt")]
            strays.difference_update(paths)
            image, document, words = (self._small_file(path) for path in paths)
            if image is not None and document is not None and words is not None:
                yield Sample(f"{shard}/{key}", row, image, document, words, fields)
        for path in sorted(strays):
            self.problems.add(Flaw.MEMBER_STRAY, path, "belongs to no sample")
        self.check_file(name)

    def _small_file(self, path: str) -> bytes | None:
        size = self.there.get(path)
        if size is None or size > MEMBER_BYTES:
            self.problems.add(Flaw.MEMBER_MISSING, path, "not there" if size is None else "too large")
            return None
        content = self.lake.read(self.at(path))
        self.compare(path, len(content), hashlib.sha256(content).hexdigest())
        return content


_OF_SINK = frozenset({"shard", "file", "image", "status", "error_message", "key", *_PLACES})
"""Columns that a sink adds to those of the samples."""


class _Members:
    """The members of one archive, matched with the rows of its table, both in the order of the keys."""

    def __init__(self, reader: ShardReader, tar: TarStream, name: str):
        self._reader = reader
        self._tar = tar
        self._name = name
        self._member: Member | None = None

    def samples(self, rows: Iterator[tuple[dict[str, Any], tuple[str, ...]]]) -> Iterator[Sample]:
        """Samples that are whole. What belongs to none is noted."""
        self._advance()
        for row, fields in rows:
            found = [
                self._taken(row, kind, extension)
                for kind, extension in (("image", row["format"]), ("json", "json"), ("text", "txt"))
            ]
            image, document, words = found
            if image is not None and document is not None and words is not None:
                yield Sample(f"{self._name}, sample {row['key']}", row, image, document, words, fields)
        while self._member is not None:
            self._stray()

    def _advance(self) -> None:
        """The next member that is plain and harmless."""
        while (member := self._tar.next()) is not None:
            why = why_unsafe(member.name)
            if why:
                self._reader.problems.add(Flaw.UNSAFE, f"{self._name}, member {member.name}", why)
            elif not member.plain:
                where = f"{self._name}, member {member.name}"
                self._reader.problems.add(Flaw.ARCHIVE_DAMAGED, where, "it is no plain file")
            else:
                break
        self._member = member

    def _stray(self) -> None:
        assert self._member is not None
        where = f"{self._name}, member {self._member.name}"
        self._reader.problems.add(Flaw.MEMBER_STRAY, where, "belongs to no sample of the table")
        self._advance()

    def _taken(self, row: dict[str, Any], kind: str, extension: str) -> bytes | None:
        """The content of a row's member; members before it belong to nobody."""
        key = row["key"]
        wanted = f"{key}.{extension}"
        later = {f"{key}.{other}" for other in ("json", "txt")}
        while self._member is not None and self._member.name != wanted:
            ahead = self._member.name.partition(".")[0]
            if self._member.name in later or (ahead.isdecimal() and ahead > key):
                break
            self._stray()
        member = self._member
        if member is None or member.name != wanted or member.size > MEMBER_BYTES:
            self._reader.problems.add(Flaw.MEMBER_MISSING, f"{self._name}, sample {key}", f"no {wanted}")
            return None
        content = self._tar.content(member)
        place = (row[f"{kind}_offset"], row[f"{kind}_size"])
        if place != (member.offset, member.size):
            what = f"at {member.offset:,}, {member.size:,} bytes; the table says {place}"
            self._reader.problems.add(Flaw.MEMBER_PLACE, f"{self._name}, member {member.name}", what)
        self._advance()
        return content


def check_sample(sample: Sample, problems: Problems) -> None:
    """A sample against its row."""
    row = sample.row
    words = "caption" if "caption" in row else "text"
    if words == "caption":
        _check_image(sample, problems)
    else:
        _check_text(sample, problems)
    if isinstance(row["url"], str) and row["uid"] != uid(row["url"], row[words] or ""):
        problems.add(Flaw.UID, sample.where, f"uid {row['uid']}")
    if sample.words is not None and words == "caption" and sample.words != (row["caption"] or "").encode():
        problems.add(Flaw.CAPTION, sample.where, "the words are others")
    if sample.document is not None:
        _check_document(sample, sample.document, problems)


def _other_types(schema: pa.Schema) -> list[str]:
    """Columns of a table of documents that have another type than they should."""
    known = [(field, DOCUMENTS.field(field.name)) for field in schema if field.name in DOCUMENTS.names]
    return [found.name for found, ours in known if _kind(found.type) != _kind(ours.type)]


def _kind(kind: pa.DataType) -> Any:
    """A type as far as tables have to agree: some write a map as a list of pairs, and inner fields have other names."""
    return "nested" if pa.types.is_nested(kind) else kind


def _check_text(sample: Sample, problems: Problems) -> None:
    row, text = sample.row, sample.row["text"]
    if not isinstance(text, str):
        problems.add(Flaw.MEMBER_MISSING, sample.where, "no text")
        return
    found = {"chars": len(text), "words": len(text.split()), "text_key": text_key(text)}
    for name in (name for name, value in found.items() if row[name] != value):
        problems.add(Flaw.TEXT, sample.where, f"{name} {found[name]}; the row says {row[name]}")


def _check_image(sample: Sample, problems: Problems) -> None:
    row = sample.row
    header = probe.probe(sample.image)
    found = {"jpeg": "jpg"}.get(header.format, header.format) if header else "unknown"
    if header is None or found != row["format"]:
        problems.add(Flaw.IMAGE_FORMAT, sample.where, f"{found}; the row says {row['format']}")
    elif (header.width, header.height) != (row["width"], row["height"]):
        what = f"{header.width} x {header.height}; the row says {row['width']} x {row['height']}"
        problems.add(Flaw.IMAGE_SIZE, sample.where, what)


def _check_document(sample: Sample, document: bytes, problems: Problems) -> None:
    fields = sample.fields
    expected = msgspec.json.decode(described(sample.row, sample.row["key"], fields))
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problems.add(Flaw.JSON, sample.where, f"no JSON: {error}")
        return
    if found != expected:
        names = found.keys() | expected.keys() if isinstance(found, dict) else set()
        others = sorted(str(name) for name in names if found.get(name, ...) != expected.get(name, ...))
        problems.add(Flaw.JSON, sample.where, f"other values of {', '.join(others[:10])}" if others else "no object")
