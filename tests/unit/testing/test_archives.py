"""The archives we build are read by three independent readers; the damage is where we say it is."""

import io
import json
import zlib

import fastwarc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from allmende.testing.archives import (
    Archive,
    cut_in_member,
    flip_in_member,
    gzip_member,
    hole_in_member,
    http_response,
    read_records,
    wat_from_warc,
    wrong_content_length,
)

PAGE = """<!doctype html><html lang="de"><head><title>Zwei  Räder</title><base href="/bilder/">
<meta property="og:image" content="rad.jpg"><link rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">
</head><body><a href="gross.jpg">vorher <img alt="Ein rotes Fahrrad &amp; ein Hund" title="Fahrrad" src="rad.jpg" data-src="x"> nachher</a>
<noscript><img src="faul.jpg" alt="Faultier"></noscript><img srcset="nur.jpg 2x"></body></html>"""


def build(*, gzip: bool = True) -> Archive:
    archive = Archive(gzip=gzip)
    archive.request("http://a.example/eins?x=1")
    archive.page("http://a.example/eins?x=1", PAGE)
    archive.metadata("http://a.example/eins?x=1")
    archive.response("http://a.example/rad.jpg", b"\xff\xd8rad" * 50, content_type="image/jpeg")
    archive.revisit("http://a.example/zwei")
    archive.page("http://a.example/weg", "weg", status=404)
    return archive


def fastwarc_urls(data: bytes) -> list[str]:
    records = fastwarc.ArchiveIterator(io.BytesIO(data), parse_http=False)
    return [record.headers.get("WARC-Target-URI", "") for record in records]


@pytest.mark.parametrize("gzip", [True, False])
def test_other_readers_see_every_record_at_its_place(gzip: bool) -> None:
    archive = build(gzip=gzip)
    data = archive.to_bytes()
    places = [place for place, _ in read_records(data)]
    with_fastwarc = [r.stream_pos for r in fastwarc.ArchiveIterator(io.BytesIO(data), parse_http=False)]
    with_warcio = WarcioIterator(io.BytesIO(data))
    slop = 0 if gzip else 4  # warcio counts the two empty lines after a plain record to no record
    pairs = [(with_warcio.get_record_offset(), with_warcio.get_record_length() + slop) for _ in with_warcio]
    assert with_fastwarc == [place.offset for place in places]
    assert pairs == [(place.offset, place.length) for place in places]
    assert build(gzip=gzip).to_bytes() == data


def test_a_plain_archive_holds_what_the_compressed_one_holds() -> None:
    plain = [record for _, record in read_records(build(gzip=False).to_bytes())]
    assert plain == [record for _, record in read_records(build().to_bytes())]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("chunked", [True, False])
def test_encoded_bodies_are_undone_by_warcio_and_by_the_wat(encoding: str, chunked: bool) -> None:
    archive = Archive()
    archive.page("http://a.example/", PAGE, encoding=encoding, chunked=chunked)
    data = archive.to_bytes()
    records = WarcioIterator(io.BytesIO(data))
    if encoding in ("gzip", "deflate"):  # what warcio can undo with today's libraries
        assert next(r.content_stream().read() for r in records if r.rec_type == "response").decode() == PAGE
    assert wat_links(wat_from_warc(data)) == wat_links(wat_from_warc(plain_page()))


def plain_page() -> bytes:
    archive = Archive()
    archive.page("http://a.example/", PAGE)
    return archive.to_bytes()


def wat_json(wat: bytes) -> list[dict]:
    records = fastwarc.ArchiveIterator(io.BytesIO(wat), record_types=fastwarc.WarcRecordType.metadata)
    return [json.loads(record.reader.read()) for record in records]


def wat_links(wat: bytes) -> list[dict]:
    responses = (w["Envelope"]["Payload-Metadata"].get("HTTP-Response-Metadata", {}) for w in wat_json(wat))
    return [link for response in responses for link in response.get("HTML-Metadata", {}).get("Links", [])]


def test_the_wat_says_what_common_crawls_would() -> None:
    data = build().to_bytes()
    told = wat_json(wat_from_warc(data, "demo.warc.gz"))
    places = [place for place, _ in read_records(data)]
    page = told[2]
    html = page["Envelope"]["Payload-Metadata"]["HTTP-Response-Metadata"]["HTML-Metadata"]
    assert list(page) == ["Container", "Envelope"]
    assert page["Container"]["Offset"] == str(places[2].offset)
    assert page["Container"]["Gzip-Metadata"]["Deflate-Length"] == str(places[2].length)
    assert page["Envelope"]["WARC-Header-Metadata"]["WARC-Target-URI"] == "http://a.example/eins?x=1"
    assert html["Head"] == {
        "Metas": [{"name": "HTML@/lang", "content": "de"}, {"content": "rad.jpg", "property": "og:image"}],
        "Title": "Zwei Räder",
        "Link": [
            {
                "path": "LINK@/href",
                "url": "https://creativecommons.org/publicdomain/zero/1.0/",
                "rel": "license",
            }
        ],
        "Base": "/bilder/",
    }
    assert html["Links"] == [
        {"path": "IMG@/src", "url": "rad.jpg", "alt": "Ein rotes Fahrrad & ein Hund", "title": "Fahrrad"},
        {"path": "A@/href", "url": "gross.jpg", "text": "vorher nachher"},
        {"path": "IMG@/src", "url": "faul.jpg", "alt": "Faultier"},
    ]
    assert len(told) == len(places)


def test_older_forms_differ_in_key_order_only() -> None:
    data = build().to_bytes()
    current, of_2019, of_2013 = (wat_json(wat_from_warc(data, form=f)) for f in ("current", "2019", "2013"))
    assert current == of_2019 == of_2013
    assert [list(form[2]) for form in (of_2019, of_2013)] == [["Container", "Envelope"], ["Envelope", "Container"]]
    assert list(of_2019[2]["Envelope"]) != list(current[2]["Envelope"])


@given(st.binary(max_size=5_000))
def test_gzip_members_are_gzip(data: bytes) -> None:
    member = gzip_member(data)
    assert zlib.decompress(member, wbits=31) == data
    assert len(zlib.decompress(member[10:-8], wbits=-15)) == len(data)


def test_an_archive_cut_inside_a_member_keeps_the_records_before() -> None:
    data = build().to_bytes()
    assert fastwarc_urls(cut_in_member(data, 3, keep=0.5))[:3] == fastwarc_urls(data)[:3]
    assert cut_in_member(data, 3, keep=0.0) == data[: [p.offset for p, _ in read_records(data)][3]]


@pytest.mark.parametrize("damage", [flip_in_member, hole_in_member])
def test_damage_stays_inside_its_member(damage) -> None:
    data = build().to_bytes()
    places = [place for place, _ in read_records(data)]
    damaged = damage(data, 2)
    with pytest.raises(zlib.error):
        zlib.decompress(damaged[places[2].offset : places[3].offset], wbits=31)
    assert damaged.startswith(data[: places[2].offset])
    assert damaged.endswith(data[places[3].offset :])


@pytest.mark.parametrize("index", [0, 2])
@pytest.mark.parametrize("gzip", [True, False])
def test_a_wrong_content_length_is_wrong_by_that_much(index: int, gzip: bool) -> None:
    data = build(gzip=gzip).to_bytes()
    true = list(read_records(data))[index][1]
    wrong = next(
        r.rec_headers.get_header("Content-Length")
        for i, r in enumerate(WarcioIterator(io.BytesIO(wrong_content_length(data, index, by=-7))))
        if i == index
    )
    head, _, rest = true.partition(b"\r\n\r\n")
    assert int(wrong) == len(rest) - 4 - 7
    assert head


def test_http_responses_with_odd_status_and_headers() -> None:
    message = http_response(
        b"x", status=299, content_type="", headers=[("X-Robots-Tag", "noai"), ("X-Robots-Tag", "a")]
    )
    assert message == b"HTTP/1.1 299 Unassigned\r\nContent-Length: 1\r\nX-Robots-Tag: noai\r\nX-Robots-Tag: a\r\n\r\nx"
