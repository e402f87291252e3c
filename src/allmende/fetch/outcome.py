"""What one URL came to: the facts of its last response, and either a result or the Reason why there is none."""

from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from allmende.permission.signal import Signal
from allmende.schema import Reason

T = TypeVar("T")


class Target(NamedTuple):
    """A URL to fetch, and the caller's own name for it, which comes back with the outcome."""

    key: Any
    url: str
    unanswered: int | None = None
    """Most retries of a request that gets no answer at all, and of them none if connections to all addresses of the host timed
    out; None: `fetch.retries`, which is the bound in any case."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the fetch saw: one attribute for each column of `schema.FETCH_FACTS`, documented there."""

    final_url: str | None = None
    http_status: int | None = None
    content_type: str | None = None
    x_robots_tag: str | None = None
    last_modified: str | None = None
    etag: str | None = None
    fetched_at: datetime | None = None
    fetch_ms: int = 0
    bytes_received: int = 0
    signals: tuple[Signal, ...] | None = None
    """What was read about mining and training on the way, redirects included: robots.txt of the hosts, headers of the
    file. None if nobody was asked who could tell."""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A response that is whole, permitted and of the wanted kind."""

    url: str
    """As asked for."""
    body: bytes
    """Content encoding undone."""
    facts: Facts
    address: str
    """IP address that answered; empty when the bytes come from an archive."""


class Outcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """The fate of one target: `reason` or `result`, never both and never neither."""

    facts: Facts
    reason: Reason | None = None
    result: T | None = None

    @classmethod
    def of(cls, facts: Facts, returned: T | Reason) -> "Outcome[T]":
        """The outcome of a whole response, from what its handler returned."""
        if isinstance(returned, Reason):
            return cls(facts=facts, reason=returned)
        return cls(facts=facts, result=returned)


REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that lead elsewhere, if there is a Location header (RFC 9110, section 15.4)."""

_WHOLE = frozenset({200, 203})
_BY_STATUS = {
    **dict.fromkeys((404, 410), Reason.HTTP_NOT_FOUND),
    **dict.fromkeys((401, 402, 403, 407, 451), Reason.HTTP_FORBIDDEN),
    429: Reason.HTTP_RATE_LIMITED,
}
_BY_CLASS = {4: Reason.HTTP_CLIENT_ERROR, 5: Reason.HTTP_SERVER_ERROR}


def status_reason(status: int) -> Reason | None:
    """Why a response of this HTTP status has no body for us; None if it has."""
    if status in _WHOLE:
        return None
    return _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, Reason.HTTP_UNEXPECTED)


_MAY_PASS = frozenset(
    {
        Reason.CONNECT_FAILED,
        Reason.TIMEOUT_CONNECT,
        Reason.TIMEOUT_FIRST_BYTE,
        Reason.TIMEOUT_IDLE,
        Reason.CONNECTION_LOST,
        Reason.BODY_TRUNCATED,
        Reason.HTTP_RATE_LIMITED,
        Reason.HTTP_SERVER_ERROR,
    }
)
_WILL_PASS_STATUSES = frozenset({408, 425})
_STAYS_STATUSES = frozenset({501, 505})


def may_pass(reason: Reason, status: int | None) -> bool:
    """True if the same request may well have a better end later. Never after 404, 410 or 403."""
    if status in _WILL_PASS_STATUSES:
        return True
    return reason in _MAY_PASS and status not in _STAYS_STATUSES
