"""Content encodings undone, under a cap. We ask for none, but some servers compress whatever one asks for."""

import io
import zlib
from collections.abc import Callable

import brotli
import zstandard

ZSTD_WINDOW = 8 << 20
"""Largest zstd window in bytes (RFC 9659 allows HTTP no more)."""


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
        data, whole = _decoder(name)(data, limit)
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
        data, _ = _decoder(name)(data, limit)
    return data


def _decoder(name: str) -> Callable[[bytes, int], tuple[bytes, bool]]:
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise EncodingBroken(f"the encoding {name!r} is unknown")
    return decoder


def _gzip(data: bytes, limit: int) -> tuple[bytes, bool]:
    """Also several members, one after the other (RFC 1952)."""
    out = b""
    while True:
        decoder = zlib.decompressobj(wbits=31)
        out += _inflate(decoder, data, limit + 1 - len(out))
        if not decoder.eof or not decoder.unused_data.startswith(b"\x1f\x8b") or len(out) > limit:
            return out, decoder.eof
        data = decoder.unused_data


def _deflate(data: bytes, limit: int) -> tuple[bytes, bool]:
    """With the zlib frame that RFC 9110 asks for, or without, as many servers do."""
    framed = len(data) > 1 and data[0] & 15 == 8 and int.from_bytes(data[:2]) % 31 == 0
    decoder = zlib.decompressobj(wbits=15 if framed else -15)
    return _inflate(decoder, data, limit + 1), decoder.eof


def _inflate(decoder: "zlib._Decompress", data: bytes, limit: int) -> bytes:
    try:
        return decoder.decompress(data, limit)
    except zlib.error as error:
        raise EncodingBroken(str(error)) from None


def _brotli(data: bytes, limit: int) -> tuple[bytes, bool]:
    decoder = brotli.Decompressor()
    try:
        out = decoder.process(data, output_buffer_limit=limit + 1)
    except brotli.error as error:
        raise EncodingBroken(str(error)) from None
    return out, decoder.is_finished()


def _zstd(data: bytes, limit: int) -> tuple[bytes, bool]:
    """The binding does not tell a frame that is cut off from a whole one: the image decoder will."""
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    out = b""
    try:
        with decoder.stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
            while chunk := reader.read(limit + 1 - len(out)):
                out += chunk
    except zstandard.ZstdError as error:
        raise EncodingBroken(str(error)) from None
    return out, True


_DECODERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
