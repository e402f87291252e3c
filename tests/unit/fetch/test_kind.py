import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.fetch.kind import IMAGES, START_BYTES
from allmende.schema import Reason

TYPES = [None, "", "image/jpeg", "text/html; charset=utf-8", "application/octet-stream", "IMAGE/PNG", "video/mp4"]
FTYP = b"\0\0\0\x1cftyp"


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        FTYP + b"avif\0\0\0\0mif1miaf",
        FTYP + b"mif1\0\0\0\0avifmiaf",
        b"BM",
        b"II*\0",
        b"MM\0*",
    ],
)
def test_images_are_known_by_their_first_bytes(start, content_type):
    assert IMAGES.judge(content_type, start + bytes(START_BYTES)) is None


@pytest.mark.parametrize(
    "start", [b"<html>", b"", b"\xff\xd8", FTYP + b"isom\0\0\0\0avc1", b"RIFF\x10\0\0\0WAVE", b"%PDF"]
)
@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("text/html", Reason.CONTENT_TYPE_REFUSED),
        ("application/pdf", Reason.CONTENT_TYPE_REFUSED),
        ("image/jpeg", Reason.IMAGE_FORMAT),
        ("application/octet-stream", Reason.IMAGE_FORMAT),
        (None, Reason.IMAGE_FORMAT),
    ],
)
def test_a_refusal_is_called_by_the_content_type(start, content_type, reason):
    assert IMAGES.judge(content_type, start) is reason


@given(st.text() | st.none(), st.binary())
def test_anything_is_judged(content_type, start):
    assert IMAGES.judge(content_type, start) in (None, Reason.CONTENT_TYPE_REFUSED, Reason.IMAGE_FORMAT)
