"""Where image files carry XMP and C2PA: found in the bytes, nothing decoded, nothing verified.

| | XMP (ISO 16684-3) | C2PA manifest store (C2PA 2.2, appendix A.3) |
|---|---|---|
| JPEG | APP1, also extended | APP11, "JP" |
| PNG | iTXt, `XML:com.adobe.xmp` | caBX |
| WebP | chunk `XMP ` | chunk `C2PA` |
| GIF | application extension `XMP Data` | application extension `C2PA_GIF` |
| TIFF | tag 700 | tag 52545 |
| AVIF | item `application/rdf+xml` | top-level uuid box |

Nine of ten images have neither, so what counts is how fast that is seen: JPEG segments are walked once, for this and for
all else (`jpeg.facts`). What is damaged is left out, or passed on as it is: those who read packets expect no better.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from allmende.media import chunks, ifd
from allmende.media.jpeg import APP1, Segment
from allmende.media.probe import Format, Header
from allmende.permission import c2pa


class Packets(NamedTuple):
    """What was found, each as bytes that begin where the packet does."""

    xmp: tuple[bytes, ...] = ()
    c2pa: tuple[bytes, ...] = ()
    """JUMBF superboxes."""


NONE = Packets()

MOST_UNPACKED = 4_000_000
"""Bytes that the compressed XMP of a file may unpack to; what comes behind is not read. Most packets are below 20 KB."""

MOST_PACKETS = 16
"""Of each kind; further ones are not read. Files have one."""

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD = len(_XMP_EXTENSION) + 40
"""Behind the name: 32 bytes of digest, which tells extensions apart, four of length, four of offset."""

_PNG_KEYWORD = b"XML:com.adobe.xmp\0"

_GIF_XMP = b"!\xff\x0bXMP DataXMP"
_GIF_C2PA = b"!\xff\x0bC2PA_GIF\x01\0\0"
_GIF_TRAILER = bytes([1, *range(255, -1, -1), 0])
"""Behind a packet in GIF, so that who reads it as blocks finds its end from wherever he comes by."""

_TIFF_XMP, _TIFF_C2PA = 700, 52545

_BMFF_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def find(body: bytes, header: Header, read: bytes = b"") -> Packets:
    """All packets of a file. Never raises.

    Args:
        body: The file.
        header: What `probe` found.
        read: XMP that a decoder has handed over: in AVIF, whose items lie anywhere, only libavif looks for it.
    """
    if header.jpeg is not None:
        found = _jpeg(body, header.jpeg.carriers)
    else:
        finder = _FINDERS.get(header.format)
        found = finder(body) if finder else NONE
    if found == NONE and not read:
        return NONE
    return Packets((read,) if read else found.xmp[:MOST_PACKETS], found.c2pa[:MOST_PACKETS])


def _jpeg(body: bytes, carriers: tuple[Segment, ...]) -> Packets:
    if not carriers:
        return NONE
    xmp: list[bytes] = []
    extensions: dict[bytes, list[tuple[bytes, bytes]]] = {}
    stores: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for marker, start, end in carriers:
        data = body[start + 4 : end]
        if marker != APP1:
            stores.setdefault(data[:4], []).append((data[4:8], data[8:]))
        elif data.startswith(_XMP):
            xmp.append(data[len(_XMP) :])
        elif data.startswith(_XMP_EXTENSION):
            head = data[len(_XMP_EXTENSION) : _EXTENSION_HEAD]
            extensions.setdefault(head[:32], []).append((head[36:], data[_EXTENSION_HEAD:]))
    xmp.extend(b"".join(data for _, data in sorted(parts)) for parts in extensions.values())
    return Packets(tuple(xmp), tuple(store for key in stores if (store := _jumbf(key, stores[key]))))


def _jumbf(key: bytes, parts: list[tuple[bytes, bytes]]) -> bytes:
    """The store in segments of the same number, put together by their counters; empty if it is another thing.

    Every segment begins with the box's length and type, of which only the first is needed (ISO/IEC 19566-5, D.2).
    """
    parts.sort()
    store = b"".join([parts[0][1], *(data[8:] for _, data in parts[1:])])
    return store if key.startswith(b"JP") and b"c2pa" in store[:64] else b""


def _png(body: bytes) -> Packets:
    xmp: list[bytes] = []
    stores: list[bytes] = []
    left = MOST_UNPACKED
    for name, start, end in chunks.png(body):
        if name == b"iTXt" and body.startswith(_PNG_KEYWORD, start):
            if left and len(xmp) < MOST_PACKETS:
                xmp.append(_text(body[start + len(_PNG_KEYWORD) : end], left))
                left -= len(xmp[-1])
        elif name == b"caBX":
            stores.append(body[start:end])
        elif name == b"IEND":
            break
    return Packets(tuple(xmp), tuple(stores))


def _text(data: bytes, limit: int) -> bytes:
    """The text of an iTXt chunk, up to a limit: two switches, language and translated keyword come before it."""
    text = data[2:].split(b"\0", 2)[-1]
    if data[:1] != b"\x01":
        return text[:limit]
    try:
        return zlib.decompressobj().decompress(text, limit)
    except zlib.error:
        return b""


def _webp(body: bytes) -> Packets:
    xmp: list[bytes] = []
    stores: list[bytes] = []
    for name, start, end in chunks.riff(body):
        if name == b"XMP ":
            xmp.append(body[start:end])
        elif name == b"C2PA":
            stores.append(body[start:end])
    return Packets(tuple(xmp), tuple(stores))


def _gif(body: bytes) -> Packets:
    """Search, not walk: an animation has thousands of blocks, and compressed pixels don't happen to spell our names.

    0.2 us for a KB; the first three bytes alone take longer, as they are everywhere.
    """
    xmp, store = body.find(_GIF_XMP), body.find(_GIF_C2PA)
    if xmp < 0 and store < 0:
        return NONE
    return Packets(
        (_gif_xmp(body, xmp + len(_GIF_XMP)),) if xmp >= 0 else (),
        (b"".join(_gif_blocks(body, store + len(_GIF_C2PA))),) if store >= 0 else (),
    )


def _gif_xmp(body: bytes, start: int) -> bytes:
    """The packet as it is, with a trailer behind it; or in blocks, as other data are."""
    end = body.find(_GIF_TRAILER[:16], start)
    return body[start:end] if end >= 0 else b"".join(_gif_blocks(body, start))


def _gif_blocks(body: bytes, at: int) -> Iterator[bytes]:
    """Blocks of up to 255 bytes, behind their lengths, up to an empty one."""
    while at < len(body) and body[at]:
        yield body[at + 1 : at + 1 + body[at]]
        at += 1 + body[at]


def _tiff(body: bytes) -> Packets:
    found = ifd.blocks(body, {_TIFF_XMP, _TIFF_C2PA})
    xmp, store = found.get(_TIFF_XMP), found.get(_TIFF_C2PA)
    return Packets((xmp,) if xmp else (), (store,) if store else ())


def _avif(body: bytes) -> Packets:
    stores: list[bytes] = []
    try:
        for kind, start, end in c2pa.boxes(body, 0, len(body)):
            if kind == b"uuid" and body.startswith(_BMFF_C2PA, start):
                stores.append(_bmff_store(body[start + 16 : end]))
    except c2pa.DamagedError:
        pass
    return Packets(c2pa=tuple(stores)) if stores else NONE


def _bmff_store(data: bytes) -> bytes:
    """Behind version, flags, the box's purpose and the offset of a further box. Other purposes hold hashes, no store."""
    purpose, _, rest = data[4:].partition(b"\0")
    return rest[8:] if purpose == b"manifest" else b""


_FINDERS: dict[Format, Callable[[bytes], Packets]] = {
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "tiff": _tiff,
    "avif": _avif,
}
