"""Archives over HTTP from a server that misbehaves."""

import contextlib
import gc
import ipaddress
import logging
import os
import random
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import allmende
from allmende.commoncrawl import http_file
from allmende.commoncrawl.source import open_archive, read_range
from allmende.errors import SourceError, SourceMissing, SourceRefused
from allmende.testing.crawl_server import (
    Chunked,
    CrawlServer,
    Cut,
    Garbage,
    IgnoreRange,
    Stall,
    Status,
    WrongLength,
    WrongRange,
    slow_down,
    too_many_requests,
)

DATA = random.Random(7).randbytes(3_000_000)


class Waits:
    """Stands in for time.sleep: notes, and returns at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def wait() -> Waits:
    return Waits()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.warc.gz").write_bytes(DATA)
    return tmp_path


@pytest.fixture
def server(root: Path) -> Iterator[CrawlServer]:
    with CrawlServer(root) as running:
        yield running


def read(server: CrawlServer, wait: Waits, retries: int = 3) -> bytes:
    with open_archive(f"{server.url}/a.warc.gz", retries=retries, sleep=wait) as archive:
        return archive.read()


def ranges(server: CrawlServer) -> list[str]:
    return [asked.range for asked in server.asked]


def test_one_request_streams_the_whole_file(server: CrawlServer, wait: Waits) -> None:
    with open_archive(f"{server.url}/a.warc.gz", sleep=wait) as archive:
        assert archive.size == len(DATA)
        assert b"".join(iter(lambda: archive.read(70_001), b"")) == DATA
    assert [(asked.range, asked.status) for asked in server.asked] == [("", 200)]
    assert wait.seconds == []


def test_the_user_agent_says_who_asks(server: CrawlServer, wait: Waits) -> None:
    read(server, wait)
    assert server.asked[0].user_agent == f"allmende/{allmende.__version__} (+{allmende.__url__})"


@pytest.mark.parametrize("reset", [False, True])
def test_a_broken_body_goes_on_where_it_stopped(server: CrawlServer, wait: Waits, reset: bool) -> None:
    server.fail(Cut(after=1_000_000, reset=reset))
    server.fail(Cut(after=500_000, reset=reset))
    assert read(server, wait) == DATA
    assert len(wait.seconds) == 2
    assert [asked.status for asked in server.asked] == [200, 206, 206]
    assert all(asked.if_range.startswith('"') for asked in server.asked[1:])
    if not reset:  # with a reset, bytes on their way are lost
        assert ranges(server) == ["", "bytes=1000000-", "bytes=1500000-"]


@pytest.mark.parametrize("validators", ["strong", "weak", "date", "none"])
@pytest.mark.parametrize("fault", [Cut(after=1_234_567), Chunked(cut=1_234_567)])
def test_it_goes_on_with_every_kind_of_validator(root: Path, wait: Waits, validators: str, fault: Cut) -> None:
    with CrawlServer(root, validators=validators) as server:  # type: ignore[arg-type]
        server.fail(fault)
        assert read(server, wait) == DATA
        assert not server.asked[1].if_range.startswith("W/")


def test_no_answer_at_all_is_repeated(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=-1), times=2)
    server.fail(Garbage())
    assert read(server, wait) == DATA
    assert len(wait.seconds) == 3


def test_a_storm_of_503_is_outlasted(server: CrawlServer, wait: Waits) -> None:
    server.fail(slow_down(), times=1050)
    assert read(server, wait, retries=1050) == DATA
    assert len(wait.seconds) == 1050
    assert all(1 <= seconds <= 60 for seconds in wait.seconds)


@pytest.mark.parametrize("fault", [slow_down(), too_many_requests(), Status(500), Status(502), Status(504)])
def test_passing_answers_are_repeated(server: CrawlServer, wait: Waits, fault: Status) -> None:
    server.fail(fault, times=3)
    assert read(server, wait) == DATA
    assert len(wait.seconds) == 3


def test_a_storm_in_the_middle_of_a_download(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=1_000_000))
    server.fail(slow_down(), times=3)
    assert read(server, wait) == DATA
    assert ranges(server) == ["", *["bytes=1000000-"] * 4]


def test_kinds_of_failure_have_budgets_of_their_own(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=-1), times=2)
    server.fail(slow_down(), times=2)
    assert read(server, wait, retries=2) == DATA


def test_a_long_file_may_break_more_often_than_the_retries(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=1_100_000), times=2)
    assert read(server, wait, retries=1) == DATA


def test_a_line_that_always_breaks_is_given_up(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=100), times=10)
    with pytest.raises(SourceError, match=r"a\.warc\.gz: gave up after 4 tries; .* Run the same command later\.$"):
        read(server, wait)
    assert len(wait.seconds) == 3


def test_giving_up_names_the_status(server: CrawlServer, wait: Waits) -> None:
    server.fail(slow_down(), times=10)
    with pytest.raises(SourceError, match="gave up after 4 tries; the last one said: HTTP 503") as caught:
        read(server, wait)
    assert not isinstance(caught.value, SourceMissing)


def test_no_retries_means_one_try(server: CrawlServer, wait: Waits) -> None:
    server.fail(slow_down())
    with pytest.raises(SourceError, match="gave up after 1 tries"):
        read(server, wait, retries=0)
    assert wait.seconds == []


def test_retry_after_in_seconds(server: CrawlServer, wait: Waits) -> None:
    server.fail(too_many_requests(retry_after="120"))
    assert read(server, wait) == DATA
    assert wait.seconds == [120]


def test_retry_after_as_a_date(server: CrawlServer, wait: Waits) -> None:
    dates = {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry-After": "Sat, 21 Nov 2026 10:01:30 GMT"}
    server.fail(Status(503, dates))
    assert read(server, wait) == DATA
    assert wait.seconds == [90]


def test_a_server_that_wants_hours_is_obeyed_by_stopping(server: CrawlServer, wait: Waits) -> None:
    server.fail(too_many_requests(retry_after="86400"))
    with pytest.raises(SourceError, match="asks to stay away for 1440 minutes"):
        read(server, wait)
    assert wait.seconds == []


def test_waits_are_logged(server: CrawlServer, wait: Waits, caplog: pytest.LogCaptureFixture) -> None:
    server.fail(slow_down())
    with caplog.at_level(logging.WARNING, logger="allmende"):
        read(server, wait)
    assert "HTTP 503; trying again in" in caplog.text


def test_a_server_that_ignores_range_is_read_again(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=2_000_000))
    server.fail(IgnoreRange())
    assert read(server, wait) == DATA
    assert [asked.status for asked in server.asked] == [200, 200]


def test_a_server_that_ignores_range_and_breaks_while_read_again(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=2_000_000))
    server.fail(Chunked(cut=1_000_000, ignore_range=True))
    server.fail(IgnoreRange())
    assert read(server, wait) == DATA


def test_another_range_than_asked_is_not_believed(server: CrawlServer, wait: Waits) -> None:
    server.fail(Cut(after=1_000_000))
    server.fail(WrongRange(by=10))
    assert read(server, wait) == DATA
    assert len(wait.seconds) == 2


def test_a_length_that_is_too_large(server: CrawlServer, wait: Waits) -> None:
    server.fail(WrongLength(by=5_000))
    assert read(server, wait) == DATA
    assert [asked.status for asked in server.asked] == [200, 416]


def test_a_changed_file_is_noticed(server: CrawlServer, root: Path, wait: Waits) -> None:
    server.fail(Cut(after=1_500_000))
    with open_archive(f"{server.url}/a.warc.gz", sleep=wait) as archive:
        archive.read(1000)
        (root / "a.warc.gz").write_bytes(DATA[::-1])
        os.utime(root / "a.warc.gz", ns=(1, 1))
        with pytest.raises(SourceError, match="the file changed while it was read"):
            archive.read()


def test_a_shrunken_file_is_noticed(root: Path, wait: Waits) -> None:
    with CrawlServer(root, validators="none") as server:
        server.fail(Cut(after=1_500_000))
        with open_archive(f"{server.url}/a.warc.gz", sleep=wait) as archive:
            archive.read(1000)
            (root / "a.warc.gz").write_bytes(b"short")
            with pytest.raises(SourceError, match="the file shrank to 5 bytes"):
                archive.read()


def test_a_shrunken_file_is_noticed_though_nothing_is_said_about_it(root: Path, wait: Waits) -> None:
    with CrawlServer(root, validators="none") as server:
        server.fail(Chunked(cut=1_500_000))
        server.fail(Chunked(ignore_range=True))
        with open_archive(f"{server.url}/a.warc.gz", sleep=wait) as archive:
            archive.read(1000)
            (root / "a.warc.gz").write_bytes(b"short")
            with pytest.raises(SourceError, match="the file shrank while it was read"):
                archive.read()


@pytest.mark.parametrize("code", [404, 410])
def test_a_missing_file_is_missing_and_not_repeated(server: CrawlServer, wait: Waits, code: int) -> None:
    server.fail(Status(code))
    with pytest.raises(SourceMissing, match=f"HTTP {code}: no such file"):
        read(server, wait)
    assert wait.seconds == []


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_file_says_what_may_be_the_reason(server: CrawlServer, wait: Waits, code: int) -> None:
    server.fail(Status(code, body=b"Request blocked."))
    with pytest.raises(SourceRefused, match="Common Crawl blocks for up to a day"):
        read(server, wait)
    assert wait.seconds == []


@pytest.mark.parametrize("code", [204, 302, 400, 418, 501])
def test_other_answers_are_errors_at_once(server: CrawlServer, wait: Waits, code: int) -> None:
    server.fail(Status(code))
    with pytest.raises(SourceError, match=f"HTTP {code}"):
        read(server, wait)
    assert wait.seconds == []


def test_redirects_are_followed_but_not_for_ever(server: CrawlServer, wait: Waits) -> None:
    server.fail(Status(302, {"Location": "/a.warc.gz"}))
    assert read(server, wait) == DATA
    server.fail(Status(302, {"Location": "/a.warc.gz"}), times=6)
    with pytest.raises(SourceError, match="too many redirects"):
        read(server, wait)


def test_a_silent_server_runs_into_the_deadline(
    server: CrawlServer, wait: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_file, "READ_SECONDS", 0.2)
    server.fail(Stall(after=100_000))
    assert read(server, wait) == DATA
    assert ranges(server) == ["", "bytes=100000-"]


def test_nobody_listens(wait: Waits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with (
        pytest.raises(SourceError, match=r"gave up after 3 tries.*refused"),
        open_archive(f"http://127.0.0.1:{port}/x", retries=2, sleep=wait),
    ):
        pass


@pytest.mark.parametrize(
    "url",
    ["http://", "http:///x", "http://127.0.0.1:99999/x", "http://[::1/x", "http://127.0.0.1:port/x", "http://a..b/"],
)
def test_an_unusable_url_is_an_error(url: str, wait: Waits) -> None:
    with pytest.raises(SourceError), open_archive(url, retries=1, sleep=wait):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed but itself, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2120, 1, 1, tzinfo=UTC),
        extensions=[x509.Extension(alternative.oid, critical=False, value=alternative)],
    ).sign(key, hashes.SHA256())
    pem = built.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(pem)
    return file


@pytest.fixture
def tls_server(root: Path, certificate: Path) -> Iterator[CrawlServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with CrawlServer(root, tls=context) as running:
        yield running


def test_https_goes_on_where_it_stopped(
    tls_server: CrawlServer, certificate: Path, wait: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_server.fail(Cut(after=1_000_000))
    assert read(tls_server, wait) == DATA
    assert [asked.status for asked in tls_server.asked] == [200, 206]


def test_a_certificate_that_nobody_signed_is_not_tried_again(tls_server: CrawlServer, wait: Waits) -> None:
    with pytest.raises(SourceError, match=r"certificate is not valid .* set SSL_CERT_FILE"):
        read(tls_server, wait)
    assert wait.seconds == []


def test_messages_hide_what_may_be_secret(server: CrawlServer, wait: Waits) -> None:
    host = server.url.removeprefix("http://")
    with (
        pytest.raises(SourceMissing) as caught,
        open_archive(f"http://me:password@{host}/nothing.gz?signature=12345", sleep=wait),
    ):
        pass
    assert str(caught.value).startswith(f"http://{host}/nothing.gz: HTTP 404")
    assert "password" not in str(caught.value)


def test_a_proxy_of_the_environment_is_used(server: CrawlServer, wait: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.fail(Status(404), path="*")
    with (
        pytest.raises(SourceMissing, match=r"http://crawl\.example/a\.warc\.gz"),
        open_archive("http://crawl.example/a.warc.gz", sleep=wait),
    ):
        pass
    assert [asked.path for asked in server.asked] == ["http://crawl.example/a.warc.gz"]


def test_seek_asks_for_the_rest_only(server: CrawlServer, wait: Waits) -> None:
    with open_archive(f"{server.url}/a.warc.gz", sleep=wait) as archive:
        assert archive.read(10) == DATA[:10]
        archive.seek(2_500_000)
        assert archive.read(10) == DATA[2_500_000:2_500_010]
        assert archive.tell() == 2_500_010
        archive.seek(-5, os.SEEK_END)
        assert archive.read() == DATA[-5:]
        assert archive.read() == b""


def test_read_range_asks_for_no_more_than_it_needs(server: CrawlServer, wait: Waits) -> None:
    assert read_range(f"{server.url}/a.warc.gz", 1000, 50, sleep=wait) == DATA[1000:1050]
    assert read_range(f"{server.url}/a.warc.gz", 0, 3, sleep=wait) == DATA[:3]
    assert ranges(server) == ["bytes=1000-1049", "bytes=0-2"]


@pytest.mark.parametrize(
    "fault", [IgnoreRange(), WrongRange(by=3), slow_down(), Cut(after=20), Cut(after=-1), Garbage(), Chunked(cut=7)]
)
def test_read_range_survives(server: CrawlServer, wait: Waits, fault: Status) -> None:
    server.fail(fault)
    assert read_range(f"{server.url}/a.warc.gz", 2_000_000, 50, sleep=wait) == DATA[2_000_000:2_000_050]


@pytest.mark.parametrize("fault", [None, IgnoreRange()])
@pytest.mark.parametrize("offset", [len(DATA) - 10, len(DATA), len(DATA) + 10])
def test_read_range_beyond_the_end(server: CrawlServer, wait: Waits, offset: int, fault: IgnoreRange | None) -> None:
    if fault:
        server.fail(fault)
    with pytest.raises(SourceError, match="before the end of the range"):
        read_range(f"{server.url}/a.warc.gz", offset, 20, sleep=wait)


def test_read_range_refuses_nonsense(server: CrawlServer) -> None:
    with pytest.raises(ValueError, match="no such range"):
        read_range(f"{server.url}/a.warc.gz", -1, 20)


FAULTS = [
    *(Status(code) for code in range(200, 600)),
    Status(301, {"Location": "http://[::1"}),
    Status(301, {"Location": "ftp://x/"}),
    Status(200, {"Content-Length": "7"}),
    Status(200, {"Transfer-Encoding": "chunked"}),
    Status(200, {"Content-Length": "minus"}),
    Status(206, {"Content-Range": "bytes 5-1/2"}),
    Status(206, {"Content-Range": "bytes " + "9" * 5000 + "-1/2"}),
    Status(416, {"Content-Range": "bytes */x"}),
    Status(503, {"Retry-After": "\xff\xfe"}),
    Status(503, {"Retry-After": "-1"}),
    Cut(after=-1),
    Cut(after=-1, reset=True),
    Cut(after=3),
    Cut(after=3, reset=True),
    Chunked(cut=3),
    Chunked(),
    WrongLength(by=10),
    WrongLength(by=-10),
    WrongRange(by=-5),
    WrongRange(by=5),
    IgnoreRange(),
    Garbage(),
    Garbage(b""),
    Garbage(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nab"),
    Garbage(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    Garbage(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Garbage(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip"),
    Garbage(b"HTTP/9.9 999 \r\n\r\n"),
]


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # urllib3 2.8 forgets one, at InvalidHeader
def test_nothing_but_our_errors_comes_out(server: CrawlServer, wait: Waits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_file, "READ_SECONDS", 0.1)
    url = f"{server.url}/a.warc.gz"
    for fault in FAULTS:
        server.fail(fault, times=2, path="/a.warc.gz")
        with contextlib.suppress(SourceError):
            read(server, wait, retries=1)
        with contextlib.suppress(SourceError):
            read_range(url, 9, 9, retries=1, sleep=wait)
        server.heal()
    gc.collect()
