import gzip
import io
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.commoncrawl.warc import WarcCapture, content_type, header, is_image, read_capture, read_warc
from allmende.schema import Reason
from allmende.testing.archives import Archive, cut_in_member, flip_in_member, hole_in_member, http_response, warc_record

URL = "https://a.example/page.html"
HTML = b"<p>Gr\xc3\xbc\xc3\x9fe, a page of some length: " + b"x" * 3000
CAP = 100_000


def read(data, cap=CAP):
    return list(read_warc(io.BytesIO(data), cap))


def body_of(http, **options):
    (found,) = read(warc_record("response", http, url=URL, **options))
    return found if isinstance(found, Reason) else found.body


def message(body, *lines, status="HTTP/1.1 200 OK"):
    return "\r\n".join((status, *lines, "", "")).encode() + body


@pytest.mark.parametrize("compressed", [True, False])
def test_reads_captures_with_their_place(compressed):
    archive = Archive(gzip=compressed)
    archive.request(URL)
    first = archive.page(URL, HTML, date="2026-10-21T12:34:56Z", headers=[("Set-Cookie", "a"), ("Set-Cookie", "b")])
    archive.metadata(URL)
    archive.revisit(URL)
    second = archive.page(URL + "?2", HTML)
    data = archive.to_bytes()
    found = read(data)
    assert [(one.offset, one.length) for one in found] == [(p.offset, p.length) for p in (first, second)]
    assert found[0].url == URL
    assert found[0].date == "2026-10-21T12:34:56Z"
    assert found[0].body == HTML
    assert found[0].headers["Set-Cookie"] == ["a", "b"]
    assert header(found[0].headers, "set-cookie") == "b"
    assert content_type(found[0].headers) == "text/html"
    alone = read_capture(data[second.offset :][: second.length], CAP)
    assert (alone.url, alone.body) == (URL + "?2", HTML)


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", None])
def test_undoes_encodings(encoding, chunked):
    options = {"encoding": encoding} if encoding else {}
    assert body_of(http_response(HTML, chunked=chunked, **options)) == HTML


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip, br", brotli.compress(gzip.compress(HTML))),
        ("x-gzip", gzip.compress(HTML[:100]) + gzip.compress(HTML[100:])),
        ("gzip", gzip.compress(HTML) + b"rubbish behind"),
        ("deflate", raw_deflate(HTML)),
        ("identity", HTML),
        ("", HTML),
        ("gzip", HTML),  # the crawler undid it, and left the header
        ("deflate", HTML),
        ("br", HTML),
        ("zstd", HTML),
        ("utf-8", HTML),  # no encoding at all, but seen
    ],
)
def test_undoes_what_servers_and_crawlers_do(name, body):
    assert body_of(message(body, f"Content-Encoding: {name}")) == HTML


def test_takes_a_body_as_it_is_that_only_says_it_were_chunked():
    assert body_of(message(HTML, "Transfer-Encoding: chunked")) == HTML


BROKEN = [
    ("Content-Encoding: gzip", gzip.compress(HTML)[:-20]),
    ("Content-Encoding: gzip", gzip.compress(HTML)[:20] + b"\xff" * 50),
    ("Content-Encoding: br", b"\x00\x01\x02\xff" * 20),
    ("Content-Encoding: br", brotli.compress(HTML)[:-3]),
    ("Content-Encoding: deflate", zlib.compress(HTML)[:-9]),
    ("Content-Encoding: zstd", zstandard.compress(HTML)[:8] + b"\xff" * 20),
    ("Content-Encoding: exi", b"\x00\x01\x02\xff"),
    ("Transfer-Encoding: chunked", b"5\r\nhello\r\nnonsense"),
    ("Transfer-Encoding: chunked", b"ffff\r\nhello"),
]


@pytest.mark.parametrize(("line", "body"), BROKEN)
def test_counts_what_cannot_be_undone(line, body):
    assert body_of(message(body, line)) is Reason.RECORD_ENCODING_BROKEN


@pytest.mark.parametrize(
    ("line", "body", "expected"),
    [
        ("Content-Encoding: gzip", gzip.compress(HTML, 0)[:-100], HTML[:-92]),
        ("Transfer-Encoding: chunked", b"ffff\r\nhello", b"hello"),
    ],
)
def test_reads_a_body_that_the_crawler_cut_off_as_far_as_it_goes(line, body, expected):
    assert body_of(message(body, line), headers=[("WARC-Truncated", "length")]) == expected


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_stops_at_bombs(name, pack):
    fits, bomb = pack(bytes(CAP)), pack(bytes(CAP + 1))
    assert body_of(message(fits, f"Content-Encoding: {name}")) == bytes(CAP)
    assert body_of(message(bomb, f"Content-Encoding: {name}")) is Reason.RECORD_TOO_LARGE
    assert body_of(message(pack(bomb), f"Content-Encoding: {name}, {name}")) is Reason.RECORD_TOO_LARGE


@pytest.mark.parametrize("size", [CAP + 1, 5_000_000])
def test_counts_bodies_over_the_cap(size):
    assert body_of(message(b"x" * size)) is Reason.RECORD_TOO_LARGE


@pytest.mark.parametrize(
    ("http", "reason"),
    [
        (http_response(b"gone", status=404), Reason.RECORD_HTTP_STATUS),
        (http_response(b"", status=301), Reason.RECORD_HTTP_STATUS),
        (http_response(b""), Reason.RECORD_EMPTY),
        (http_response(b"", encoding="gzip"), Reason.RECORD_EMPTY),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html", Reason.RECORD_EMPTY),
        (b"HTTP/1.1 200", Reason.RECORD_EMPTY),
        (b"", Reason.RECORD_MALFORMED),
        (b"<html>no headers", Reason.RECORD_MALFORMED),
        (b"HTTP/1.1 2000 OK\r\n\r\nx", Reason.RECORD_MALFORMED),
    ],
)
def test_counts_what_is_no_use(http, reason):
    assert body_of(http) is reason


@pytest.mark.parametrize(
    "http",
    [
        b"HTTP/1.1 200 OK\nContent-Type: text/html\n\nbody",
        b"HTTP/2 200\r\nFolded: a\r\n b\r\nno colon\r\n\r\nbody",
        b"HTTP/1.0 200 Fine\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nX-\xff: \xfe\r\n\r\nbody",
    ],
)
def test_reads_unusual_headers(http):
    assert body_of(http) == b"body"


def test_takes_the_url_out_of_wgets_brackets():
    (found,) = read(warc_record("response", http_response(HTML), url=f"<{URL}>"))
    assert found.url == URL


def test_reads_a_record_with_two_lengths():
    record = warc_record("response", http_response(HTML), url=URL, gzip=False)
    record = record.replace(b"\r\nWARC-Block", b"\r\nContent-Length: " + b"9" * 5000 + b"\r\nWARC-Block", 1)
    (found,) = read(record)
    assert found.body.startswith(HTML)


def test_passes_over_dns_answers():
    dns = warc_record(
        "response",
        b"20261021\na.example. 60 IN A 192.0.2.1",
        url="dns:a.example",
        headers=[("Content-Type", "text/dns")],
    )
    assert read(dns + warc_record("request", b"GET / HTTP/1.1\r\n\r\n", url=URL)) == []


@pytest.mark.parametrize("kind", ["metadata", "conversion", "warcinfo"])
def test_says_that_a_file_of_another_kind_is_no_warc_of_a_crawl(kind):
    assert read(warc_record(kind, b"software: x\r\n\r\n", url=URL)) == [Reason.RECORD_MALFORMED]
    assert read_capture(warc_record(kind, b"software: x\r\n\r\n", url=URL), CAP) is Reason.RECORD_MALFORMED


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: cut_in_member(data, 3), Reason.RECORD_TRUNCATED),
        (lambda data: flip_in_member(data, 3), Reason.RECORD_DAMAGED),
        (lambda data: hole_in_member(data, 3), Reason.RECORD_DAMAGED),
    ],
)
def test_yields_all_before_the_damage(damage, reason):
    archive = Archive()
    for number in range(3):
        archive.page(f"{URL}?{number}", HTML + b"%d" % number)
    found = read(damage(archive.to_bytes()))
    assert [one.url[-1] for one in found[:2]] == ["0", "1"]
    assert found[2:] == [reason]


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg", True),
        (b"\x89PNG\r\n\x1a\n", "application/octet-stream", True),
        (b"RIFF\0\0\0\0WEBP", "", True),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "image/avif", True),
        (b"\0\0\0\x1cftypmp42\0\0\0\0", "image/avif", False),
        (b"GIF89a", "text/html", True),
        (b"BM and more", "text/html; charset=utf-8", False),
        (b"BM and more", "image/bmp", True),
        (b"II*\0", "image/tiff", True),
        (b"<html>", "image/jpeg", False),
        (b"<svg>", "image/svg+xml", False),
    ],
)
def test_tells_images_by_their_first_bytes(body, kind, expected):
    (capture,) = read(warc_record("response", http_response(body, content_type=kind), url=URL))
    assert is_image(capture) is expected


@settings(max_examples=50)
@given(st.binary(), st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), max_size=5))
def test_any_bytes_are_read(rubbish, flips):
    http = bytearray(http_response(HTML[:200] + rubbish, encoding="gzip", chunked=True))
    for at, mask in flips:
        http[at % len(http)] ^= mask
    for record in (bytes(http), rubbish):
        for found in read(warc_record("response", record, url=URL)):
            assert isinstance(found, (WarcCapture, Reason))
