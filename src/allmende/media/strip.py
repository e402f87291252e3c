"""The same file without its metadata: pixels untouched, bit by bit.

JPEG, PNG and WebP are lists of segments, of which those needed to draw the picture are kept: a closed list, so what
nobody has heard of yet goes too, as does whatever stands behind the end. Colour profiles go as well: call this only for
files whose pixels are sRGB, upright and opaque. Other formats keep metadata in places that point at each other; they are
encoded anew.
"""

from allmende.media import chunks, jpeg
from allmende.media.probe import Format

_JPEG_KEPT = frozenset({0xC4, 0xDB, 0xDD, jpeg.SOS, jpeg.EOI, jpeg.APP14}) | jpeg.SOF_MARKERS
"""Tables, restart interval, frame, scans, and Adobe's segment, which says whether the colours are YCbCr."""

_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})

_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
"""A JFIF header that says nothing, in the place of the file's own, which may hold a thumbnail."""


def without_metadata(body: bytes, kind: Format) -> bytes | None:
    """The file without metadata; None where that takes encoding anew (other formats, animations, odd structure)."""
    if kind == "jpeg":
        return _jpeg(body)
    if kind == "png":
        return _png(body)
    return _webp(body) if kind == "webp" else None


def _jpeg(body: bytes) -> bytes | None:
    kept = [b"\xff\xd8"]
    jfif = False
    for marker, start, end in jpeg.segments(body):
        if marker in _JPEG_KEPT:
            kept.append(body[start:end])
        elif marker == 0xE0 and body.startswith(b"JFIF\0", start + 4) and not jfif:
            jfif = True
            kept.insert(1, _JFIF)
    if not kept[-1].startswith(b"\xff\xd9"):
        return None
    return b"".join(kept)


def _png(body: bytes) -> bytes | None:
    kept = [body[:8]]
    for name, start, end in chunks.png(body):
        if name in _PNG_KEPT:
            kept.append(body[start - 8 : end + 4])
        if name == b"IEND":
            return b"".join(kept)
    return None


def _webp(body: bytes) -> bytes | None:
    """Take out the picture's own chunk; without VP8X, which only announces what is dropped, it is a simple WebP."""
    for name, start, end in chunks.riff(body):
        if name in {b"ANIM", b"ANMF", b"ALPH"}:
            return None
        if name in {b"VP8 ", b"VP8L"}:
            chunk = body[start - 8 : end] + b"\0" * ((end - start) % 2)
            return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
    return None
