"""EXIF (CIPA DC-008): the orientation, and the closed list of facts that a dataset keeps.

Kept is what says how a picture was made (camera, lens, exposure, software, year) and whose it is (artist and
copyright: attribution needs them, and Directive 2001/29/EC, article 7, protects them). Everything else is
dropped: position, serial numbers, the camera owner's name, the exact time, user comments, maker notes.
"""

import re
from collections.abc import Callable

import msgspec

from allmende.media import ifd

ORIENTATION = 0x0112
_EXIF_POINTER = 0x8769

_MAX_TEXT = 200
"""Characters kept of a text."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_YEAR = re.compile(r"((?:19|20)\d\d)[:/-]")


def orientation(tiff: bytes) -> int:
    """How the stored rows lie, 1..8 as EXIF counts; 1 (upright) if the block does not say."""
    value = ifd.read(tiff, {ORIENTATION}).get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def facts(tiff: bytes) -> str:
    """The kept facts as a compact JSON object; `{}` if there are none.

    Keys: make, model, lens, software, artist, copyright, year, exposure_seconds, f_number, iso,
    focal_length_mm, focal_length_35mm, flash.
    """
    if not tiff:
        return "{}"
    values = {**ifd.read(tiff, _FIRST.keys()), **ifd.read(tiff, _EXIF.keys(), _EXIF_POINTER)}
    found = {}
    for tag, (name, reading) in _KEPT.items():
        if tag in values and (fact := reading(values[tag])) is not None:
            found[name] = fact
    return msgspec.json.encode(found).decode()


Fact = str | int | float | bool


def _text(value: ifd.Value) -> str | None:
    """ASCII by the standard, UTF-8 or Latin-1 in the wild; Copyright holds two texts divided by a zero byte."""
    if not isinstance(value, bytes):
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return _CONTROL.sub(" ", text).strip()[:_MAX_TEXT] or None


def _year(value: ifd.Value) -> int | None:
    match = _YEAR.match(_text(value) or "")
    return int(match[1]) if match else None


def _number(value: ifd.Value) -> float | None:
    """A positive number with four significant digits."""
    return float(f"{value:.4g}") if isinstance(value, int | float) and value > 0 else None


def _whole(value: ifd.Value) -> int | None:
    return round(value) if isinstance(value, int | float) and value > 0 else None


def _fired(value: ifd.Value) -> bool | None:
    """The lowest bit of Flash: whether it fired."""
    return bool(value & 1) if isinstance(value, int) else None


_Reading = Callable[[ifd.Value], Fact | None]

_FIRST: dict[int, tuple[str, _Reading]] = {
    0x010F: ("make", _text),
    0x0110: ("model", _text),
    0x0131: ("software", _text),
    0x013B: ("artist", _text),
    0x8298: ("copyright", _text),
}
"""Of the first directory."""

_EXIF: dict[int, tuple[str, _Reading]] = {
    0xA434: ("lens", _text),
    0x9003: ("year", _year),
    0x829A: ("exposure_seconds", _number),
    0x829D: ("f_number", _number),
    0x8827: ("iso", _whole),
    0x920A: ("focal_length_mm", _number),
    0xA405: ("focal_length_35mm", _whole),
    0x9209: ("flash", _fired),
}
"""Of EXIF's own directory."""

_KEPT = _FIRST | _EXIF
