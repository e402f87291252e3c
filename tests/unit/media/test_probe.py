"""Formats and sizes from first bytes."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from allmende.media.probe import probe, sniff

MAGIC = [
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"RIFF\0\0\0\0WEBPVP8X",
    b"RIFF\0\0\0\0WEBPVP8L",
    b"RIFF\0\0\0\0WEBPVP8 ",
    b"GIF89a",
    b"\0\0\0\x20ftypavif",
    b"BM",
    b"II*\0",
    b"MM\0*",
]


def test_reads_the_size_of_every_format(files):
    for name, (body, kind, width, height) in files.items():
        header = probe(body)
        assert (header.format, header.width, header.height) == (kind, width, height), name


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Not Found</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"\0\0\x01\0\x01\0\x10\x10",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"%PDF-1.7",
        b"\xff\xd8",
    ],
)
def test_knows_what_it_does_not_read(body):
    assert sniff(body) is None
    assert probe(body) is None


def test_jpeg_size_stands_behind_large_metadata(pictures):
    icc = bytes(200_000)
    body = pictures.write(pictures.make(100, 70), "JPEG", icc_profile=icc)
    assert (probe(body).width, probe(body).height) == (100, 70)
    assert probe(body).jpeg.icc == icc


def test_bitmap_of_os2_and_bitmap_from_the_top():
    core = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 7, 5, 1, 24)
    assert (probe(core).width, probe(core).height) == (7, 5)
    from_top = b"BM" + bytes(12) + struct.pack("<Iii", 40, 7, -5)
    assert (probe(from_top).width, probe(from_top).height) == (7, 5)
    negative = b"BM" + bytes(12) + struct.pack("<Iii", 40, -7, 5)
    assert probe(negative).width == 0


def test_avif_size_is_the_largest_that_the_file_names(pictures):
    image = pictures.make(120, 90).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    body = pictures.write(image, "AVIF", speed=10)
    assert (probe(body).width, probe(body).height) == (120, 90)


def test_headers_cut_short_have_no_size(files):
    for name, (body, _kind, _width, _height) in files.items():
        for length in range(10):
            header = probe(body[:length])
            assert header is None or (header.width, header.height) == (0, 0), (name, length)


@given(st.sampled_from([b"", *MAGIC]), st.binary(max_size=300))
def test_never_raises(magic, rest):
    header = probe(magic + rest)
    if header is not None:
        assert header.width >= 0
        assert header.height >= 0


def test_agrees_with_pillow_on_a_multi_directory_tiff(pictures):
    body = pictures.write(pictures.make(60, 50), "TIFF", save_all=True, append_images=[pictures.make(20, 10)])
    with Image.open(io.BytesIO(body)) as image:
        assert (probe(body).width, probe(body).height) == image.size == (60, 50)
