import gzip
import json
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.commoncrawl.wat import WatCapture, read_wat
from allmende.schema import Reason
from allmende.testing.archives import Archive, cut_in_member, flip_in_member, warc_record, wat_from_warc

calm = settings(deadline=None)
HTML = """<html lang="de"><head><base href="/b/"><meta name="robots" content="noai">
<meta property="og:image" content="og.jpg"><link rel="image_src" href="src.jpg"></head>
<body><a href="x">A "}] link</a><img src="a.jpg" alt="Ein Rad"><img src="b.jpg" title="Titel">
<img src="c.jpg" alt=""><img src="d.jpg"><a rel="noopener license" href="/cc">frei</a></body></html>"""


def warc(*pages):
    archive = Archive("a.warc.gz")
    for number, page in enumerate(pages or [HTML]):
        archive.request(f"https://example.org/{number}")
        archive.page(f"https://example.org/{number}", page)
        archive.metadata(f"https://example.org/{number}")
    return archive.to_bytes()


def read(data):
    return list(read_wat(BytesIO(data)))


def record(told):
    """A WAT file with one record."""
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return warc_record("metadata", text, headers=[("Content-Type", "application/json")])


def told(links, **more):
    response = {"Headers": {}, "HTML-Metadata": {"Head": {"Title": "t"}, "Links": links}} | more
    return {
        "Container": {"Filename": "a.warc.gz", "Offset": "7", "Gzip-Metadata": {"Deflate-Length": "9"}},
        "Envelope": {
            "Payload-Metadata": {"HTTP-Response-Metadata": response},
            "WARC-Header-Metadata": {"WARC-Type": "response", "WARC-Target-URI": "https://example.org/"},
        },
    }


@pytest.mark.parametrize("form", ["current", "2019", "2013"])
def test_every_key_order_says_the_same(form):
    archive = Archive("a.warc.gz")
    archive.request("https://example.org/")
    place = archive.page("https://example.org/", HTML)
    (capture,) = read(wat_from_warc(archive.to_bytes(), "a.warc.gz", form=form))
    assert [(i.url, i.alt, i.title) for i in capture.images] == [
        ("a.jpg", "Ein Rad", ""),
        ("b.jpg", "", "Titel"),
        ("c.jpg", "", ""),
        ("d.jpg", "", ""),
    ]
    assert (capture.license, capture.head.base, capture.status) == ("/cc", "/b/", "200")
    assert (capture.warc_file, capture.warc_offset, capture.warc_length) == ("a.warc.gz", place.offset, place.length)
    assert [link.rel for link in capture.head.links] == ["image_src"]


def test_an_uncompressed_warc_has_lengths_too():
    archive = Archive("a.warc", gzip=False)
    place = archive.page("https://example.org/", HTML)
    (capture,) = read(wat_from_warc(archive.to_bytes(), "a.warc", gzip=False))
    assert (capture.warc_offset, capture.warc_length) == (place.offset, place.length)


def test_damage_costs_the_damaged_record():
    data = wat_from_warc(warc(HTML, HTML, HTML))
    assert [type(c).__name__ for c in read(flip_in_member(data, 6))] == ["WatCapture", "Reason", "WatCapture"]
    *captures, reason = read(cut_in_member(data, 6))
    assert len(captures) == 1
    assert reason is Reason.RECORD_TRUNCATED


def test_a_file_that_is_no_wat():
    assert read(warc()) == [Reason.RECORD_MALFORMED]
    assert read(b"") == [Reason.RECORD_TRUNCATED]


@pytest.mark.parametrize(
    "text",
    [
        b'{"HTTP-Response-Metadata": nonsense}',
        b'"HTTP-Response-Metadata"' + b"[" * 100_000,
        b'{"Envelope":{"Payload-Metadata":{"HTTP-Response-Metadata":{}}}}',
    ],
)
def test_malformed_records_are_counted(text):
    assert read(warc_record("metadata", text)) == [Reason.RECORD_MALFORMED]


def test_revisits_are_no_captures():
    archive = Archive()
    archive.revisit("https://example.org/")
    assert read(wat_from_warc(archive.to_bytes())) == []


@pytest.mark.parametrize(("date", "escaped"), [("2019-06-18", True), ("2019-06-19", False)])
def test_files_from_before_june_2019_hold_character_references(date, escaped):
    data = warc_record("warcinfo", b"format: WAT\r\n", date=f"{date}T00:00:00Z") + record(told([]))
    assert read(data)[0].escaped is escaped
    stamp = date.replace("-", "")
    info = f"Software-Info: ia-web-commons.1.1.9-SNAPSHOT-{stamp}084427\r\n".encode()
    assert read(warc_record("warcinfo", info) + record(told([])))[0].escaped is escaped


def test_nearly_right_json_is_read():
    (capture,) = read(record(told([{"path": "IMG@/src", "url": "a.jpg", "alt": "x\ud800\x00y"}])))
    assert capture.images[0].alt.startswith("x")
    text = gzip.decompress(record(told([{"path": "IMG@/src", "url": "a.jpg", "alt": "xXy"}])))
    (capture,) = read(text.replace(b"xXy", b"x\xffy"))
    assert capture.images[0].alt == "x\ufffdy"


@calm
@given(st.data())
def test_arbitrary_changes_never_raise(data):
    text = bytearray(gzip.decompress(record(told([{"path": "IMG@/src", "url": "a.jpg", "alt": "b"}]))))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    assert all(isinstance(item, (WatCapture, Reason)) for item in read(bytes(text)))
