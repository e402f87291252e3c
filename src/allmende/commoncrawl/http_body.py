"""The body of a captured HTTP response: transfer and content encoding undone, under a cap.

Captures differ from live responses in two ways. A crawler may have undone the encodings and left the headers as they
were, so a body that plainly is not what its header says is taken as it is. And it may have cut the body off
(WARC-Truncated), so that a compressed body that ends too early is read as far as it goes.
"""

import io
import re
import zlib
from collections.abc import Callable

import brotli
import zstandard

from allmende.schema import Reason

ZSTD_WINDOW = 8 << 20
"""Largest zstd window in bytes (RFC 9659 allows HTTP no more)."""

_Decoded = tuple[bytes, bool] | None
"""Content, and whether it is whole; None if the data are damaged."""

_chunk_head = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n").match
_CONTROLS = bytes([*range(9), 11, *range(14, 27), *range(28, 32)])
"""Bytes that WHATWG MIME Sniffing (section 3) calls binary."""


def plain_body(body: bytes, transfer: str, content: str, max_bytes: int, *, cut: bool = False) -> bytes | Reason:
    """The body without its encodings.

    Args:
        body: As it stands in the record.
        transfer: Transfer-Encoding header; empty if there is none.
        content: Content-Encoding header; several in the order in which they were applied.
        max_bytes: Most bytes before, between and after decoding.
        cut: The record says that the body was cut off when it was captured.

    Returns:
        The body; `RECORD_TOO_LARGE`, or `RECORD_ENCODING_BROKEN`.
    """
    if len(body) > max_bytes:
        return Reason.RECORD_TOO_LARGE
    plain: bytes | Reason = body
    if "chunked" in transfer.lower():
        plain = _unchunked(body, cut=cut)
    for name in reversed(content.lower().split(",")):
        if isinstance(plain, Reason):
            return plain
        if plain and (name := name.strip()) not in ("", "identity"):
            plain = _decoded(plain, name, max_bytes, cut=cut)
    return plain


def _unchunked(body: bytes, *, cut: bool) -> bytes | Reason:
    """The body without chunk heads (RFC 9112, section 7.1); as it is, if it does not begin with one."""
    chunks: list[bytes] = []
    at = 0
    while head := _chunk_head(body, at):
        at = head.end() + int(head[1], 16)
        if at == head.end():
            return b"".join(chunks)
        chunks.append(body[head.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else 1
    if not chunks:
        return body
    return b"".join(chunks) if cut else Reason.RECORD_ENCODING_BROKEN


def _decoded(data: bytes, name: str, max_bytes: int, *, cut: bool) -> bytes | Reason:
    decoder, magic = _DECODERS.get(name, (None, b""))
    if decoder is None or not data.startswith(magic):
        return data if magic or _looks_plain(data) else Reason.RECORD_ENCODING_BROKEN
    found = decoder(data, max_bytes)
    if found is None:
        return data if not magic and _looks_plain(data) else Reason.RECORD_ENCODING_BROKEN
    plain, whole = found
    if len(plain) > max_bytes:
        return Reason.RECORD_TOO_LARGE
    if whole or (cut and plain):
        return plain
    return data if not magic and _looks_plain(data) else Reason.RECORD_ENCODING_BROKEN


def _looks_plain(data: bytes) -> bool:
    """Whether data begin like text, by the bytes that no text contains, or like an image."""
    start = data[:512]
    return image_format(start) is not None or len(start) == len(start.translate(None, _CONTROLS))


def image_format(start: bytes) -> str | None:
    """Which image format a file that begins so has: jpeg, png, gif, webp, avif, bmp, tiff; None if none of these.

    WHATWG MIME Sniffing, section 6.1; TIFF 6.0, section 2; AVIF 1.1, section 6.
    """
    for magic, name in _IMAGE_STARTS:
        if start.startswith(magic):
            return name
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "webp"
    brands = start[8 : min(int.from_bytes(start[:4]), 64)] if start[4:8] == b"ftyp" else b""
    return "avif" if any(brands[i : i + 4] in (b"avif", b"avis") for i in range(0, len(brands), 4)) else None


_IMAGE_STARTS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)


def _gzip(data: bytes, limit: int) -> _Decoded:
    """Also several members, one after the other (RFC 1952); rubbish behind them is left alone, as by browsers."""
    parts, size = [], 0
    while True:
        decoder = zlib.decompressobj(wbits=31)
        part = _inflated(decoder, data, limit + 1 - size)
        if part is None:
            return None
        parts.append(part)
        size += len(part)
        data = decoder.unused_data
        if size > limit or not decoder.eof or not data.startswith(b"\x1f\x8b"):
            return b"".join(parts), decoder.eof


def _deflate(data: bytes, limit: int) -> _Decoded:
    """With the zlib frame that RFC 9110 asks for, or without, as many servers do."""
    framed = len(data) > 1 and data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
    for wbits in (15, -15) if framed else (-15,):
        decoder = zlib.decompressobj(wbits=wbits)
        plain = _inflated(decoder, data, limit + 1)
        if plain is not None:
            return plain, decoder.eof
    return None


def _inflated(decoder: "zlib._Decompress", data: bytes, limit: int) -> bytes | None:
    try:
        return decoder.decompress(data, limit)
    except zlib.error:
        return None


def _brotli(data: bytes, limit: int) -> _Decoded:
    decoder = brotli.Decompressor()
    try:
        plain = decoder.process(data, output_buffer_limit=limit + 1)
    except brotli.error:
        return None
    return plain, decoder.is_finished()


def _zstd(data: bytes, limit: int) -> _Decoded:
    """One frame after the other (RFC 8878)."""
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    parts, size = [], 0
    try:
        with decoder.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            while size <= limit and (part := reader.read(min(1 << 20, limit + 1 - size))):
                parts.append(part)
                size += len(part)
    except zstandard.ZstdError:
        return None
    return b"".join(parts), True


_GZIP = (_gzip, b"\x1f\x8b")
_DECODERS: dict[str, tuple[Callable[[bytes, int], _Decoded], bytes]] = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": (_deflate, b""),
    "br": (_brotli, b""),
    "zstd": (_zstd, b"\x28\xb5\x2f\xfd"),
}
"""Decoders, and what their data always begin with."""
