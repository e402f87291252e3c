"""TIFF's image file directories (TIFF 6.0, section 2), which EXIF uses as well: chosen tags, read without trust.

Pillow's reader takes in every tag of every directory, maker notes and position included, and meets damage with a
dozen kinds of exceptions and warnings. This one reads what it was asked for, and what it can't read is absent.
"""

from collections.abc import Iterator, Set
from typing import Literal

Value = int | float | bytes
"""SHORT and LONG as int, RATIONAL as float, ASCII and UNDEFINED as bytes. Of several numbers, the first."""

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}
"""Bytes of a value, by field type: BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL."""

_MAX_ENTRIES = 512
_MAX_TEXT = 4_096
"""Longer texts are cut here: copyright notices of real files stay below 2,000 bytes."""


def read(tiff: bytes, wanted: Set[int], pointer: int | None = None) -> dict[int, Value]:
    """The wanted tags of the first directory, or of the directory that tag `pointer` of the first one points to.

    Args:
        tiff: From the byte order mark (II or MM) on.
        wanted: Numbers of the tags to read.
        pointer: Tag that holds the offset of a further directory (0x8769 for EXIF's own).
    """
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    if tiff[:4] not in {b"II*\0", b"MM\0*"}:
        return {}
    start = int.from_bytes(tiff[4:8], order)
    if pointer is not None:
        target = dict(_entries(tiff, start, order, {pointer})).get(pointer)
        if not isinstance(target, int):
            return {}
        start = target
    return dict(_entries(tiff, start, order, wanted))


def blocks(tiff: bytes, wanted: Set[int]) -> dict[int, bytes]:
    """The wanted tags of the first directory, whatever their type, as the bytes that they take up in the file."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    found = {}
    for entry in _raw_entries(tiff, int.from_bytes(tiff[4:8], order), order, wanted):
        size = _WIDTHS.get(int.from_bytes(entry[2:4], order), 1) * int.from_bytes(entry[4:8], order)
        offset = int.from_bytes(entry[8:12], order)
        found[int.from_bytes(entry[:2], order)] = entry[8 : 8 + size] if size <= 4 else tiff[offset : offset + size]
    return found


def _entries(tiff: bytes, start: int, order: Literal["little", "big"], wanted: Set[int]) -> Iterator[tuple[int, Value]]:
    for entry in _raw_entries(tiff, start, order, wanted):
        value = _value(tiff, entry, order)
        if value is not None:
            yield int.from_bytes(entry[:2], order), value


def _raw_entries(tiff: bytes, start: int, order: Literal["little", "big"], wanted: Set[int]) -> Iterator[bytes]:
    """The wanted entries of the directory that stands at `start`, 12 bytes each."""
    count = min(int.from_bytes(tiff[start : start + 2], order), _MAX_ENTRIES)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        entry = tiff[at : at + 12]
        if len(entry) == 12 and int.from_bytes(entry[:2], order) in wanted:
            yield entry


def _value(tiff: bytes, entry: bytes, order: Literal["little", "big"]) -> Value | None:
    kind = int.from_bytes(entry[2:4], order)
    number = int.from_bytes(entry[4:8], order)
    width = _WIDTHS.get(kind)
    if width is None or number == 0:
        return None
    is_text = kind in {2, 7}
    length = min(number, _MAX_TEXT) if is_text else width
    offset = int.from_bytes(entry[8:12], order)
    raw = entry[8 : 8 + length] if width * number <= 4 else tiff[offset : offset + length]
    if is_text:
        return raw
    if len(raw) < width:
        return None
    if width < 8:
        return int.from_bytes(raw, order)
    below = int.from_bytes(raw[4:], order, signed=kind == 10)
    return int.from_bytes(raw[:4], order, signed=kind == 10) / below if below else None
