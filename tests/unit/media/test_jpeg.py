"""The segments of JPEG files."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from allmende.media import jpeg


def test_segments_cover_the_file(pictures):
    for settings in ({}, {"progressive": True}, {"restart_marker_blocks": 4}):
        body = pictures.write(pictures.make(120, 90), "JPEG", **settings)
        found = list(jpeg.segments(body))
        assert found[0].start == 2
        assert all(one.end == other.start for one, other in itertools.pairwise(found))
        assert found[-1] == (jpeg.EOI, len(body) - 2, len(body))


def test_fill_and_stray_bytes_are_stepped_over(pictures):
    body = pictures.write(pictures.make(120, 90), "JPEG")
    padded = body[:2] + b"\xff\xff\xff" + body[2:20] + b"stray" + body[20:]
    assert [s.marker for s in jpeg.segments(padded)] == [s.marker for s in jpeg.segments(body)]


def test_profile_in_pieces_is_put_in_order():
    def piece(number, data):
        payload = b"ICC_PROFILE\0" + bytes([number, 2]) + data
        return b"\xff\xe2" + (len(payload) + 2).to_bytes(2) + payload

    frame = b"\xff\xc0\x00\x11\x08\x00\x05\x00\x07\x03" + bytes(9)
    body = b"\xff\xd8" + piece(2, b"second") + piece(1, b"first") + frame
    assert jpeg.facts(body) == jpeg.Facts(7, 5, 3, progressive=False, exif=b"", icc=b"firstsecond")


def test_progressive_is_known_by_its_frame(pictures):
    body = pictures.write(pictures.make(120, 90), "JPEG", progressive=True)
    assert jpeg.facts(body).progressive
    assert jpeg.scans(body) >= 6


def test_segments_of_a_hostile_file_are_bounded():
    assert len(list(jpeg.segments(b"\xff\xd8" + b"\xff\xfe\0\2" * 50_000))) <= 10_000
    assert list(jpeg.segments(b"\xff" * 1_000_000)) == []
    assert list(jpeg.segments(b"\xff\xd8" + b"\xff\xd0" * 500_000)) == []


@given(st.binary(max_size=400))
def test_never_raises(rest):
    assert all(2 <= s.start < s.end <= len(rest) + 2 for s in jpeg.segments(b"\xff\xd8" + rest))
    jpeg.facts(b"\xff\xd8" + rest)
