import gzip
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.commoncrawl.records import read_records
from allmende.schema import Reason
from allmende.testing.archives import (
    Archive,
    cut_in_member,
    flip_byte,
    flip_in_member,
    gzip_member,
    hole_in_member,
    warc_record,
    wrong_content_length,
)
from allmende.testing.archives import (
    read_records as true_records,
)

calm = settings(deadline=None)


class Trickle:
    """A stream that gives a few bytes at a time, as a slow connection does."""

    def __init__(self, data, size):
        self.file, self.size = BytesIO(data), size

    def read(self, size, /):
        return self.file.read(min(size, self.size))


def archive(*, compressed=True, pages=4):
    made = Archive(gzip=compressed)
    for number in range(pages):
        made.request(f"https://example.org/{number}")
        made.page(f"https://example.org/{number}", f"<p>{number}" * (1 + 50 * number))
    return made.to_bytes()


def read(data, **options):
    """Records without their Reasons, and the Reasons."""
    items = list(read_records(BytesIO(data), **options))
    return [i for i in items if not isinstance(i, Reason)], [i for i in items if isinstance(i, Reason)]


def contents(data):
    return [bytes(record.data) for record in read(data)[0]]


GZIPPED, PLAIN = archive(), archive(compressed=False)
BOTH = pytest.mark.parametrize("data", [GZIPPED, PLAIN], ids=["gzip", "plain"])


@BOTH
def test_every_record_with_its_place(data):
    records, reasons = read(data)
    true = list(true_records(data))
    assert [(r.offset, r.length) for r in records] == [(place.offset, place.length) for place, _ in true]
    assert [bytes(r.data).rstrip() for r in records] == [record.rstrip() for _, record in true]
    assert all(r.data[r.block - 4 : r.block] == b"\r\n\r\n" for r in records)
    assert reasons == []


@BOTH
def test_reading_at_the_offset_gives_the_record_back(data):
    for record in read(data)[0]:
        (again,), reasons = read(data[record.offset : record.offset + record.length])
        assert again.data == record.data
        assert reasons == []


@BOTH
def test_small_reads_make_no_difference(data):
    assert list(read_records(Trickle(data, 7))) == list(read_records(BytesIO(data)))


def test_all_in_one_member():
    records, reasons = read(gzip.compress(PLAIN))
    assert [bytes(r.data) for r in records] == contents(PLAIN)
    assert {(r.offset, r.length) for r in records} == {(0, None)}
    assert reasons == []


@calm
@given(st.integers(0, len(GZIPPED)))
def test_gzip_cut_anywhere(cut):
    places = [place for place, _ in true_records(GZIPPED)]
    whole = [place for place in places if place.offset + place.length <= cut]
    records, reasons = read(GZIPPED[:cut])
    assert [r.offset for r in records] == [place.offset for place in whole]
    assert reasons == ([] if cut and cut in {p.offset + p.length for p in whole} else [Reason.RECORD_TRUNCATED])


@calm
@given(st.integers(0, len(PLAIN)))
def test_plain_cut_anywhere(cut):
    places = [place for place, _ in true_records(PLAIN)]
    # A record counts when its block is whole; the four bytes behind it only separate it from the next.
    whole = [place for place in places if place.offset + place.length - 4 <= cut]
    records, reasons = read(PLAIN[:cut])
    assert [r.offset for r in records] == [place.offset for place in whole]
    assert reasons == ([] if cut in {p.offset + p.length for p in whole} else [Reason.RECORD_TRUNCATED])


@calm
@given(st.integers(1, len(gzip.compress(PLAIN)) - 1))
def test_one_member_cut_anywhere(cut):
    found, reasons = contents(gzip.compress(PLAIN)[:cut]), read(gzip.compress(PLAIN)[:cut])[1]
    assert found == contents(PLAIN)[: len(found)]
    assert reasons == [Reason.RECORD_TRUNCATED]


@BOTH
@pytest.mark.parametrize("index", range(9))
@pytest.mark.parametrize("damage", [flip_in_member, hole_in_member])
def test_damage_costs_the_damaged_record(data, index, damage):
    found, (_, reasons) = contents(damage(data, index)), read(damage(data, index))
    true = contents(data)
    lost = [record for record in true if record not in found]
    if data is PLAIN and damage is flip_in_member:  # a plain archive has no checksum: only its structure can be told
        assert len(lost) <= 1
    else:
        assert lost == [true[index]]
        assert reasons == [Reason.RECORD_DAMAGED if index < 8 else reasons[0]]


@BOTH
@pytest.mark.parametrize("by", [-5, 5, 500, 10**9])
def test_wrong_content_length(data, by):
    found, reasons = contents(wrong_content_length(data, 3, by)), read(wrong_content_length(data, 3, by))[1]
    true = contents(data)
    assert found == true[:3] + true[4:]
    assert reasons == [Reason.RECORD_DAMAGED]


def test_cut_in_the_middle_and_continued():
    half = cut_in_member(GZIPPED, 2)
    records, reasons = read(half + GZIPPED)
    assert len(records) == 2 + 9
    assert reasons == [Reason.RECORD_DAMAGED]


def test_a_whole_file_member_keeps_what_was_inflated_before_the_damage():
    big = b"".join(warc_record("request", bytes([n]) * 900, gzip=False) for n in range(200))
    damaged = bytearray(gzip.compress(big))
    damaged[len(damaged) * 3 // 4] ^= 0xFF
    records, reasons = read(bytes(damaged))
    assert 100 < len(records) < 200
    assert reasons == [Reason.RECORD_DAMAGED]


def test_large_records_are_read_at_their_beginning():
    data = warc_record("response", b"x" * 3_000_000) + warc_record("response", b"y")
    for stored in (data, gzip.decompress(data)):
        (large, small), reasons = read(stored, limit=1_000_000)
        assert len(large.data) == 1_000_000
        assert large.size - large.block == 3_000_000
        assert small.data.rstrip().endswith(b"y")
        assert large.offset + large.length <= small.offset
        assert reasons == []


def test_a_gzip_header_inside_a_record_is_no_boundary():
    inner = gzip_member(b"\0" * 50) * 3
    # Stored uncompressed, so that the inner headers are visible in the outer member.
    outer = gzip.compress(warc_record("response", inner, gzip=False), compresslevel=0, mtime=0)
    records, reasons = read(outer + gzip_member(warc_record("request", b"a", gzip=False)))
    assert [(r.offset, r.length) for r in records] == [(0, len(outer)), (len(outer), records[1].length)]
    assert reasons == []


def test_members_longer_than_a_chunk():
    import random

    noise = random.Random(0).randbytes(3_500_000)
    data = warc_record("response", noise) + warc_record("request", b"a")
    records, reasons = read(data)
    assert noise in bytes(records[0].data)
    assert [r.offset + r.length for r in records] == [records[1].offset, len(data)]
    assert reasons == []
    assert len(read(flip_byte(data, 2_000_000))[0]) == 1


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_other_writers(newline):
    lines = [b"WARC/1.1", b"WARC-Type: response", b"content-length:3", b"X-Content-Length: 9", b"", b"abc"]
    record = newline.join(lines)
    for stored in (record + newline * 2, gzip.compress(record + newline * 2), gzip.compress(record)):
        (found,), reasons = read(stored)
        assert found.data[found.block :][:3] == b"abc"
        assert found.length == len(stored)
        assert reasons == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.RECORD_TRUNCATED),
        (b"<html>not found</html>", Reason.RECORD_DAMAGED),
        (b"filedesc://a.arc 0.0.0.0 20050614 text/plain 200\n\n", Reason.RECORD_DAMAGED),
        (gzip.compress(b"no archive"), Reason.RECORD_DAMAGED),
        (b"\x1f\x8b\x08 no gzip", Reason.RECORD_DAMAGED),
        (b"\x1f", Reason.RECORD_TRUNCATED),
        (b"\r\n\r\n", Reason.RECORD_TRUNCATED),
        (b"WARC/1.0\r\nContent-Length: x\r\n\r\n", Reason.RECORD_DAMAGED),
        (b"WARC/1.0\r\n", Reason.RECORD_TRUNCATED),
    ],
)
def test_no_archive_at_all(data, reason):
    assert read(data) == ([], [reason])


@calm
@given(st.binary(max_size=400))
def test_rubbish_between_records(rubbish):
    records, reasons = read(GZIPPED + rubbish + GZIPPED)
    assert len(records) >= 18
    assert len(reasons) <= 2 or rubbish.count(b"\x1f\x8b")


@calm
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x1f\x8b\x08", b"WARC/1.0\r\n", b"WARC/1.0\r\nContent-Length: 9\r\n\r\n"]),
)
def test_arbitrary_bytes_are_never_nothing(rubbish, begin):
    assert list(read_records(BytesIO(begin + rubbish)))


@calm
@given(st.data())
def test_arbitrary_changes_never_raise(data):
    original = bytearray(data.draw(st.sampled_from([GZIPPED, PLAIN, gzip.compress(PLAIN)])))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(original) - 1))
        original[at : at + data.draw(st.integers(0, 60))] = data.draw(st.binary(max_size=60))
    records, _ = read(bytes(original))
    assert all(record.offset < len(original) for record in records)
