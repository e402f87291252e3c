"""How often, and after how long, a request for an archive is repeated.

urllib3's `Retry` does the counting (each kind of failure has its own budget: connections, broken reads,
HTTP statuses, the rest) and knows which error is which. Three things are ours, because of Common Crawl:

- Full jitter (Brooker 2015, "Exponential backoff and jitter", AWS architecture blog): urllib3 repeats the
  first time at once and adds jitter on top of a fixed pause, so that thousands of workers turned away together
  come back together.
- Never sooner than a second: "Retrying no more than once per second is polite enough" (status.commoncrawl.org).
- The loop is not urllib3's, which calls itself once a retry: the 1,000 retries that the same page recommends
  are more than Python's stack holds. And bodies that break half-way, and S3, need the same budget.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import MaxRetryError
from urllib3.util import Retry

from allmende.errors import SourceError

PASSING_STATUSES = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})
"""Answers that may be different next time: timeouts, rate limits, SlowDown (503), overload."""

SHORTEST_WAIT = 1.0
"""Seconds; see the module docstring."""

LONGEST_BACKOFF = 60.0
"""Seconds between two tries when the server doesn't say how long to wait."""

LONGEST_RETRY_AFTER = 900.0
"""Seconds. A server that asks for a longer pause is obeyed by stopping: a worker that sleeps for hours looks dead."""

_log = logging.getLogger(__name__)


class Patience(Retry):
    """What is left of the retries for one file. Immutable; `after` gives the next one."""

    wait: Callable[[float], object] = staticmethod(time.sleep)
    """Sleeps for so many seconds."""

    @classmethod
    def of(cls, retries: int, wait: Callable[[float], object] = time.sleep) -> Self:
        """`retries` repeats for each kind of failure."""
        patience = cls(total=None, connect=retries, read=retries, status=retries, other=retries)
        patience.wait = wait
        return patience

    def new(self, **changes: Any) -> Self:
        """A copy with some counters changed, as `Retry` wants it."""
        copy = super().new(**changes)
        copy.wait = self.wait
        return copy

    def after(self, where: str, *, response: BaseHTTPResponse | None = None, error: Exception | None = None) -> Self:
        """Waits as long as is due after a failure, then says what patience is left.

        Args:
            where: What was asked for, for messages.
            response: The refusal (its status is one of `PASSING_STATUSES`); or
            error: urllib3's exception, if there was no answer or it broke.

        Raises:
            SourceError: if the budget is spent, or the server asks for a pause of more than `LONGEST_RETRY_AFTER`.
        """
        what = f"HTTP {response.status}" if response else _first_line(error)
        try:
            left = self.increment("GET", where, response=response, error=error)
        except MaxRetryError as spent:
            raise SourceError(
                f"{where}: gave up after {len(self.history) + 1} tries; the last one said: {what}. "
                "Run the same command later."
            ) from (error or spent)
        asked = (left.get_retry_after(response) if response else None) or 0.0
        if asked > LONGEST_RETRY_AFTER:
            raise SourceError(
                f"{where}: {what}, and the server asks to stay away for {asked / 60:.0f} minutes. "
                "Run the same command after that."
            )
        seconds = max(asked, left.get_backoff_time())
        _log.warning("%s: %s; trying again in %.1f s (failure %d)", where, what, seconds, len(left.history))
        left.wait(seconds)
        return left

    def get_backoff_time(self) -> float:
        """Seconds to wait: full jitter, that is uniform from 0 to 2, 4, 8 ... `LONGEST_BACKOFF`; at least a second."""
        ceiling = min(LONGEST_BACKOFF, 2.0 ** min(len(self.history), 10))
        return max(SHORTEST_WAIT, random.uniform(0.0, ceiling))  # noqa: S311 - spreads load, guards nothing

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the server asks for, or None; RFC 9110 §10.2.3: a number, or a date.

        A date is read against the answer's own Date where it has one, as our clock may be wrong.
        A value that is neither is as good as none.
        """
        text = response.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        until = _date(text)
        if until is None:
            return None
        now = _date(response.headers.get("Date", "")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _first_line(error: Exception | None) -> str:
    said = error.args[0] if error and error.args and isinstance(error.args[0], str) else str(error)
    return next(iter(said.splitlines()), "") or type(error).__name__
