"""Orientation and kept facts, read from blocks that Pillow wrote and from noise."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from allmende.media import exif, ifd


def block(first=None, own=None, position=None):
    """A TIFF block with tags of the first directory, of EXIF's own and of the position's."""
    tags = Image.Exif()
    tags.update(first or {})
    tags.get_ifd(0x8769).update(own or {})
    tags.get_ifd(0x8825).update(position or {})
    return tags.tobytes().removeprefix(b"Exif\0\0")


def test_keeps_what_says_how_and_whose():
    tiff = block(
        {0x010F: "LEICA", 0x0110: "M11", 0x0131: "Editor 2.1", 0x013B: "Ada Example", 0x8298: "(c) Ada\0(c) Ed"},
        {
            0xA434: "Summilux 35", 0x9003: "2019:07:04 11:22:33", 0x829A: IFDRational(1, 125), 0x829D: IFDRational(28, 10), 0x8827: 400,
            0x920A: IFDRational(35, 1), 0xA405: 35, 0x9209: 0x19,
        },
    )  # fmt: skip
    assert json.loads(exif.facts(tiff)) == {
        "make": "LEICA",
        "model": "M11",
        "software": "Editor 2.1",
        "artist": "Ada Example",
        "copyright": "(c) Ada (c) Ed",
        "lens": "Summilux 35",
        "year": 2019,
        "exposure_seconds": 0.008,
        "f_number": 2.8,
        "iso": 400,
        "focal_length_mm": 35.0,
        "focal_length_35mm": 35,
        "flash": True,
    }


def test_position_serial_numbers_and_owner_are_not_kept():
    tiff = block(
        {0x010E: "my daughter", 0x013C: "ada-laptop"},
        {
            0xA430: "Ada Owner", 0xA431: "SERIAL-1", 0xA435: "SERIAL-2", 0x927C: b"maker note", 0x9286: b"a comment",
            0x9003: "2019:07:04 11:22:33", 0xA420: "UNIQUE",
        },
        {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)},
    )  # fmt: skip
    assert json.loads(exif.facts(tiff)) == {"year": 2019}


def test_nothing_kept_is_an_empty_object():
    assert exif.facts(b"") == exif.facts(b"II*\0") == exif.facts(block()) == "{}"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation):
    assert exif.orientation(block({0x0112: orientation})) == orientation


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_impossible_orientation_is_upright(value):
    assert exif.orientation(block({0x0112: value})) == 1


def test_both_byte_orders():
    entry = (0x0112).to_bytes(2) + (3).to_bytes(2) + (1).to_bytes(4) + (6).to_bytes(2) + bytes(2)
    big = b"MM\0*" + (8).to_bytes(4) + (1).to_bytes(2) + entry
    assert exif.orientation(big) == 6
    entry = b"".join(n.to_bytes(w, "little") for n, w in ((0x0112, 2), (3, 2), (1, 4), (8, 4)))
    little = b"II*\0" + (8).to_bytes(4, "little") + (1).to_bytes(2, "little") + entry
    assert exif.orientation(little) == 8


def test_texts_are_cleaned_and_cut():
    facts = json.loads(exif.facts(block({0x010F: b"Caf\xe9 \x01\n Cam\0\0", 0x8298: "x" * 5_000})))
    assert facts["make"] == "Caf\xe9 Cam"
    assert facts["copyright"] == "x" * 200


def directory(*entries):
    """A little-endian block with one directory: (tag, type, count, the four bytes of the value or its offset)."""
    packed = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed


def test_what_can_not_be_read_is_absent():
    assert ifd.read(directory((0x829A, 5, 1, struct.pack("<I", 22))) + struct.pack("<II", 1, 0), {0x829A}) == {}
    assert ifd.read(directory((0x829A, 5, 1, struct.pack("<I", 22))) + struct.pack("<II", 1, 4), {0x829A}) == {
        0x829A: 0.25
    }
    assert ifd.read(directory((0x829A, 5, 1, struct.pack("<I", 9_999))), {0x829A}) == {}
    assert ifd.read(directory((0x0112, 3, 0, bytes(4)), (0x010F, 99, 1, bytes(4))), {0x0112, 0x010F}) == {}
    assert ifd.read(directory((0x8769, 2, 4, b"text")), {0x829A}, pointer=0x8769) == {}


@given(st.sampled_from([b"II*\0", b"MM\0*", b""]), st.binary(max_size=300))
def test_never_raises(order, rest):
    assert json.loads(exif.facts(order + rest)) is not None
    assert 1 <= exif.orientation(order + rest) <= 8


@given(st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_damaged_blocks_never_raise(noise, at):
    tiff = bytearray(block({0x010F: "LEICA", 0x0112: 6}, {0x829A: IFDRational(1, 125), 0x9003: "2019:07:04 11:22:33"}))
    tiff[at : at + len(noise)] = noise
    json.loads(exif.facts(bytes(tiff)))
    exif.orientation(bytes(tiff))
