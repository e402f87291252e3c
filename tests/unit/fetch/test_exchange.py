import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.fetch.body import DRAIN_BYTES, Body
from allmende.fetch.budget import Budget, Claim
from allmende.fetch.exchange import (
    CONNECTION_BAD,
    CONNECTION_GOOD,
    GO_ON,
    HEADER_BYTES,
    PAUSE,
    STOP,
    Exchange,
)
from allmende.fetch.guard import Place
from allmende.fetch.kind import IMAGES
from allmende.recipe import Fetch
from allmende.schema import Reason

CONFIG = Fetch(connect_seconds=1, first_byte_seconds=2, idle_seconds=3, total_seconds=10)
LIMIT = 1_000_000
JPEG = b"\xff\xd8\xff" + bytes(10_000)


class Exchanges:
    """Makes exchanges that share a clock and a budget."""

    def __init__(self, total: int = 2 * LIMIT):
        self.now = 100.0
        self.budget = Budget(total, 2 * LIMIT)
        self.resumed = 0

    def resume(self):
        self.resumed += 1

    def new(self, judge=lambda url, headers: None) -> Exchange:
        body = Body(self.budget, LIMIT, IMAGES, self.resume)
        place = Place("http://a.example/", "a.example", 80, False)
        return Exchange(place, "192.0.2.1", body, judge, CONFIG, CONFIG.total_seconds, lambda: self.now)


def respond(exchange: Exchange, status: int = 200, **headers: object) -> int | None:
    """Connects and sends the headers."""
    exchange.connected("192.0.2.1", "192.0.2.9", 80, 40_000)
    lines = [f"HTTP/1.1 {status} Phrase\r\n", *(f"{n.replace('_', '-')}: {v}\r\n" for n, v in headers.items())]
    for line in lines:
        assert exchange.header(line.encode("latin-1")) is GO_ON
    return exchange.header(b"\r\n")


def test_a_whole_response():
    made = Exchanges()
    exchange = made.new()
    assert respond(exchange, content_length=len(JPEG)) is GO_ON
    for start in range(0, len(JPEG), 1_000):
        assert exchange.chunk(JPEG[start : start + 1_000]) is GO_ON
    assert exchange.ended(None) == JPEG
    assert exchange.reason is None
    assert made.budget.held == len(JPEG)
    exchange.body.drop()
    assert made.budget.held == 0


def test_each_phase_has_its_deadline():
    made = Exchanges()
    exchange = made.new()
    assert exchange.overdue(101.0) is None
    assert exchange.overdue(101.1) is Reason.TIMEOUT_CONNECT
    made.now = 101
    exchange.connected("192.0.2.1", "192.0.2.9", 80, 40_000)
    assert exchange.overdue(103.0) is None
    exchange.header(b"HTTP/1.1 200 OK\r\n")
    made.now = 102
    exchange.header(b"X: a header now and then does not help\r\n")
    assert exchange.overdue(103.1) is Reason.TIMEOUT_FIRST_BYTE
    exchange.header(b"\r\n")
    assert exchange.first_byte == 1
    assert exchange.overdue(105.1) is Reason.TIMEOUT_IDLE
    for made.now in range(103, 111):
        exchange.chunk(b"a")
        assert exchange.overdue(made.now) is None
    assert exchange.overdue(110.1) is Reason.TIMEOUT_TOTAL


def test_waiting_for_our_own_memory_is_not_the_servers_fault():
    made = Exchanges()
    hog = Claim()
    assert made.budget.claim(hog, 2 * LIMIT, lambda: None)
    exchange = made.new()
    respond(exchange, content_length=len(JPEG))
    assert exchange.chunk(JPEG) == PAUSE
    made.now = 200.0
    assert exchange.overdue(200.0) is None
    made.budget.release(hog)
    assert made.resumed == 1
    assert exchange.chunk(JPEG) is GO_ON
    assert exchange.overdue(203.0) is None
    assert exchange.overdue(203.1) is Reason.TIMEOUT_IDLE
    assert exchange.ended(None) == JPEG


def test_an_exchange_that_ends_while_it_waits_leaves_the_line():
    made = Exchanges()
    hog = Claim()
    made.budget.claim(hog, 2 * LIMIT, lambda: None)
    exchange = made.new()
    respond(exchange)
    assert exchange.chunk(JPEG) == PAUSE
    exchange.ended(Reason.CONNECTION_LOST)
    made.budget.release(hog)
    assert (made.resumed, made.budget.held) == (0, 0)


def test_only_the_judged_address_is_spoken_to():
    exchange = Exchanges().new()
    assert exchange.connected("192.0.2.2", "192.0.2.9", 80, 40_000) == CONNECTION_BAD
    assert exchange.ended(None) == b""
    assert exchange.reason is Reason.ADDRESS_REFUSED
    exchange = Exchanges().new()
    exchange.address = "::ffff:192.0.2.1"
    assert exchange.connected("::ffff:c000:201", "::1", 80, 40_000) == CONNECTION_GOOD


@pytest.mark.parametrize(
    ("length", "verdict"), [(LIMIT, GO_ON), (LIMIT + 1, STOP), (10**30, GO_ON), ("many", GO_ON), ("-1", GO_ON)]
)
def test_a_length_that_is_too_large_is_refused_at_once(length, verdict):
    exchange = Exchanges().new()
    assert respond(exchange, content_length=length) is verdict


@pytest.mark.parametrize("length", [DRAIN_BYTES, DRAIN_BYTES + 1, None])
def test_a_short_body_that_is_not_wanted_is_read_to_keep_the_connection(length):
    exchange = Exchanges().new()
    headers = {} if length is None else {"content_length": length}
    assert respond(exchange, 404, **headers) is (STOP if length == DRAIN_BYTES + 1 else GO_ON)
    assert exchange.chunk(bytes(DRAIN_BYTES)) is (STOP if length == DRAIN_BYTES + 1 else GO_ON)
    if length is None:
        assert exchange.chunk(b"a") == STOP
    assert exchange.ended(None) == b""
    assert exchange.reason is Reason.HTTP_NOT_FOUND


def test_a_body_that_outgrows_the_cap_is_ended():
    exchange = Exchanges().new()
    respond(exchange)
    exchange.chunk(JPEG)
    verdicts = {exchange.chunk(bytes(60_000)) for _ in range(20)}
    assert STOP in verdicts
    assert exchange.ended(Reason.PROTOCOL_ERROR) == b""
    assert exchange.reason is Reason.BODY_TOO_LARGE


def test_headers_have_a_cap():
    exchange = Exchanges().new()
    exchange.header(b"HTTP/1.1 200 OK\r\n")
    assert exchange.header(b"X: " + b"a" * (HEADER_BYTES - 30)) is GO_ON
    assert exchange.header(b"Y: " + b"b" * 30) == STOP
    exchange.ended(Reason.PROTOCOL_ERROR)
    assert exchange.reason is Reason.HEADERS_TOO_LARGE


def test_the_permission_sees_all_headers_and_may_end_it():
    seen = []

    def judge(url, headers):
        seen.append((url, dict(headers)))
        return Reason.PERMISSION_DENIED

    exchange = Exchanges().new(judge)
    assert respond(exchange, X_A="1", x_a=" 2 ", Ümlaut="ü: \x85x", content_length=10**6) == STOP
    assert seen == [
        (
            "http://a.example/",
            {"x-a": ["1", "2"], "ümlaut": ["ü: \x85x"], "content-length": ["1000000"]},
        )
    ]
    exchange.ended(None)
    assert exchange.reason is Reason.PERMISSION_DENIED


def test_informational_responses_and_trailers_are_passed_over():
    exchange = Exchanges().new()
    assert respond(exchange, 103, link="</a.css>") is GO_ON
    assert exchange.status is None
    respond(exchange, 200, etag='"x"')
    exchange.chunk(JPEG)
    assert exchange.header(b"X-Trailer: 1\r\n") is GO_ON
    assert exchange.header(b"\r\n") is GO_ON
    assert exchange.ended(None) == JPEG
    assert dict(exchange.headers) == {"etag": ['"x"']}


@given(st.lists(st.binary(max_size=200), max_size=8), st.lists(st.binary(max_size=300), max_size=6))
def test_whatever_a_server_sends_ends_with_a_body_or_a_reason(headers, chunks):
    made = Exchanges()
    exchange = made.new()
    exchange.connected("192.0.2.1", "192.0.2.9", 80, 40_000)
    verdicts = [exchange.header(line) for line in [b"HTTP/1.1 200 OK\r\n", *headers, b"\r\n"]]
    if STOP not in verdicts:
        for chunk in chunks:
            exchange.chunk(chunk)
    body = exchange.ended(None)
    assert bool(body) == (exchange.reason is None)
    exchange.body.drop()
    assert made.budget.held == 0
    assert not made.budget.waiting
