"""What an image file is and how large, read from its header. Nothing is decoded, nothing is allocated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from allmende.media import ifd, jpeg
from allmende.media.jpeg import Facts

Format = Literal["jpeg", "png", "webp", "gif", "avif", "bmp", "tiff"]

SNIFF_BYTES = 32
"""How many first bytes `sniff` looks at."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before it is decoded."""

    format: Format
    width: int
    """Pixels as stored, before EXIF orientation."""
    height: int
    jpeg: Facts | None = None
    """More about a JPEG, which the decoder needs; None for other formats."""


def sniff(head: bytes) -> Format | None:
    """Format by the first `SNIFF_BYTES` bytes, as in the WHATWG MIME Sniffing Standard; None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:14] == b"WEBPVP":
        return "webp"
    if head[4:8] == b"ftyp" and (b"avif" in head[8:32] or b"avis" in head[8:32]):
        return "avif"
    for magic, name in _SHORT_MAGIC:
        if head.startswith(magic):
            return name
    return None


_SHORT_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
)


def probe(body: bytes) -> Header | None:
    """Format and size of a whole file; None if the format is unknown.

    The size is 0 x 0 where the header is damaged or holds none.
    """
    kind = sniff(body[:SNIFF_BYTES])
    if kind is None:
        return None
    if kind == "jpeg":
        facts = jpeg.facts(body)
        return Header("jpeg", facts.width, facts.height, facts)
    width, height = _SIZES[kind](body)
    return Header(kind, width, height)


def _png_size(body: bytes) -> tuple[int, int]:
    if body[12:16] != b"IHDR" or len(body) < 24:
        return 0, 0
    return int.from_bytes(body[16:20]), int.from_bytes(body[20:24])


def _gif_size(body: bytes) -> tuple[int, int]:
    if len(body) < 10:
        return 0, 0
    return int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")


def _bmp_size(body: bytes) -> tuple[int, int]:
    """BITMAPCOREHEADER has 16-bit sides; in all later ones a negative height means rows from the top."""
    if len(body) < 26:
        return 0, 0
    if int.from_bytes(body[14:18], "little") == 12:
        return int.from_bytes(body[18:20], "little"), int.from_bytes(body[20:22], "little")
    width = int.from_bytes(body[18:22], "little", signed=True)
    height = int.from_bytes(body[22:26], "little", signed=True)
    return max(width, 0), abs(height)


def _webp_size(body: bytes) -> tuple[int, int]:
    """The canvas: RFC 9649 (VP8X), RFC 6386 section 9.1 (VP8) and the lossless bitstream's header (VP8L)."""
    chunk, data = body[12:16], body[20:30]
    if len(data) < 10:
        return 0, 0
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF
    return 0, 0


def _avif_size(body: bytes) -> tuple[int, int]:
    """The largest `ispe` (image spatial extents, ISO/IEC 23008-12) of the file: thumbnails and alpha have one too."""
    largest = (0, 0)
    at = body.find(b"ispe", 0, _AVIF_META_BYTES)
    while at >= 0:
        size = int.from_bytes(body[at + 8 : at + 12]), int.from_bytes(body[at + 12 : at + 16])
        largest = max(largest, size, key=lambda sides: sides[0] * sides[1])
        at = body.find(b"ispe", at + 4, _AVIF_META_BYTES)
    return largest


_AVIF_META_BYTES = 64_000
"""The meta box stands first in every AVIF that encoders for the web write, and is a few hundred bytes long."""


def _tiff_size(body: bytes) -> tuple[int, int]:
    tags = ifd.read(body, {256, 257})
    width, height = tags.get(256, 0), tags.get(257, 0)
    return (int(width), int(height)) if isinstance(width, int) and isinstance(height, int) else (0, 0)


_SIZES: dict[Format, Callable[[bytes], tuple[int, int]]] = {
    "png": _png_size,
    "gif": _gif_size,
    "bmp": _bmp_size,
    "webp": _webp_size,
    "avif": _avif_size,
    "tiff": _tiff_size,
}
