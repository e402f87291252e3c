"""Records of a web archive, read from a stream of its raw bytes: a gzip member each, or plain, or all in one member.

A damaged or truncated file yields every record that is whole, and one `Reason` for each stretch that is not. After
damage, reading goes on at the next gzip member that inflates to a WARC record, or at the next line `WARC/1.`.

Where a gzip member ends is known only after inflating it. But the next one begins with a gzip header, so what lies
before the next header is inflated in one call (libdeflate, which also checks length and CRC). That is twice as fast as
zlib on a stream, and if those bytes were not a member after all, they are inflated again as a stream: slower, exact.
"""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Protocol

import deflate
import msgspec
import stringzilla as sz
from msgspec.structs import replace

from allmende.schema import Reason

LIMIT = 64 * 2**20
"""Bytes of a record kept in memory. Of a larger one the beginning is read, and `Record.size` tells."""

_MAGIC = b"\x1f\x8b\x08"
_SHORTEST = 18
"""Bytes of the shortest gzip member: header and trailer (RFC 1952)."""
_CHUNK = 2**18
"""Bytes read at once: of so many the memory stays in the process and in the processor's cache; a megabyte took a tenth longer."""
_AT_ONCE = 2**20
"""Longest compressed member that is inflated in one call."""
_KEPT = 8 * 2**20
"""Bytes before the position that stay in memory: where reading goes on after a damaged member is searched in them."""
_HEAD = 2**16
"""Longest WARC header block, bytes."""

_end_of_head = re.compile(rb"\r?\n\r?\n").search
_content_length = re.compile(rb"\ncontent-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r?\n", re.IGNORECASE).search
_after_block = re.compile(rb"\r?\n\r?\n").match


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record: headers and block, uncompressed."""

    offset: int
    """First byte of the record as stored (of its gzip member), from the start of the stream."""
    length: int | None
    """Bytes of the record as stored; None if it shares a gzip member with others, so that it can't be read alone."""
    data: bytes | bytearray
    """Headers and block; of a record with more than `LIMIT` bytes only the beginning."""
    block: int
    """Where the block begins in `data`."""
    size: int
    """Bytes of headers and block."""


class Readable(Protocol):
    """A binary file, as far as it is needed here."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


def read_records(stream: Readable, limit: int = LIMIT) -> Iterator[Record | Reason]:
    """Every record of an archive, in order, and a Reason for each stretch that is none.

    Args:
        stream: The archive's bytes as stored.
        limit: Longest record to keep in memory, bytes.

    Yields:
        Records of any type; `RECORD_DAMAGED` for a stretch after which reading went on; `RECORD_TRUNCATED` or
        `RECORD_DAMAGED` as the last item if the end is not the end of a record (an empty file is truncated).
    """
    window = _Window(stream)
    if not window.need(1):
        yield Reason.RECORD_TRUNCATED
        return
    window.need(len(_MAGIC))
    if _MAGIC.startswith(window.data[: len(_MAGIC)]):
        yield from _gzip_records(window, limit)
    elif _skip_empty_lines(window):
        yield from _plain_records(window, limit, intact=False)
    else:  # nothing but line breaks
        yield Reason.RECORD_TRUNCATED


class _Window:
    """The part of a stream that is in memory, with a position in it."""

    __slots__ = ("data", "ended", "position", "start", "stream")

    def __init__(self, stream: Readable) -> None:
        self.stream = stream
        self.data = b""
        self.start = 0
        """Where `data` begins in the stream."""
        self.position = 0
        """Position in `data`."""
        self.ended = False

    def more(self, keep: int = 0) -> bool:
        """Read on; bytes before the position are forgotten, but for `keep`. False at the end of the stream."""
        chunk = b"" if self.ended else self.stream.read(max(_CHUNK, len(self.data) - self.position))
        if not chunk:
            self.ended = True
            return False
        gone = max(0, self.position - keep)
        self.data = self.data[gone:] + chunk
        self.start += gone
        self.position -= gone
        return True

    def need(self, size: int) -> bool:
        """Whether `size` bytes follow the position."""
        while len(self.data) - self.position < size:
            if not self.more():
                return False
        return True

    def skip(self, size: int) -> bool:
        """Move forward; False if the stream ends before."""
        while len(self.data) - self.position < size:
            size -= len(self.data) - self.position
            self.position = len(self.data)
            if not self.more(keep=_KEPT):
                return False
        self.position += size
        return True

    def find(self, pattern: bytes) -> bool:
        """Move to the next place of `pattern`, or to the end and return False."""
        while (found := self.data.find(pattern, self.position)) < 0:
            self.position = max(self.position, len(self.data) - len(pattern) + 1)
            if not self.more():
                self.position = len(self.data)
                return False
        self.position = found
        return True

    def tell(self) -> int:
        """Position in the stream."""
        return self.start + self.position

    def seek(self, offset: int) -> None:
        """Move to a place in the stream, or as near to it as bytes are still kept."""
        self.position = max(0, offset - self.start)


def _gzip_records(window: _Window, limit: int) -> Iterator[Record | Reason]:
    while True:
        data, begin = window.data, window.position
        end = sz.find(data, _MAGIC, begin + _SHORTEST)
        if end < 0:
            if not window.ended and len(data) - begin <= _AT_ONCE:
                window.more()
                continue
            end = len(data)
        if begin == end:
            return
        content = _inflate(memoryview(data)[begin:end], limit)
        if content is None:
            yield from _stream_member(window, limit)
            continue
        block = _whole_record(content)
        if block:
            yield Record(window.start + begin, end - begin, content, block, len(content))
        else:
            yield from _odd_member(content, window.start + begin, end - begin, limit)
        window.position = end


def _inflate(member: memoryview, limit: int) -> bytearray | None:
    """The content of a gzip member; None if these bytes are not exactly one, or one that is too large to do at once."""
    size = int.from_bytes(member[-4:], "little")
    if not _SHORTEST < len(member) <= _AT_ONCE or not 0 < size <= limit:
        return None
    try:
        content: bytearray = deflate.gzip_decompress(member)
    except (deflate.DeflateError, ValueError):
        return None
    return content if len(content) == size else None


def _whole_record(data: bytes | bytearray) -> int:
    """Where the block begins, if the data are one record written as most programs write it; else 0."""
    block = sz.find(data, b"\r\n\r\n") + 4
    size = len(data) - block - 4
    whole = sz.find(data, b"\r\nContent-Length: %d\r\n" % size, 0, block) > 0 <= size and data.endswith(b"\r\n\r\n")
    return block if whole and data.startswith(b"WARC/1.") else 0


def _odd_member(content: bytearray, offset: int, length: int, limit: int) -> Iterator[Record | Reason]:
    """The records of an intact gzip member that holds several, or one that is written differently, or none."""
    found = list(_plain_records(_Window(BytesIO(content)), limit, intact=True))
    for item in found:
        stored = length if len(found) == 1 else None
        yield item if isinstance(item, Reason) else replace(item, offset=offset, length=stored)


class _Inflater:
    """The content of the gzip member at the window's position, as a stream. Moves the window behind the member."""

    __slots__ = ("_inflate", "_portion", "damaged", "truncated", "window")

    def __init__(self, window: _Window) -> None:
        self.window = window
        self._inflate = zlib.decompressobj(wbits=31)
        self._portion = 2**16
        self.damaged = False
        self.truncated = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end, or where the member is damaged or cut off."""
        content = b""
        while not (content or self._inflate.eof or self.damaged or self.truncated):
            if self.window.position == len(self.window.data):
                self.window.more(keep=_KEPT)
            fed = self.window.data[self.window.position : self.window.position + self._portion]
            before = self._inflate.copy()
            try:
                content = self._inflate.decompress(fed, size)
            except zlib.error:
                # What was inflated up to the error is lost with it: come nearer in smaller steps.
                self._inflate, self.damaged = before, len(fed) < 2
                self._portion = max(1, self._portion // 2)
            else:
                self._count(fed, content)
        return content

    def _count(self, fed: bytes, content: bytes) -> None:
        rest = self._inflate.unused_data or self._inflate.unconsumed_tail
        self.window.position += len(fed) - len(rest)
        self.truncated = not (fed or content or self._inflate.eof)


def _stream_member(window: _Window, limit: int) -> Iterator[Record | Reason]:
    """The records of the gzip member at the window's position, however large; if it is damaged, on to the next."""
    offset = window.tell()
    inflater = _Inflater(window)
    held: Record | Reason | None = None
    several = False
    for item in _plain_records(_Window(inflater), limit, intact=True):
        if held is not None:
            several = True
            yield held if isinstance(held, Reason) else replace(held, offset=offset, length=None)
        held = item
    if inflater.damaged or inflater.truncated:
        # The last record, if it is the only one, is not before the damage but in it: its CRC was not reached.
        if several and isinstance(held, Record):
            yield replace(held, offset=offset, length=None)
        yield _next_member(window, offset, truncated=inflater.truncated)
    elif held is not None:
        stored = None if several else window.tell() - offset
        yield held if isinstance(held, Reason) else replace(held, offset=offset, length=stored)


def _next_member(window: _Window, offset: int, *, truncated: bool) -> Reason:
    """Move to the next gzip member that holds a WARC record, behind a damaged one at `offset`."""
    window.seek(offset + 1)
    while window.find(_MAGIC):
        if _begins_record(window):
            return Reason.RECORD_DAMAGED
        window.position += 1
    return Reason.RECORD_TRUNCATED if truncated else Reason.RECORD_DAMAGED


def _begins_record(window: _Window) -> bool:
    """Whether a gzip member that begins with a WARC header lies at the window's position."""
    window.need(_HEAD)
    begin = window.data[window.position : window.position + _HEAD]
    try:
        return zlib.decompressobj(wbits=31).decompress(begin, 7) == b"WARC/1."
    except zlib.error:
        return False


def _plain_records(window: _Window, limit: int, *, intact: bool) -> Iterator[Record | Reason]:
    """Records without compression. `intact`: a checksum says that nothing is missing at the end."""
    while _skip_empty_lines(window):
        offset = window.tell()
        record, reason = _plain_record(window, limit)
        if record:
            yield record
            if reason and not intact:
                yield reason
        elif reason:
            window.seek(offset + 1)
            found = window.find(b"\nWARC/1.")
            yield Reason.RECORD_DAMAGED if found or intact else reason


def _plain_record(window: _Window, limit: int) -> tuple[Record | None, Reason | None]:
    """The record at the window's position, or why there is none; both if only the empty lines behind it are missing."""
    window.need(_HEAD)
    offset, block, size = window.tell(), *_parse_head(window.data, window.position)
    if not block:
        rest = window.data[window.position :]
        cut = len(rest) < _HEAD and b"WARC/1.".startswith(rest[:7]) and not _end_of_head(rest)
        return None, Reason.RECORD_TRUNCATED if cut else Reason.RECORD_DAMAGED
    if not window.need(min(size, limit)):
        return None, Reason.RECORD_TRUNCATED
    data = window.data[window.position : window.position + min(size, limit)]
    if not window.skip(size):
        return None, Reason.RECORD_TRUNCATED
    whole = window.need(4)
    if after := _after_block(window.data, window.position):
        window.position = after.end()
        return Record(offset, window.tell() - offset, data, block, size), None
    if whole or window.data[window.position :].strip(b"\r\n"):
        return None, Reason.RECORD_DAMAGED
    window.position = len(window.data)
    return Record(offset, window.tell() - offset, data, block, size), Reason.RECORD_TRUNCATED


def _parse_head(data: bytes, begin: int) -> tuple[int, int]:
    """Size of the WARC headers at `begin`, and of the whole record; 0 if there are none, or without a length."""
    end = _end_of_head(data, begin, begin + _HEAD)
    length = _content_length(data, begin, end.end()) if end and data.startswith(b"WARC/1.", begin) else None
    return (end.end() - begin, end.end() - begin + int(length[1])) if end and length else (0, 0)


def _skip_empty_lines(window: _Window) -> bool:
    """Move to the next byte that is no line break; False if there is none."""
    while window.need(1):
        rest = window.data[window.position : window.position + 64]
        text = rest.lstrip(b"\r\n")
        window.position += len(rest) - len(text)
        if text:
            return True
    return False
