"""Tells from the first bytes what a file is, and has the right module look at it."""

import gzip
import io
import zlib
from typing import IO, Any

import fsspec
import zstandard

from allmende.commoncrawl.source import Archive, open_archive
from allmende.errors import SourceError
from allmende.inspect import archives, folders, shards, tables
from allmende.inspect.finding import Finding, shown
from allmende.media.probe import probe

_HEAD = 64 << 10

_ZSTD = b"\x28\xb5\x2f\xfd"
"""How a Zstandard frame begins (RFC 8878, 3.1.1)."""

_ZSTD_WINDOW = 128 << 20
"""Memory that a frame may ask for: what zstd grants without being told otherwise, bytes."""


_LARGEST_IMAGE = 64 << 20
"""So much of an image is read to find its size, bytes."""


def inspect(location: str, *, rows: int = 5, limit: int = 100_000) -> Finding:
    """Says what is in a file or folder.

    Args:
        location: A path, or a URL (http, https, s3, or another that fsspec knows).
        rows: How many first records, rows or samples to show.
        limit: Stop after so many records, members or lines; 0 reads to the end.

    Raises:
        SourceError: if there is nothing at the location or it can't be had. What is damaged is no error:
            it is described in `Finding.problems`.
        LakeError: if it is a dataset folder that can't be read.
    """
    if _is_folder(location):
        finding = folders.folder(location, rows)
    else:
        with open_archive(location) as file:
            look = _look_into_zstd if file.peek(len(_ZSTD)).startswith(_ZSTD) else _look
            finding = look(file, location, rows, limit)
            finding.bytes = file.size
    finding.location = location
    return finding


def _is_folder(location: str) -> bool:
    if location.startswith(("http://", "https://")):
        return False
    try:
        fs, path = fsspec.core.url_to_fs(location)
        return bool(fs.isdir(path))
    except (ImportError, ValueError) as error:
        raise SourceError(f"{location}: {error}") from error


def _look(file: Archive, location: str, rows: int, limit: int) -> Finding:
    stored = file.peek(_HEAD)[:_HEAD]
    packed = stored.startswith(b"\x1f\x8b")
    head = _unpacked(stored) if packed else stored
    if head.lstrip().startswith(b"WARC/"):
        return archives.archive(file, rows, limit)
    if head.startswith(b"PAR1"):
        return tables.parquet(file, rows)
    if head[257:262] == b"ustar" or _plain_name(location).endswith((".tar", ".tgz")):
        return shards.tar(file, packed, rows, limit)
    if not head:
        return Finding(kind="empty file" if not stored else "damaged gzip file")
    if b"\0" in head:
        return _binary(file)
    content = gzip.GzipFile(fileobj=file) if packed else file
    return _text(io.BufferedReader(content) if packed else file, head, _plain_name(location), rows, limit)


def _binary(file: Archive) -> Finding:
    first = file.peek(16)[:16].hex(" ")
    header = probe(file.read(_LARGEST_IMAGE))
    if header is None or (header.format == "bmp" and not header.width):  # of a BMP two letters are all there is to see
        return Finding(kind="unknown binary file", facts={"first bytes": first})
    damaged = () if header.width else ("Its header is damaged or cut off: it tells no size.",)
    size: dict[str, int | str] = {"width": header.width, "height": header.height} if header.width else {}
    return Finding(kind=f"{header.format.upper()} image", facts=size, problems=damaged)


def _look_into_zstd(file: Archive, location: str, rows: int, limit: int) -> Finding:
    """A text in Zstandard, such as JSON lines."""
    with io.BufferedReader(_ZstdFile(io.BytesIO(file.peek(_HEAD)[:_HEAD]))) as beginning:
        head = _beginning(beginning)
    return _text(io.BufferedReader(_ZstdFile(file)), head, _plain_name(location), rows, limit)


def _plain_name(location: str) -> str:
    return location.partition("?")[0].lower().removesuffix(".gz").removesuffix(".zst")


class _ZstdFile(io.RawIOBase):
    """The content of a file compressed with Zstandard. Damage is an `OSError`, as with gzip."""

    def __init__(self, file: IO[bytes]):
        super().__init__()
        self._reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
            file, read_across_frames=True, closefd=False
        )

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._reader.readinto(buffer)
        except zstandard.ZstdError as error:
            raise OSError(f"damaged Zstandard file: {error}") from error


def _beginning(content: IO[bytes]) -> bytes:
    """The first bytes of a file of which only a piece is there."""
    try:
        return content.read(_HEAD)
    except OSError:
        return b""


def _unpacked(stored: bytes) -> bytes:
    """The beginning of a gzip file's content; empty if it is damaged from the start."""
    try:
        return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(stored, _HEAD)
    except zlib.error:
        return b""


def _text(stream: IO[bytes], head: bytes, name: str, rows: int, limit: int) -> Finding:
    """Tables and documents in text form, told by their first line and, where that leaves a choice, by their name."""
    first, _, more = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if first.startswith(b"{") and first.rstrip().endswith(b"}") and (more or name.endswith((".jsonl", ".ndjson"))):
        return tables.json_lines(stream, rows, limit)
    if first.startswith((b"{", b"[")):
        return _json(stream, rows)
    if name.endswith(".toml"):
        return Finding(kind="TOML file", examples=tables.lines(stream, rows, limit).examples)
    if name.endswith(".tsv") or b"\t" in first:
        return tables.delimited(stream, "\t", rows, limit)
    if name.endswith(".csv") or (b"," in first and not first.startswith(b"http")):
        return tables.delimited(stream, ",", rows, limit)
    return tables.lines(stream, rows, limit)


def _json(stream: IO[bytes], rows: int) -> Finding:
    try:
        content = stream.read(tables.LARGEST_JSON + 1)
    except (EOFError, OSError, zlib.error) as error:
        return Finding(kind="JSON document", problems=(f"The file is cut off or damaged: {shown(error)}",))
    if len(content) > tables.LARGEST_JSON:
        return Finding(kind="JSON document", problems=(f"Larger than {tables.LARGEST_JSON:,} bytes: not read.",))
    return folders.manifest(content) or tables.json_array(content, rows)
