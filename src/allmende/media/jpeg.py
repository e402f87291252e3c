"""The segments of a JPEG file (ITU-T T.81, annex B): size, profile, EXIF and number of scans, nothing decoded."""

import re
from collections.abc import Iterator
from typing import NamedTuple

SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start of frame, in all its codings; C4, C8 and CC in between are something else."""
SOS, EOI, APP1, APP2, APP11, APP14 = 0xDA, 0xD9, 0xE1, 0xE2, 0xEB, 0xEE

_EXIF = b"Exif\0\0"
_ICC = b"ICC_PROFILE\0"

_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
"""A marker that begins a segment or ends the image. Stuffing, TEM, restarts, SOI and fill bytes are stepped over."""

_MAX_SEGMENTS = 10_000
"""No encoder writes a hundredth of that; it bounds what a file made of empty segments costs."""


class Segment(NamedTuple):
    """One marker segment of a file."""

    marker: int
    """Second byte of the marker."""
    start: int
    """Offset of the marker."""
    end: int
    """Offset behind the segment; for a scan, behind its coded data."""


def segments(body: bytes, *, scans: bool = True) -> Iterator[Segment]:
    """Segments from the one after SOI to EOI, as far as the file can be followed.

    Fill bytes and stray bytes before a marker are stepped over, as libjpeg does.

    Args:
        body: The file.
        scans: False ends before the first scan, whose end takes a search through its coded data.
    """
    at = 2
    for _ in range(_MAX_SEGMENTS):
        found = _MARKER.search(body, at)
        if found is None:
            return
        start = found.start()
        marker = body[start + 1]
        if marker == EOI:
            yield Segment(EOI, start, start + 2)
            return
        at = start + 2 + int.from_bytes(body[start + 2 : start + 4])
        if at < start + 4 or at > len(body):
            return
        if marker == SOS:
            if not scans:
                return
            after = _MARKER.search(body, at)
            at = after.start() if after else len(body)
        yield Segment(marker, start, at)


class Facts(NamedTuple):
    """What decides how a JPEG is decoded."""

    width: int = 0
    height: int = 0
    components: int = 0
    """1: grey, 3: colour, 4: CMYK or YCCK."""
    progressive: bool = False
    exif: bytes = b""
    """The EXIF block from its byte order mark on; empty if there is none."""
    icc: bytes = b""
    """The colour profile; empty if there is none."""
    carriers: tuple[Segment, ...] = ()
    """Segments that may carry XMP or C2PA (`allmende.media.packets`)."""


def facts(body: bytes) -> Facts:
    """Read the segments before the first scan. What is missing or damaged is 0 or empty."""
    frame, exif = b"", b""
    coding = 0
    profile: dict[int, bytes] = {}
    carriers: list[Segment] = []
    for segment in segments(body, scans=False):
        marker, start, end = segment
        if marker in SOF_MARKERS:
            coding, frame = marker, body[start:end]
        elif marker == APP1 and not exif and body.startswith(_EXIF, start + 4):
            exif = body[start + 10 : end]
        elif marker == APP2 and body.startswith(_ICC, start + 4) and end > start + 18:
            profile[body[start + 16]] = body[start + 18 : end]
        elif marker in {APP1, APP11}:
            carriers.append(segment)
    if len(frame) < 10:
        return Facts()
    return Facts(
        width=int.from_bytes(frame[7:9]),
        height=int.from_bytes(frame[5:7]),
        components=frame[9],
        progressive=coding in {0xC2, 0xCA},
        exif=exif,
        icc=b"".join(profile[part] for part in sorted(profile)),
        carriers=tuple(carriers),
    )


def scans(body: bytes) -> int:
    """Upper bound of the number of scans, by counting SOS markers wherever they stand (thumbnails included)."""
    return body.count(b"\xff\xda")
