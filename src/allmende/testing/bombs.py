"""Image files of a few kilobytes that want gigabytes of memory, or minutes, from who decodes them without looking first.

`png`, `avif`, `gif`, `bmp` and `tiff` say truthfully how large they would be; the `-lying` ones say that they are small, and are not.
`svg` is a document whose entities grow tenfold at each of nine levels ("billion laughs"); we read no SVG at all.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache

SIDE = 30_000
"""Pixels of a side: 900 million in all, 3.6 GB as BGRX."""

INFLATED_BYTES = 200_000_000
"""What the pixels of `png-lying` grow to."""


@lru_cache(maxsize=16)
def bomb_file(name: str) -> tuple[bytes, str]:
    """The file, and the Content-Type that a server would give it."""
    return BOMBS[name](), f"image/{name.partition('-')[0]}".replace("svg", "svg+xml")


def png_file(width: int, height: int, pixels: bytes) -> bytes:
    """An RGB image of that size whose IDAT holds `pixels`, compressed already."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def _zeros(size: int) -> bytes:
    """So many zero bytes, compressed; made piece by piece."""
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)]
    return b"".join(pieces) + packer.flush()


def _avif(side: int, said: int) -> bytes:
    """An image of `side` x `side` pixels of one colour that says that it has `said` x `said`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 60)).save(buffer, "AVIF", speed=10, quality=10)
    size = struct.pack(">II", side, side)
    return buffer.getvalue().replace(b"ispe\0\0\0\0" + size, b"ispe\0\0\0\0" + struct.pack(">II", said, said))


def _svg() -> bytes:
    entities = [b'<!ENTITY a0 "laugh">']
    entities += [b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)]
    return (
        b"<!DOCTYPE svg [" + b"".join(entities) + b']><svg xmlns="http://www.w3.org/2000/svg"><text>&a9;</text></svg>'
    )


def _gif() -> bytes:
    """A canvas of 65,535 x 65,535 with one pixel on it."""
    return b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"


def _bmp() -> bytes:
    return b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 0, 0, 0, 0, 0)


def _tiff() -> bytes:
    tags = ((256, SIDE), (257, SIDE), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, SIDE), (279, SIDE * SIDE))
    return (
        b"II*\0\x08\0\0\0"
        + struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in tags)
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": lambda: png_file(SIDE, SIDE, _zeros(3_000_000)),
    "png-lying": lambda: png_file(100, 100, _zeros(INFLATED_BYTES)),
    "avif": lambda: _avif(64, SIDE),
    "avif-lying": lambda: _avif(2_048, 64),
    "svg": _svg,
    "gif": _gif,
    "bmp": _bmp,
    "tiff": _tiff,
}
"""By name."""
