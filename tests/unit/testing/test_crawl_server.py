"""The server behaves as a good one does, but for the faults that were asked for."""

import gzip
import json
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path

import pytest

from allmende.testing.crawl_server import (
    Chunked,
    CrawlServer,
    Cut,
    Garbage,
    IgnoreRange,
    Status,
    WrongLength,
    WrongRange,
    lay_out,
    slow_down,
)

DATA = bytes(range(100))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CrawlServer]:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file.gz").write_bytes(DATA)
    (tmp_path / "secret").write_bytes(b"secret")
    with CrawlServer(tmp_path / "root") as running:
        yield running


@pytest.fixture
def line(server: CrawlServer) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    yield connection
    connection.close()


def ask(line: HTTPConnection, path: str = "/file.gz", method: str = "GET", **headers: str) -> HTTPResponse:
    line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return line.getresponse()


def test_files_with_their_version_and_length(line: HTTPConnection) -> None:
    response = ask(line)
    assert (response.status, response.read()) == (200, DATA)
    assert response.headers["Content-Length"] == "100"
    assert response.headers["ETag"].startswith('"')
    assert ask(line, method="HEAD").read() == b""


@pytest.mark.parametrize(
    ("asked", "sent", "said"),
    [
        ("bytes=0-0", DATA[:1], "bytes 0-0/100"),
        ("bytes=90-", DATA[90:], "bytes 90-99/100"),
        ("bytes=90-500", DATA[90:], "bytes 90-99/100"),
        ("bytes=-5", DATA[-5:], "bytes 95-99/100"),
    ],
)
def test_ranges(line: HTTPConnection, asked: str, sent: bytes, said: str) -> None:
    response = ask(line, Range=asked)
    assert (response.status, response.headers["Content-Range"], response.read()) == (206, said, sent)


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=0-1,5-6", "lines=1-2"])
def test_other_ranges_get_the_whole_file(line: HTTPConnection, asked: str) -> None:
    assert ask(line, Range=asked).read() == DATA


def test_a_range_beyond_the_end(line: HTTPConnection) -> None:
    response = ask(line, Range="bytes=100-")
    assert (response.status, response.headers["Content-Range"], response.read()) == (416, "bytes */100", b"")


def test_if_range(line: HTTPConnection) -> None:
    first = ask(line)
    first.read()
    for validator in (first.headers["ETag"], first.headers["Last-Modified"]):
        assert ask(line, Range="bytes=50-", If_Range=validator).read() == DATA[50:]
    assert ask(line, Range="bytes=50-", If_Range='"another"').read() == DATA


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/", "/none"])
def test_nothing_outside_the_folder(line: HTTPConnection, path: str) -> None:
    response = ask(line, path)
    assert response.status == 404
    assert b"NoSuchKey" in response.read()


def test_faults_come_in_order_each_once_and_where_they_belong(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(slow_down(retry_after="7"), path="*.gz")
    server.fail(Status(429), path="/other")
    server.fail(Status(500), times=2)
    statuses = []
    for _ in range(4):
        response = ask(line)
        response.read()
        statuses.append((response.status, response.headers["Retry-After"]))
    assert statuses == [(503, "7"), (500, None), (500, None), (200, None)]
    server.heal()
    assert ask(line, "/other").status == 404
    assert [asked.status for asked in server.asked] == [503, 500, 500, 200, 404]


def test_a_cut_body(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(Cut(after=10))
    response = ask(line)
    with pytest.raises(IncompleteRead) as caught:
        response.read()
    assert caught.value.partial == DATA[:10]


def test_a_reset_line(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(Cut(after=-1, reset=True))
    with pytest.raises(ConnectionResetError):
        ask(line)


def test_no_answer_and_no_http(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(Cut(after=-1))
    with pytest.raises(RemoteDisconnected):
        ask(line)
    server.fail(Garbage())
    with pytest.raises(BadStatusLine):
        ask(line)


def test_lies_about_length_and_range(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(WrongLength(by=-10))
    assert ask(line).read() == DATA[:90]
    line.close()
    server.fail(WrongLength(by=10))
    with pytest.raises(IncompleteRead):
        ask(line).read()
    line.close()
    server.fail(WrongRange(by=5))
    assert ask(line, Range="bytes=10-19").headers["Content-Range"] == "bytes 15-19/100"
    line.close()
    server.fail(IgnoreRange())
    assert ask(line, Range="bytes=10-19").read() == DATA


def test_chunks(server: CrawlServer, line: HTTPConnection) -> None:
    server.fail(Chunked())
    response = ask(line)
    assert response.headers["Content-Length"] is None
    assert response.read() == DATA
    server.fail(Chunked(cut=7))
    with pytest.raises(IncompleteRead):
        ask(line).read()


@pytest.mark.parametrize("validators", ["strong", "weak", "date", "none"])
def test_validators(tmp_path: Path, validators: str) -> None:
    (tmp_path / "file.gz").write_bytes(DATA)
    with CrawlServer(tmp_path, validators=validators) as server:  # type: ignore[arg-type]
        line = HTTPConnection(server.url.removeprefix("http://"), timeout=10)
        headers = ask(line).headers
        line.close()
    assert headers.get("ETag", "")[:1] == {"strong": '"', "weak": "W"}.get(validators, "")
    assert ("Last-Modified" in headers) == (validators != "none")


def test_a_crawl_is_laid_out_as_common_crawl_does(tmp_path: Path) -> None:
    lay_out(tmp_path, "CC-MAIN-2026-08", {"wat": {"a.wat.gz": b"a"}})
    listed = lay_out(tmp_path, "CC-MAIN-2026-43", {"warc": {"b.warc.gz": b"b", "c.warc.gz": b"c"}})
    assert [crawl["id"] for crawl in json.loads((tmp_path / "collinfo.json").read_text())] == [
        "CC-MAIN-2026-43",
        "CC-MAIN-2026-08",
    ]
    paths = gzip.decompress((tmp_path / "crawl-data/CC-MAIN-2026-43/warc.paths.gz").read_bytes()).decode().split()
    assert paths == listed["warc"]
    assert [(tmp_path / path).read_bytes() for path in paths] == [b"b", b"c"]
