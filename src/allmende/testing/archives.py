"""Builds web archives for tests and for the demo: WARC files, the WATs of them, and damage to both.

    archive = Archive("demo.warc.gz")
    place = archive.page("http://a.example/", '<img src="b.jpg" alt="A red bicycle">')
    warc = archive.to_bytes()
    wat = wat_from_warc(warc, "demo.warc.gz")
    cut_in_member(warc, 2)

The same calls give the same bytes: no clock, record ids are hashes of the record.
Records are as Common Crawl writes them (WARC/1.0, a gzip member each); `gzip=False` writes plain WARC.
"""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from http import HTTPStatus
from typing import Literal, TypedDict, Unpack
from uuid import UUID

import brotli
import zstandard

from allmende.testing.wat import HEADER_END, Form, container, digest, envelope, header_lines, reordered

DATE = "2026-10-21T12:00:00Z"
"""WARC-Date of every record that is not given another one."""

Headers = Iterable[tuple[str, str]]
"""Header lines in order; a name may come twice."""

RecordKind = Literal["warcinfo", "request", "response", "metadata", "revisit", "resource", "conversion"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies in its archive file."""

    offset: int
    """First byte of the record (of its gzip member), bytes from the start of the file."""
    length: int
    """Bytes of the record as stored: compressed, if the archive is."""


class ResponseOptions(TypedDict, total=False):
    """What `http_response` can vary."""

    status: int
    """HTTP status; 200 by default."""
    content_type: str
    """`text/html; charset=utf-8` by default; empty sends no Content-Type."""
    headers: Headers
    """More header lines, sent as they are."""
    encoding: Literal["gzip", "deflate", "br", "zstd"]
    """Content-Encoding to apply to the body."""
    chunked: bool
    """Send the body in chunks, as `Transfer-Encoding: chunked`."""


def http_response(body: bytes, **options: Unpack[ResponseOptions]) -> bytes:
    """An HTTP/1.1 response, status line to last byte, as a server sends it."""
    status = options.get("status", 200)
    content_type = options.get("content_type", "text/html; charset=utf-8")
    encoding = options.get("encoding")
    if encoding:
        body = _encode(body, encoding)
    lines = [("Content-Type", content_type)] if content_type else []
    lines += [("Content-Encoding", encoding)] if encoding else []
    if options.get("chunked", False):
        lines.append(("Transfer-Encoding", "chunked"))
        body = _chunked(body)
    else:
        lines.append(("Content-Length", str(len(body))))
    reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unassigned"
    head = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in [*lines, *options.get("headers", ())])]
    return "\r\n".join(head).encode() + HEADER_END + body


def warc_record(
    kind: RecordKind, block: bytes, *, url: str = "", date: str = DATE, headers: Headers = (), gzip: bool = True
) -> bytes:
    """One WARC record with `block` as its content, in a gzip member of its own unless `gzip` is off.

    Args:
        kind: The WARC-Type.
        block: The record's content; for responses the whole HTTP message (`http_response`).
        url: WARC-Target-URI; empty leaves the line out.
        date: WARC-Date, ISO 8601 in UTC.
        headers: More WARC header lines. A Content-Type or Content-Length among them replaces the right one.
        gzip: Compress the record.
    """
    given = list(headers)
    names = {name.lower() for name, _ in given}
    identity = blake2b(f"{kind}\0{url}\0{date}\0{given}\0".encode() + block, digest_size=16).digest()
    lines = [("WARC-Type", kind), ("WARC-Date", date), ("WARC-Record-ID", f"<urn:uuid:{UUID(bytes=identity)}>")]
    lines += [("WARC-Target-URI", url)] if url else []
    lines += [(k, v) for k, v in _block_lines(kind, block) if k.lower() not in names]
    head = "\r\n".join(["WARC/1.0", *(f"{name}: {value}" for name, value in [*lines, *given])])
    record = head.encode() + HEADER_END + block + HEADER_END
    return gzip_member(record) if gzip else record


def gzip_member(data: bytes) -> bytes:
    """`data` as one gzip member without name and time: always a ten-byte header and an eight-byte footer."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    footer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + body + footer


@dataclass(slots=True)
class Archive:
    """A WARC file under construction. Methods add a record and say where it lies."""

    name: str = "test.warc.gz"
    """File name, told in the warcinfo record."""
    crawl: str = "CC-MAIN-2026-99"
    """`isPartOf` of the warcinfo record."""
    gzip: bool = True
    """A gzip member a record, or plain WARC."""
    info: bool = True
    """Begin with a warcinfo record."""
    _data: bytearray = field(default_factory=bytearray, repr=False)

    def __post_init__(self) -> None:
        if self.info:
            fields = {"isPartOf": self.crawl, "publisher": "Allmende", "format": "WARC File Format 1.0"}
            self.add(warc_record("warcinfo", _fields(fields), headers=[("WARC-Filename", self.name)], gzip=self.gzip))

    def page(self, url: str, html: str | bytes, *, date: str = DATE, **options: Unpack[ResponseOptions]) -> Place:
        """Add the capture of an HTML page; text is stored as UTF-8."""
        body = html.encode() if isinstance(html, str) else html
        return self.message(url, http_response(body, **options), date=date)

    def response(self, url: str, body: bytes, *, date: str = DATE, **options: Unpack[ResponseOptions]) -> Place:
        """Add the capture of any other file, such as an image; say which with `content_type`."""
        return self.message(url, http_response(body, **options), date=date)

    def message(self, url: str, http: bytes, *, date: str = DATE) -> Place:
        """Add a response record that holds `http` as it is, valid HTTP or not."""
        return self.add(warc_record("response", http, url=url, date=date, gzip=self.gzip))

    def request(self, url: str, *, date: str = DATE) -> Place:
        """Add the request that a crawler would have sent for `url`."""
        host, _, path = url.partition("://")[2].partition("/")
        http = f"GET /{path} HTTP/1.1\r\nUser-Agent: testbot/1.0\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n"
        return self.add(warc_record("request", http.encode(), url=url, date=date, gzip=self.gzip))

    def metadata(self, url: str, fields: dict[str, str] | None = None, *, date: str = DATE) -> Place:
        """Add a metadata record; by default the one field that Common Crawl always has."""
        block = _fields(fields or {"fetchTimeMs": "120"})
        return self.add(warc_record("metadata", block, url=url, date=date, gzip=self.gzip))

    def revisit(self, url: str, *, date: str = DATE) -> Place:
        """Add a revisit record: the page was as before, so there are headers but no body."""
        profile = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        headers = [("WARC-Profile", profile)]
        return self.add(warc_record("revisit", head, url=url, date=date, headers=headers, gzip=self.gzip))

    def add(self, record: bytes) -> Place:
        """Add the bytes of a record, or any rubbish, as they are."""
        place = Place(len(self._data), len(record))
        self._data += record
        return place

    def to_bytes(self) -> bytes:
        """The whole file."""
        return bytes(self._data)


def wat_from_warc(warc: bytes, name: str = "test.warc.gz", *, form: Form = "current", gzip: bool = True) -> bytes:
    """The WAT file of an undamaged WARC file: a JSON record for each of its records.

    Args:
        warc: The file, compressed by record or plain.
        name: Its file name, told in each record's Container.
        form: Key order of which years.
        gzip: Compress the WAT, record by record.
    """
    fields = {"Software-Info": "allmende.testing", "Extracted-Date": DATE, "format": "WARC File Format 1.0"}
    wat_name = name.removesuffix(".gz") + (".wat.gz" if gzip else ".wat")
    headers = [("WARC-Filename", wat_name)]
    wat = [warc_record("warcinfo", _fields(fields), headers=headers, gzip=gzip)]
    for place, record in read_records(warc):
        lines, block = split_record(record)
        told = {
            "Container": container(name, place.offset, place.length, record, compressed=_is_gzip(warc)),
            "Envelope": envelope(lines, record, block),
        }
        text = json.dumps(reordered(told, form), ensure_ascii=False, separators=(",", ":"))
        wat.append(
            warc_record(
                "metadata",
                text.encode("utf-8", "replace"),
                url=lines.get("WARC-Target-URI", name),
                date=lines["WARC-Date"],
                headers=[("WARC-Refers-To", lines["WARC-Record-ID"]), ("Content-Type", "application/json")],
                gzip=gzip,
            )
        )
    return b"".join(wat)


def read_records(archive: bytes) -> Iterator[tuple[Place, bytes]]:
    """Every record of an undamaged archive, with its place, headers and block together, uncompressed."""
    compressed = _is_gzip(archive)
    offset = 0
    while offset < len(archive):
        length, record = _member(archive, offset) if compressed else _plain_record(archive, offset)
        yield Place(offset, length), record
        offset += length


def cut_in_member(archive: bytes, index: int, keep: float = 0.5) -> bytes:
    """The archive as if its download had stopped inside record `index`, with the share `keep` of it there."""
    place = _place(archive, index)
    return archive[: place.offset + int(place.length * keep)]


def hole_in_member(archive: bytes, index: int) -> bytes:
    """The archive with the middle third of record `index` missing; the records after it are whole."""
    place = _place(archive, index)
    third = place.length // 3
    return archive[: place.offset + third] + archive[place.offset + 2 * third :]


def flip_byte(archive: bytes, at: int) -> bytes:
    """The archive with every bit of the byte at `at` inverted; negative counts from the end."""
    damaged = bytearray(archive)
    damaged[at] ^= 0xFF
    return bytes(damaged)


def flip_in_member(archive: bytes, index: int) -> bytes:
    """The archive with one byte wrong in the middle of record `index`."""
    place = _place(archive, index)
    return flip_byte(archive, place.offset + place.length // 2)


def wrong_content_length(archive: bytes, index: int, by: int) -> bytes:
    """The archive with the WARC Content-Length of record `index` off by `by` bytes."""
    place = _place(archive, index)
    _, record = list(read_records(archive))[index]
    lines, block = split_record(record)
    true = f"\r\nContent-Length: {len(block)}".encode()
    head, told, rest = record.rpartition(true) if lines["WARC-Type"] == "warcinfo" else record.partition(true)
    record = head + told.replace(b"%d" % len(block), b"%d" % (len(block) + by)) + rest
    if _is_gzip(archive):
        record = gzip_member(record)
    return archive[: place.offset] + record + archive[place.offset + place.length :]


def _is_gzip(archive: bytes) -> bool:
    return archive.startswith(b"\x1f\x8b")


def _encode(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip_member(body)
    if encoding == "deflate":
        return zlib.compress(body)
    return brotli.compress(body) if encoding == "br" else zstandard.compress(body)


def _chunked(body: bytes, size: int = 1000) -> bytes:
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def _fields(fields: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\n"


def _block_lines(kind: str, block: bytes) -> list[tuple[str, str]]:
    kinds = {"warcinfo": "application/warc-fields", "metadata": "application/warc-fields", "conversion": "text/plain"}
    kinds |= {"request": "application/http; msgtype=request", "resource": "application/octet-stream"}
    lines = [("Content-Type", kinds.get(kind, "application/http; msgtype=response"))]
    lines += [("Content-Length", str(len(block))), ("WARC-Block-Digest", digest(block))]
    if kind == "response":
        lines.append(("WARC-Payload-Digest", digest(block.partition(HEADER_END)[2])))
    return lines


def _member(archive: bytes, offset: int) -> tuple[int, bytes]:
    """Stored length and content of the gzip member at `offset`, fed in pieces: the rest of a file is not copied."""
    inflate = zlib.decompressobj(wbits=31)
    content, position = bytearray(), offset
    while not inflate.eof and position < len(archive):
        content += inflate.decompress(archive[position : position + 65_536])
        position = min(position + 65_536, len(archive))
    return position - len(inflate.unused_data) - offset, bytes(content)


def _plain_record(archive: bytes, offset: int) -> tuple[int, bytes]:
    head_end = archive.index(HEADER_END, offset) + 4
    lines = header_lines(archive[offset:head_end])
    end = head_end + int(lines["Content-Length"]) + 4
    return end - offset, archive[offset:end]


def _place(archive: bytes, index: int) -> Place:
    return [place for place, _ in read_records(archive)][index]


def split_record(record: bytes) -> tuple[dict[str, str], bytes]:
    """Header lines and block of an uncompressed record."""
    head, _, rest = record.partition(HEADER_END)
    lines = header_lines(head)
    return lines, rest[: int(lines["Content-Length"])]
