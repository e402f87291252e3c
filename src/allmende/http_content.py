"""What the body of an HTTP message holds: content encodings undone, under a cap; images known by their first bytes."""

import io
import zlib
from collections.abc import Callable

import brotli
import zstandard

ZSTD_WINDOW = 8 << 20
"""Largest zstd window in bytes (RFC 9659 allows HTTP no more)."""

_Decoded = tuple[bytes, bool]
"""Content, and whether it is whole."""


class EncodingBroken(ValueError):
    """The encoding is unknown, or the data are not what it says."""


class TooLarge(ValueError):
    """The data grow beyond the cap."""


def encodings(header: str) -> tuple[str, ...]:
    """Names in a Content-Encoding header, in the order in which they were applied; `identity` left out."""
    names = (name.strip().lower() for name in header.split(","))
    return tuple(name for name in names if name and name != "identity")


def undo(data: bytes, names: tuple[str, ...], limit: int) -> bytes:
    """The data without their encodings.

    Args:
        data: All of the body.
        names: From `encodings`.
        limit: Most bytes that any step may yield.

    Raises:
        EncodingBroken: Unknown encoding, damaged or truncated data.
        TooLarge: More than `limit` bytes come out.
    """
    for name in reversed(names):
        data, whole = decode(data, name, limit)
        if len(data) > limit:
            raise TooLarge
        if not whole:
            raise EncodingBroken("the compressed data end too early")
    return data


def start(data: bytes, names: tuple[str, ...], limit: int) -> bytes:
    """Up to about `limit` first bytes of data that may be cut off.

    Raises:
        EncodingBroken: Unknown encoding, or damaged data.
    """
    for name in reversed(names):
        data, _ = decode(data, name, limit)
    return data


def decode(data: bytes, name: str, limit: int) -> _Decoded:
    """Undoes one encoding, as far as the data go.

    Returns:
        What comes out, cut off after `limit + 1` bytes; and whether the data are whole. The binding does not tell for
        zstd, where they are always called whole.

    Raises:
        EncodingBroken: Unknown encoding, or damaged data.
    """
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise EncodingBroken(f"the encoding {name!r} is unknown")
    try:
        return decoder(data, limit)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise EncodingBroken(str(error)) from None


def _gzip(data: bytes, limit: int) -> _Decoded:
    """Also several members, one after the other (RFC 1952); rubbish behind them is left alone, as by browsers."""
    parts, size = [], 0
    while True:
        decoder = zlib.decompressobj(wbits=31)
        parts.append(decoder.decompress(data, limit + 1 - size))
        size += len(parts[-1])
        data = decoder.unused_data
        if size > limit or not decoder.eof or not data.startswith(b"\x1f\x8b"):
            return b"".join(parts), decoder.eof


def _deflate(data: bytes, limit: int) -> _Decoded:
    """With the zlib frame that RFC 9110 asks for, or without, as many servers do."""
    framed = len(data) > 1 and data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
    decoder = zlib.decompressobj(wbits=15 if framed else -15)
    return decoder.decompress(data, limit + 1), decoder.eof


def _brotli(data: bytes, limit: int) -> _Decoded:
    decoder = brotli.Decompressor()
    return decoder.process(data, output_buffer_limit=limit + 1), decoder.is_finished()


def _zstd(data: bytes, limit: int) -> _Decoded:
    """One frame after the other (RFC 8878)."""
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    parts, size = [], 0
    with decoder.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        while size <= limit and (part := reader.read(min(1 << 20, limit + 1 - size))):
            parts.append(part)
            size += len(part)
    return b"".join(parts), True


_DECODERS: dict[str, Callable[[bytes, int], _Decoded]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def image_format(start: bytes) -> str | None:
    """Which image format a file that begins so has: jpeg, png, gif, webp, avif, bmp, tiff; None if none of these.

    WHATWG MIME Sniffing, section 6.1; TIFF 6.0, section 2; AVIF 1.1, section 6.

    Args:
        start: The first 64 bytes or more, or all there are.
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
