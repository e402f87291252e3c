"""A web that is replayed answers what was recorded, in its order, on whatever port."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.demo.replay import PORT, Web, is_whole, moved
from allmende.testing.archives import Archive, http_response, read_records, split_record, wat_from_warc
from allmende.testing.wat import HEADER_END, header_lines, plain_body

PAGE = '<a href="http://b.localhost:8087/"><img src="http://c.localhost:8088/x.jpg" alt="Grüße"></a> 8087'


def test_the_nth_request_has_the_nth_record() -> None:
    archive = Archive()
    archive.page("http://a.localhost:8087/", "wait", status=429)
    archive.page("http://a.localhost:8087/", "here")
    web = Web()
    web.add(archive.to_bytes())
    assert [answer.message.split(b" ")[1] for answer in web.answers["http://a.localhost:8087/"]] == [b"429", b"200"]


def test_slow_answers_are_slow_and_the_crawlers_own_times_are_not_replayed() -> None:
    archive = Archive()
    for url, milliseconds in (("http://a.localhost:8087/", "700"), ("http://b.localhost:8087/", "12")):
        archive.page(url, "x")
        archive.metadata(url, {"fetchTimeMs": milliseconds})
    web = Web()
    web.add(archive.to_bytes())
    assert web.delays == {"http://a.localhost:8087/": 0.7}


@given(st.binary(max_size=3_000), st.booleans())
def test_messages_know_whether_they_are_whole(body: bytes, chunked: bool) -> None:
    message = http_response(body, chunked=chunked)
    assert is_whole(message)
    assert is_whole(message[:-1]) is chunked
    assert not is_whole(message.partition(HEADER_END)[0])


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("chunked", [True, False])
def test_moved_links_lead_to_the_other_port(encoding: str, chunked: bool) -> None:
    archive = Archive("a.warc.gz")
    options = {"encoding": encoding} if encoding else {}
    archive.page(
        "http://a.localhost:8087/", PAGE, chunked=chunked, headers=[("Location", "http://d.localhost:8087/")], **options
    )
    archive.request("http://a.localhost:8087/")
    archive.message("http://e.localhost:8087/", b"220 no HTTP")
    copy = moved(archive.to_bytes(), 8101)
    records = [split_record(record) for _, record in read_records(copy)]
    head, _, body = records[1][1].partition(HEADER_END)
    page = plain_body(header_lines(head), body).decode()
    assert page == '<a href="http://b.localhost:8101/"><img src="http://c.localhost:8102/x.jpg" alt="Grüße"></a> 8087'
    assert [lines.get("WARC-Target-URI") for lines, _ in records] == [
        None,
        "http://a.localhost:8101/",
        "http://a.localhost:8101/",
        "http://e.localhost:8101/",
    ]
    assert is_whole(records[1][1])
    assert records[0][0]["WARC-Filename"] == "a.warc.gz"
    assert records[2][1].count(b"a.localhost:8101") == 1
    assert len(list(read_records(wat_from_warc(copy)))) == len(records) + 1


def test_an_archive_that_stays_is_left_alone() -> None:
    data = Archive().to_bytes()
    assert moved(data, PORT) is data
