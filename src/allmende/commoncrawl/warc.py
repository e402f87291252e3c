"""Captures of a WARC file: what servers answered, with transfer and content encoding undone.

    for capture in read_warc(stream, max_bytes=20_000_000):
        if isinstance(capture, Reason): ...          # counted
        elif is_image(capture): ...                  # a row of an index: capture.url, .offset, .length, .date
        else: page_from_html(capture, warc_file)     # allmende.extract.html_images

One pass gives both pages and images, so that images that lie in the archive can be read there again (`read_capture`).
"""

import re
from collections.abc import Iterator
from io import BytesIO

import msgspec

from allmende.commoncrawl.http_body import plain_body
from allmende.commoncrawl.records import Readable, Record, read_records
from allmende.http_content import image_format
from allmende.schema import Reason

Headers = dict[str, str | list[str]]
"""HTTP headers as they came: any case, a list where one came several times."""

_HEADS = 2**20
"""Bytes that a record may have beyond its body: WARC and HTTP headers, chunk heads."""

_status_line = re.compile(rb"HTTP/[\d.]{1,5}[ \t]+(\d{3})(?=[ \t\r\n]|$)[^\r\n]*").match
_end_of_head = re.compile(rb"\r?\n\r?\n").search
_OF_ARCHIVE = frozenset({"response", "request", "revisit", "resource"})
"""Types of which a WARC file of a crawl has one, at least; a WAT or WET file has none."""


class WarcCapture(msgspec.Struct, frozen=True, gc=False):
    """A response: with status 200 and a body, unless somebody asked for any."""

    url: str
    """WARC-Target-URI as it stands there."""
    date: str
    """WARC-Date as it stands there."""
    status: str
    """Empty for a conversion."""
    headers: Headers
    body: bytes
    """Encodings undone; empty only if any status was asked for."""
    offset: int
    """First byte of the record (of its gzip member) in the archive."""
    length: int | None
    """Bytes of the record as stored; None if it can't be read alone."""


def read_warc(
    stream: Readable, max_bytes: int, *, any_status: bool = False, conversions: bool = False
) -> Iterator[WarcCapture | Reason]:
    """Every captured response of a WARC file, and a Reason for each that is no use or can't be read.

    Requests, metadata, revisits, resources, conversions, DNS answers and warcinfo are passed over in silence: the
    unit counted is the capture, or a stretch of damage. A file without any record of a crawl is malformed.

    Args:
        stream: The archive's bytes as stored.
        max_bytes: Largest body, encoded or not.
        any_status: Yield responses of every status, with or without a body: a robots.txt that is not there tells much.
        conversions: Yield what a WET file has, too: the text of a page, as a capture without status.

    Yields:
        Captures; `RECORD_HTTP_STATUS` (not 200), `RECORD_EMPTY`, `RECORD_MALFORMED` (no HTTP), `RECORD_TOO_LARGE`,
        `RECORD_ENCODING_BROKEN`; and what `read_records` yields for damage.
    """
    seen = False
    for record in read_records(stream, max_bytes + _HEADS):
        if isinstance(record, Reason):
            seen = True
            yield record
            continue
        head = _header_lines(bytes(record.data[: record.block]))
        kind = _last(head, "warc-type").lower()
        seen = seen or kind in _OF_ARCHIVE
        if kind == "response" and _is_http(head):
            yield _capture(record, head, max_bytes, any_status)
        elif conversions and kind == "conversion":
            seen = True
            yield _conversion(record, head, max_bytes)
    if not seen:
        yield Reason.RECORD_MALFORMED


def read_capture(stored: bytes, max_bytes: int) -> WarcCapture | Reason:
    """The capture in the bytes of a single record, read at its place in an archive.

    Args:
        stored: The record as stored, compressed or not.
        max_bytes: Largest body, encoded or not.

    Returns:
        The capture, with offset 0; or why there is none, as from `read_warc`. A record of another type is malformed.
    """
    return next(read_warc(BytesIO(stored), max_bytes), Reason.RECORD_MALFORMED)


def is_image(capture: WarcCapture) -> bool:
    """Whether the first bytes of a capture are those of a JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF file.

    The Content-Type alone is not believed: error pages are served as `image/jpeg`, images as `text/plain`. Where two
    letters are all there is to go by (BMP), it must not say that this is text.
    """
    found = image_format(capture.body[:64])
    return found is not None and not (found == "bmp" and content_type(capture.headers).startswith("text/"))


def content_type(headers: Headers) -> str:
    """MIME type of the last Content-Type header, in lower case, without parameters; empty if there is none."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def header(headers: Headers, name: str) -> str:
    """Value of a header; the last, if it came several times; empty if there is none.

    Args:
        headers: As in `WarcCapture`.
        name: In lower case.
    """
    for key, value in headers.items():
        if key.lower() == name:
            return value if isinstance(value, str) else value[-1]
    return ""


def _is_http(head: Headers) -> bool:
    declared = _last(head, "content-type").lower()
    return not declared or declared.startswith("application/http")


def _capture(record: Record, head: Headers, max_bytes: int, any_status: bool) -> WarcCapture | Reason:
    size = _last(head, "content-length")
    http = bytes(record.data[record.block :][: int(size[:15])] if size.isdecimal() else record.data[record.block :])
    parsed = _parse_http(http)
    if isinstance(parsed, Reason):
        return parsed
    status, headers, body = parsed
    if not any_status and (status != "200" or not body):
        return Reason.RECORD_EMPTY if status == "200" else Reason.RECORD_HTTP_STATUS
    if record.size > len(record.data):
        return Reason.RECORD_TOO_LARGE
    transfer, content = (", ".join(_all(headers, name)) for name in ("transfer-encoding", "content-encoding"))
    cut = bool(_last(head, "warc-truncated"))
    plain = plain_body(body, transfer, content, max_bytes, cut=cut) if body else b""
    if isinstance(plain, Reason):
        return plain
    date = _last(head, "warc-date")
    if not plain and not any_status:
        return Reason.RECORD_EMPTY
    return WarcCapture(_target(head), date, status, headers, plain, record.offset, record.length)


def _conversion(record: Record, head: Headers, max_bytes: int) -> WarcCapture | Reason:
    """The text of a page. It is always UTF-8, and nothing is known of the page's headers."""
    if record.size > len(record.data) or record.size - record.block > max_bytes + _HEADS:
        return Reason.RECORD_TOO_LARGE
    size = _last(head, "content-length")
    body = bytes(record.data[record.block :][: int(size[:15])] if size.isdecimal() else record.data[record.block :])
    if not body.strip():
        return Reason.RECORD_EMPTY
    headers: Headers = {"Content-Type": "text/plain; charset=utf-8"}
    return WarcCapture(_target(head), _last(head, "warc-date"), "", headers, body, record.offset, record.length)


def _target(head: Headers) -> str:
    """WARC-Target-URI, without the brackets that Wget puts around it."""
    url = _last(head, "warc-target-uri")
    return url[1:-1] if url.startswith("<") and url.endswith(">") else url


def _parse_http(http: bytes) -> tuple[str, Headers, bytes] | Reason:
    """Status, headers and body of a response as it was sent; or why it is no use."""
    status = _status_line(http)
    if not status:
        return Reason.RECORD_MALFORMED
    # Without any header the empty line follows at once: it begins with the end of the status line.
    end = _end_of_head(http, status.end())
    head, body = (http[: end.start()], http[end.end() :]) if end else (http, b"")
    return status[1].decode("ascii"), _header_lines(head, lower=False), body


def _header_lines(head: bytes, *, lower: bool = True) -> Headers:
    """Header lines, the first line left out; folded lines joined (RFC 9112, section 5.2)."""
    found: Headers = {}
    text = head.decode("utf-8", "replace").replace("\r\n", "\n")
    if "\n " in text or "\n\t" in text:
        text = re.sub(r"\n[ \t]+", " ", text)
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not name:
            continue
        name = name.lower() if lower else name
        before = found.get(name)
        if before is None:
            found[name] = value
        else:
            found[name] = [before, value] if isinstance(before, str) else [*before, value]
    return found


def _all(headers: Headers, name: str) -> list[str]:
    found: list[str] = []
    for key, value in headers.items():
        if key.lower() == name:
            found += [value] if isinstance(value, str) else value
    return found


def _last(head: Headers, name: str) -> str:
    value = head.get(name, "")
    return value if isinstance(value, str) else value[-1]
