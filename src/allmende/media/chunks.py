"""The chunks of PNG and of RIFF, the container of WebP: lists of names, lengths and data, followed as far as they go."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_MOST_CHUNKS = 65_536
"""Beyond this nobody looks: a PNG of 500 MB in the 8 KB pieces that libpng writes. It bounds what empty chunks cost."""

_PNG = struct.Struct(">I4s")
_RIFF = struct.Struct("<4sI")


class Chunk(NamedTuple):
    """One chunk that is there to its end."""

    name: bytes
    start: int
    """Offset of its data, behind eight bytes of name and length."""
    end: int
    """Offset behind its data; a checksum (PNG) or a fill byte (RIFF, odd lengths) may follow."""


def png(body: bytes) -> Iterator[Chunk]:
    """Chunks of a PNG file (PNG, third edition, section 5.3)."""
    start, most = 16, len(body) - 4
    for _ in range(_MOST_CHUNKS):
        if start > most:
            return
        length, name = _PNG.unpack_from(body, start - 8)
        end = start + length
        if end > most:
            return
        yield Chunk(name, start, end)
        start = end + 12


def riff(body: bytes) -> Iterator[Chunk]:
    """Chunks of a WebP file (RFC 9649, section 2.3), whatever size its first header tells."""
    start, most = 20, len(body)
    for _ in range(_MOST_CHUNKS):
        if start > most:
            return
        name, length = _RIFF.unpack_from(body, start - 8)
        end = start + length
        if end > most:
            return
        yield Chunk(name, start, end)
        start = end + length % 2 + 8
