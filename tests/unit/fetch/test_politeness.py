from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.fetch.politeness import Host, Signal, parse_retry_after, signal
from allmende.recipe import Fetch
from allmende.schema import Reason

CONFIG = Fetch(per_host=4, retry_seconds=1.0, host_failures=5, host_pause_seconds=60.0, max_retry_after_seconds=60.0)


def after(*signals: Signal, config: Fetch = CONFIG) -> Host:
    """A host that has given these signals, one a second from 0 on."""
    host = Host(config)
    for second, what in enumerate(signals):
        host.started(second)
        host.ended(what, second, second)
    return host


def test_a_new_host_gets_all_it_may_have():
    host = Host(CONFIG)
    assert (host.room, host.doubtful, host.aside(0)) == (4, False, False)


def test_a_host_is_trusted_with_many_requests_once_it_has_answered():
    config = Fetch(per_host=50, host_failures=5)
    assert Host(config).room == 5
    assert after(Signal.GOOD, config=config).room == 50
    assert after(Signal.GOOD, Signal.DEAD, config=config).room == 4
    assert after(Signal.GOOD, Signal.DEAD, Signal.GOOD, config=config).room == 25


def test_a_slow_host_gets_half_as_much_each_time_and_at_least_one():
    assert [after(*[Signal.SLOW] * n).room for n in range(5)] == [4, 2, 1, 1, 1]


def test_a_host_that_recovers_gets_more_again_bit_by_bit():
    rooms = [after(Signal.SLOW, Signal.SLOW, *[Signal.GOOD] * n).room for n in range(12)]
    assert rooms == sorted(rooms)
    assert (rooms[0], rooms[-1]) == (1, 4)


def test_a_dead_host_is_set_aside_and_then_tried_by_one():
    host = after(*[Signal.DEAD] * 4)
    assert not host.aside(4)
    assert host.room == 1
    host.started(4)
    host.ended(Signal.DEAD, 4, 5)
    assert host.aside(5)
    assert host.aside(64.9)
    assert not host.aside(65)
    assert host.room == 1
    host.started(65)
    assert host.room == 0
    host.ended(Signal.DEAD, 65, 66)
    assert host.aside(66)
    host.started(130)
    host.ended(Signal.GOOD, 130, 131)
    assert not host.aside(131)
    assert not host.doubtful or host.room < 4


@given(st.lists(st.integers(0, 4)))
def test_a_dead_host_is_never_tried_more_often_than_opens_the_breaker(starts):
    """However many requests are started whenever there is room, and whatever the order in which they fail."""
    host, started, now = Host(CONFIG), 0, 0.0
    while not host.aside(now):
        for _ in range(starts.pop() if starts else 1):
            if host.room > 0:
                host.started(now)
                started += 1
        now += 1
        if host.running:
            host.ended(Signal.DEAD, now - 1, now)
    assert started <= CONFIG.host_failures


def test_one_answer_closes_the_breaker():
    assert after(*[Signal.DEAD] * 4, Signal.GOOD).room == after(*[Signal.DEAD] * 4, Signal.GOOD, Signal.DEAD).room + 1
    assert not after(*[Signal.DEAD] * 4, Signal.GOOD, *[Signal.DEAD] * 4).aside(9)


def test_an_angry_host_is_left_alone_for_longer_each_time():
    pauses = []
    host = Host(CONFIG)
    for now in (0, 100, 200):
        host.started(now)
        host.ended(Signal.ANGRY, now, now)
        pauses.append(host.opens - now)
    assert pauses == [1, 2, 4]


def test_requests_that_were_under_way_belong_to_the_same_anger():
    host = Host(CONFIG)
    for _ in range(4):
        host.started(0)
    for end in (1, 2, 3, 4):
        host.ended(Signal.ANGRY, 0, end)
    assert host.opens == 5
    assert host.room == 2


def test_retry_after_is_obeyed():
    host = Host(CONFIG)
    host.started(0)
    host.ended(Signal.ANGRY, 0, 1, retry_after=30.0)
    assert host.opens == 31
    assert not host.aside(2)


def test_a_long_retry_after_sets_the_host_aside_for_as_long():
    host = Host(CONFIG)
    host.started(0)
    host.ended(Signal.ANGRY, 0, 1, retry_after=3_600.0)
    assert host.aside(3_600)
    assert not host.aside(3_601)


def test_a_host_that_stays_angry_is_set_aside():
    assert not after(*[Signal.ANGRY] * 4).aside(4)
    assert after(*[Signal.ANGRY] * 5).aside(5)
    assert after(*[Signal.ANGRY] * 200).aside(200)


def test_anger_spaces_requests_out_and_calm_ends_that():
    host = after(Signal.ANGRY, Signal.ANGRY)
    assert host.gap == 0.5
    host = after(Signal.ANGRY, Signal.ANGRY, *[Signal.GOOD] * 100)
    assert host.gap == 0


def test_spacing_is_kept():
    host = Host(Fetch(host_delay_seconds=2.0))
    host.started(10)
    assert host.opens == 12
    host.ended(Signal.ANGRY, 10, 11)
    for now in range(20, 120):
        host.started(now)
        host.ended(Signal.GOOD, now, now)
    assert host.gap == 2


@pytest.mark.parametrize(
    ("status", "reason", "first_byte", "expected"),
    [
        (200, None, 0.1, Signal.GOOD),
        (404, Reason.HTTP_NOT_FOUND, 0.1, Signal.GOOD),
        (500, Reason.HTTP_SERVER_ERROR, 0.1, Signal.GOOD),
        (200, Reason.PERMISSION_DENIED, 0.1, Signal.GOOD),
        (200, None, 6.0, Signal.SLOW),
        (200, Reason.TIMEOUT_IDLE, 0.1, Signal.SLOW),
        (200, Reason.CONNECTION_LOST, 0.1, Signal.SLOW),
        (504, Reason.HTTP_SERVER_ERROR, 0.1, Signal.SLOW),
        (429, Reason.HTTP_RATE_LIMITED, 0.1, Signal.ANGRY),
        (503, Reason.HTTP_SERVER_ERROR, 0.1, Signal.ANGRY),
        (None, Reason.CONNECT_FAILED, 0.0, Signal.DEAD),
        (None, Reason.TIMEOUT_FIRST_BYTE, 0.0, Signal.DEAD),
        (None, Reason.TIMEOUT_TOTAL, 0.0, Signal.SLOW),
        (None, Reason.HEADERS_TOO_LARGE, 0.0, Signal.SLOW),
    ],
)
def test_what_an_answer_says_about_its_host(status, reason, first_byte, expected):
    assert signal(status, reason, first_byte, Fetch()) is expected


def test_retry_after_in_both_forms():
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    later, date = format_datetime(now + timedelta(seconds=90), usegmt=True), format_datetime(now, usegmt=True)
    assert parse_retry_after(" 120 ") == 120
    assert parse_retry_after(later, date) == 90
    assert parse_retry_after(date, later) == 0
    assert parse_retry_after("Sat, 21 Nov 2026 12:01:30 -0000", date) == 90
    assert parse_retry_after("9" * 5_000) == 999_999_999
    assert 0 < parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1))) <= 3_600


@given(st.text(), st.text() | st.none())
def test_a_retry_after_that_is_neither_is_no_error(value, date):
    wait = parse_retry_after(value, date)
    assert wait is None or wait >= 0
