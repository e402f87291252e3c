"""What one URL came to: the facts of its last response, and either a result or the Reason why there is none."""

from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from allmende.schema import Reason

T = TypeVar("T")


class Target(NamedTuple):
    """A URL to fetch, and the caller's own name for it, which comes back with the outcome."""

    key: Any
    url: str


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
