import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from allmende.commoncrawl.patience import LONGEST_BACKOFF, PASSING_STATUSES, SHORTEST_WAIT, Patience
from allmende.errors import SourceError

HOUR_OLD = {"Date": "Sat, 21 Nov 2026 10:00:00 GMT"}


def answer(status: int = 503, **headers: str) -> HTTPResponse:
    return HTTPResponse(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})


def waits(patience: Patience, failures: int) -> list[float]:
    seconds: list[float] = []
    patience = patience.new()
    patience.wait = seconds.append
    for _ in range(failures):
        patience = patience.after("x", response=answer())
    return seconds


def test_waits_are_uniform_below_a_ceiling_that_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    ceilings: list[float] = []

    def draw(low: float, high: float) -> float:
        ceilings.append(high)
        return low

    monkeypatch.setattr(random, "uniform", draw)
    assert waits(Patience.of(8), 8) == [SHORTEST_WAIT] * 8
    assert ceilings == [2, 4, 8, 16, 32, 60, 60, 60]


def test_workers_turned_away_together_come_back_apart() -> None:
    fifth = [waits(Patience.of(9), 5)[-1] for _ in range(50)]
    assert max(fifth) - min(fifth) > 5


def test_ten_thousand_failures_overflow_nothing() -> None:
    assert max(waits(Patience.of(3_000), 3_000)) <= LONGEST_BACKOFF


@given(st.integers(0, 20))
def test_so_many_repeats_and_no_more(retries: int) -> None:
    patience = Patience.of(retries, lambda _: None)
    for _ in range(retries):
        patience = patience.after("x", response=answer())
    with pytest.raises(SourceError, match=f"x: gave up after {retries + 1} tries"):
        patience.after("x", response=answer())


def test_patience_is_immutable() -> None:
    patience = Patience.of(1, lambda _: None)
    patience.after("x", response=answer())
    patience.after("x", response=answer())


def test_connections_statuses_and_reads_are_counted_apart() -> None:
    patience = Patience.of(1, lambda _: None)
    patience = patience.after("x", response=answer())
    patience = patience.after("x", error=ProtocolError("cut"))
    patience = patience.after("x", error=OSError("odd"))
    with pytest.raises(SourceError, match="silence"):
        patience.after("x", error=ReadTimeoutError(None, "x", "silence"))  # type: ignore[arg-type]


def test_a_server_is_never_asked_sooner_than_it_wants() -> None:
    seconds: list[float] = []
    patience = Patience.of(1, seconds.append)
    patience.after("x", response=answer(Retry_After="30"))
    patience.after("x", response=answer(Retry_After="0"))
    assert seconds[0] == 30
    assert seconds[1] >= SHORTEST_WAIT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30),
        ("Saturday, 21-Nov-26 10:00:30 GMT", 30),
        ("Sat Nov 21 10:00:30 2026", 30),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 11:00:30 +0100", 30),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Sat, 99 Nov 2026 10:00:30 GMT", None),
    ],
)
def test_both_forms_of_retry_after(value: str, seconds: float | None) -> None:
    response = HTTPResponse(status=429, headers={**HOUR_OLD, "Retry-After": value})
    assert Patience.of(1).get_retry_after(response) == seconds


def test_a_date_without_the_servers_own_is_read_against_our_clock() -> None:
    long_ago = answer(Retry_After="Sat, 21 Nov 1998 10:00:30 GMT")
    assert Patience.of(1).get_retry_after(long_ago) == 0
    far = answer(Retry_After="Sat, 21 Nov 2099 10:00:30 GMT")
    assert (Patience.of(1).get_retry_after(far) or 0) > 1e6


@given(st.text(string.printable), st.text(string.printable))
def test_no_header_breaks_it(value: str, date: str) -> None:
    response = HTTPResponse(status=429, headers={"Date": date, "Retry-After": value})
    seconds = Patience.of(1).get_retry_after(response)
    assert seconds is None or seconds >= 0


def test_what_may_pass() -> None:
    assert {408, 425, 429, 500, 502, 503, 504, 520, 599} <= PASSING_STATUSES
    assert not PASSING_STATUSES & {200, 206, 400, 401, 403, 404, 410, 416, 451, 501}
