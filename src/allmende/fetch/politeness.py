"""What one host is owed: few requests at once, time between them, rest after anger, and peace when it is dead.

Concurrency follows AIMD, as TCP does: every prompt answer allows a little more, up to `fetch.per_host`; a 429 or 503,
a timeout or a slow answer halves it. Anger (429, 503) moreover stops the host for as long as Retry-After says, or
for a pause that doubles, and then spaces its requests out (compare Scrapy's AutoThrottle). After
`fetch.host_failures` failures in a row the circuit breaker opens: the host is set aside, and after
`fetch.host_pause_seconds` a single request finds out whether it is back.

All functions here get the time as an argument and wait for nothing.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from allmende.recipe import Fetch
from allmende.schema import Reason

SLOW_SHARE = 1 / 3
"""A host is slow if its headers take longer than this share of `fetch.first_byte_seconds`."""

GAP_AFTER_ANGER = 0.25
"""First spacing after anger, as a share of `fetch.retry_seconds`; doubles with each further one."""

GAP_DECAY = 0.9
"""What a prompt answer leaves of the spacing that anger brought."""

SHORTEST_GAP = 0.01
"""Seconds of spacing below which it ends."""


class Signal(Enum):
    """What an answer, or its absence, says about the host."""

    GOOD = "good"
    """Answered in time, with whatever status."""
    SLOW = "slow"
    """Answers, but struggles."""
    ANGRY = "angry"
    """Asks for rest: 429 or 503."""
    DEAD = "dead"
    """No answer at all."""


_DEAD = frozenset(
    {
        Reason.CONNECT_FAILED,
        Reason.TLS_FAILED,
        Reason.TIMEOUT_CONNECT,
        Reason.TIMEOUT_FIRST_BYTE,
        Reason.CONNECTION_LOST,
        Reason.PROTOCOL_ERROR,
    }
)
_SLOW = frozenset({Reason.TIMEOUT_IDLE, Reason.TIMEOUT_TOTAL})
_ANGRY_STATUSES = frozenset({429, 503})
_STRUGGLING_STATUSES = frozenset({502, 504})


def signal(status: int | None, reason: Reason | None, first_byte: float, config: Fetch) -> Signal:
    """What one exchange says about its host.

    Args:
        status: HTTP status, if headers came.
        reason: What ended the exchange early, if anything did.
        first_byte: Seconds from the request to the headers.
        config: `fetch` of the recipe.
    """
    if status is None:
        return Signal.DEAD if reason in _DEAD else Signal.SLOW
    if status in _ANGRY_STATUSES:
        return Signal.ANGRY
    slow = first_byte > config.first_byte_seconds * SLOW_SHARE
    if slow or status in _STRUGGLING_STATUSES or reason in _SLOW or reason in _DEAD:
        return Signal.SLOW
    return Signal.GOOD


def parse_retry_after(value: str, date: str | None = None) -> float | None:
    """Seconds to wait, from either form of Retry-After (RFC 9110, section 10.2.3); None if it is neither.

    Args:
        value: The header.
        date: The Date header of the same response: what the server takes for now.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until = _http_date(value)
    if until is None:
        return None
    now = _http_date(date or "") or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class Host:
    """What is known of one host. Every method takes the time, in seconds of one clock that only goes forward."""

    __slots__ = (
        "_anger",
        "_angry_since",
        "_answers",
        "_aside_until",
        "_config",
        "_failures",
        "_gap",
        "_limit",
        "opens",
        "running",
    )

    def __init__(self, config: Fetch):
        self._config = config
        self._limit = float(config.per_host)
        self._gap = config.host_delay_seconds
        self._answers = False
        """True if the last request that ended got an answer."""
        self._failures = 0
        """Requests that got none, in a row."""
        self._anger = 0
        """Occasions of anger, in a row."""
        self._angry_since = float("-inf")
        self._aside_until = float("-inf")
        self.running = 0
        """Requests under way."""
        self.opens = float("-inf")
        """When the next request may start."""

    @property
    def room(self) -> int:
        """How many more requests may start now, as far as their number goes.

        A host that does not answer, or has not yet, gets no more requests at once than would open the breaker, so
        that how many of a dead host's URLs are tried does not depend on how fast they fail.
        """
        room = int(self._limit)
        if not self._answers:
            room = min(room, max(1, self._config.host_failures - self._failures))
        return room - self.running

    @property
    def doubtful(self) -> bool:
        """True if the host may keep a request waiting for long."""
        return self._failures > 0 or self._limit < self._config.per_host

    @property
    def gap(self) -> float:
        """Seconds between the starts of two requests."""
        return self._gap

    def aside(self, now: float) -> bool:
        """True if the host is set aside: its URLs are not to be asked for."""
        return now < self._aside_until

    def started(self, now: float) -> None:
        """A request starts."""
        self.running += 1
        self.opens = now + self._gap

    def ended(self, what: Signal, started: float, now: float, retry_after: float | None = None) -> None:
        """A request has ended.

        Args:
            what: What it says about the host.
            started: When it started.
            now: The time.
            retry_after: Seconds that the host asks to be left alone.
        """
        self.running -= 1
        self._answers = what is not Signal.DEAD
        if what is Signal.DEAD:
            self._dead(now)
        elif what is Signal.ANGRY:
            self._angry(started, now, retry_after)
        else:
            self._failures = self._anger = 0
            if what is Signal.SLOW:
                self._limit = max(1.0, self._limit / 2)
            else:
                self._good()

    def _good(self) -> None:
        self._limit = min(float(self._config.per_host), self._limit + 1 / self._limit)
        self._gap = max(self._config.host_delay_seconds, self._gap * GAP_DECAY)
        if self._gap < SHORTEST_GAP:
            self._gap = self._config.host_delay_seconds

    def _dead(self, now: float) -> None:
        self._failures += 1
        self._limit = max(1.0, self._limit / 2)
        if self._failures >= self._config.host_failures:
            self._aside_until = now + self._config.host_pause_seconds

    def _angry(self, started: float, now: float, retry_after: float | None) -> None:
        if started >= self._angry_since:  # requests that were under way when it got angry are the same anger
            self._angry_since = now
            self._anger += 1
            self._limit = max(1.0, self._limit / 2)
            self._gap = min(max(self._gap * 2, self._first_gap), self._config.max_retry_after_seconds)
        pause = self._config.retry_seconds * 2 ** min(self._anger - 1, 16) if retry_after is None else retry_after
        self.opens = max(self.opens, now + min(pause, self._config.max_retry_after_seconds))
        if pause > self._config.max_retry_after_seconds:
            self._aside_until = max(self._aside_until, now + pause)
        elif self._anger >= self._config.host_failures:
            self._aside_until = max(self._aside_until, now + self._config.host_pause_seconds)

    @property
    def _first_gap(self) -> float:
        return self._config.retry_seconds * GAP_AFTER_ANGER
