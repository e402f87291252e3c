"""WAT files: what Common Crawl tells about the pages of a WARC file, a JSON record for each of its records.

Read are all key orders that their generator (ia-web-commons) has written since 2013, decoded into typed structs that
skip what is not wanted. This says what a record means; `allmende.extract.wat_record` reads the usual ones faster.
"""

import json
import re
from collections.abc import Iterator

import msgspec
import stringzilla as sz
from msgspec import field

from allmende.commoncrawl.records import Readable, Record, read_records
from allmende.schema import Reason

ENTITIES_DECODED_SINCE = "20190619"
"""Generators built earlier left character references in attributes as they were (commoncrawl/ia-web-commons#14)."""


class _Part(msgspec.Struct, frozen=True, gc=False):
    """Base of the typed parts of a record."""


class Meta(_Part, frozen=True, gc=False):
    """A <meta> tag; empty where it has no such attribute. The generator notes `<html lang>` as one, too."""

    name: str = ""
    property: str = ""
    content: str = ""
    http_equiv: str = field(default="", name="http-equiv")


class HeadLink(_Part, frozen=True, gc=False):
    """A <link> tag."""

    url: str = ""
    rel: str = ""
    type: str = ""


class Head(_Part, frozen=True, gc=False):
    """What stands in <head>."""

    metas: list[Meta] = field(default_factory=list, name="Metas")
    links: list[HeadLink] = field(default_factory=list, name="Link")
    base: str = field(default="", name="Base")


class ImageLink(_Part, frozen=True, gc=False):
    """The src of an <img>."""

    url: str = ""
    alt: str = ""
    title: str = ""


class _BodyLink(_Part, frozen=True, gc=False):
    """A link of any element but <link>."""

    path: str = ""
    """Element and attribute, such as `IMG@/src`."""
    url: str = ""
    alt: str = ""
    title: str = ""
    rel: str = ""


class WatCapture(msgspec.Struct, frozen=True, gc=False):
    """What a WAT tells about one captured response."""

    url: str
    date: str
    """WARC-Date as it stands there."""
    status: str
    """HTTP status; empty if unknown."""
    headers: dict[str, str | list[str]]
    """HTTP headers; a list where one came several times."""
    head: Head | None
    """None if the response is no HTML, or its HTML has neither head nor links."""
    images: list[ImageLink]
    """The `IMG@/src` links."""
    license: str
    """Target of the first <a rel=license>."""
    is_html: bool
    escaped: bool
    """Attributes still contain character references: the file is older than `ENTITIES_DECODED_SINCE`."""
    warc_file: str
    warc_offset: int | None
    warc_length: int | None
    size: int
    """Bytes of the WAT's own record, uncompressed."""


class _Html(_Part, frozen=True, gc=False):
    head: Head | None = field(default=None, name="Head")
    links: list[_BodyLink] = field(default_factory=list, name="Links")


class _Message(_Part, frozen=True, gc=False):
    status: str = field(default="", name="Status")


class _Response(_Part, frozen=True, gc=False):
    headers: dict[str, str | list[str]] = field(name="Headers")
    message: _Message = field(default=_Message(), name="Response-Message")
    html: _Html | None = field(default=None, name="HTML-Metadata")


class _Payload(_Part, frozen=True, gc=False):
    response: _Response | None = field(default=None, name="HTTP-Response-Metadata")
    length: str = field(default="", name="Actual-Content-Length")
    slop: str = field(default="", name="Trailing-Slop-Length")


class _Warc(_Part, frozen=True, gc=False):
    type: str = field(name="WARC-Type")
    url: str = field(default="", name="WARC-Target-URI")
    date: str = field(default="", name="WARC-Date")


class _Arc(_Part, frozen=True, gc=False):
    url: str = field(default="", name="Target-URI")
    date: str = field(default="", name="Date")


class _Envelope(_Part, frozen=True, gc=False):
    payload: _Payload = field(name="Payload-Metadata")
    warc: _Warc | None = field(default=None, name="WARC-Header-Metadata")
    arc: _Arc | None = field(default=None, name="ARC-Header-Metadata")
    header_length: str = field(default="", name="WARC-Header-Length")


class _Gzip(_Part, frozen=True, gc=False):
    length: str = field(default="", name="Deflate-Length")


class _Container(_Part, frozen=True, gc=False):
    file: str = field(name="Filename")
    offset: str = field(default="", name="Offset")
    gzip: _Gzip | None = field(default=None, name="Gzip-Metadata")


class _WatRecord(_Part, frozen=True, gc=False):
    envelope: _Envelope = field(name="Envelope")
    container: _Container = field(name="Container")


_decode_record = msgspec.json.Decoder(_WatRecord).decode

_RESPONSE = b'"HTTP-Response-Metadata"'
_build = re.compile(rb"\nsoftware-info:[^\n]*-(\d{8})\d{6}\s*\n|\nwarc-date:[ \t]*([\d-]{10})", re.IGNORECASE)


class WatRecord(_Part, frozen=True, gc=False):
    """A record that tells of an HTTP response, undecoded."""

    record: Record
    escaped: bool
    """See `WatCapture.escaped`."""


def read_wat(stream: Readable) -> Iterator[WatCapture | Reason]:
    """Every captured response that a WAT file tells of, and a Reason for what can't be read.

    What a WAT says about other records (requests, metadata, revisits, ...) is passed over in silence: the unit counted
    is the capture. A file without any WAT record is malformed.
    """
    for item in read_wat_records(stream):
        capture = item if isinstance(item, Reason) else decode(item)
        if capture is not None:
            yield capture


def read_wat_records(stream: Readable) -> Iterator[WatRecord | Reason]:
    """The same, but nothing is decoded."""
    escaped = seen = False
    for record in read_records(stream):
        if isinstance(record, Reason):
            seen = True
            yield record
        elif sz.find(record.data, _RESPONSE) >= 0:
            seen = True
            yield Reason.RECORD_TOO_LARGE if record.size > len(record.data) else WatRecord(record, escaped)
        elif sz.find(record.data, b'"Envelope"') >= 0:
            seen = True
        elif b"warcinfo" in record.data[: record.block]:
            escaped = _is_escaped(record.data)
    if not seen:
        yield Reason.RECORD_MALFORMED


def _is_escaped(warcinfo: bytes | bytearray) -> bool:
    found = [stamp or date.replace(b"-", b"") for stamp, date in _build.findall(warcinfo)]
    return bool(found) and found[-1] < ENTITIES_DECODED_SINCE.encode()


def decode(item: WatRecord) -> WatCapture | Reason | None:
    """What a record says, whatever its key order; None if it does not tell of a captured response."""
    data, block = item.record.data, item.record.block
    try:
        told = _decode_leniently(memoryview(data)[block:])
    except (ValueError, RecursionError):
        return Reason.RECORD_MALFORMED
    return _flat(told, item.record.size, escaped=item.escaped)


def is_license(rel: str) -> bool:
    """Whether a link with such a rel leads to a licence."""
    return "license" in rel.lower().split()


def _decode_leniently(text: memoryview) -> _WatRecord:
    try:
        return _decode_record(text)
    except (ValueError, RecursionError):
        # Not UTF-8, lone surrogates, control characters in strings: JSON that is nearly right.
        return msgspec.convert(json.loads(str(text, "utf-8", "replace"), strict=False), _WatRecord)


def _flat(record: _WatRecord, size: int, *, escaped: bool) -> WatCapture | None:
    """What is wanted of a record; None if it does not tell of a captured response."""
    envelope, container, response = record.envelope, record.container, record.envelope.payload.response
    of = envelope.warc or envelope.arc
    if not response or not of or (envelope.warc and envelope.warc.type != "response"):
        return None
    links = response.html.links if response.html else []
    return WatCapture(
        url=of.url,
        date=of.date,
        status=response.message.status,
        headers=response.headers,
        head=response.html.head if response.html else None,
        images=[ImageLink(link.url, link.alt, link.title) for link in links if link.path == "IMG@/src"],
        license=next((link.url for link in links if is_license(link.rel)), ""),
        is_html=response.html is not None,
        escaped=escaped,
        warc_file=container.file,
        warc_offset=_number(container.offset),
        warc_length=_stored_length(record),
        size=size,
    )


def _stored_length(record: _WatRecord) -> int | None:
    """Bytes that the WARC record takes in its file."""
    if record.container.gzip:
        return _number(record.container.gzip.length)
    payload = record.envelope.payload
    parts = [_number(text) for text in (record.envelope.header_length, payload.length, payload.slop)]
    return None if None in parts else sum(part for part in parts if part)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
