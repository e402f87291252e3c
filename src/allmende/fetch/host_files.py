"""robots.txt and its kin, asked for by the same client as everything else: same guard, same limits, same politeness.

Nobody's permission is asked for these files themselves: robots.txt is always allowed (RFC 9309, section 2.2.2), and the
others exist to be read by crawlers before they take anything.
"""

from datetime import UTC, datetime

from allmende.fetch.client import Client
from allmende.fetch.kind import HOST_TEXT
from allmende.fetch.outcome import Fetched, Outcome, Target
from allmende.permission.hosts import FileKind, HostFile
from allmende.permission.protocol import AllowAll
from allmende.schema import Reason

UNANSWERED = 1
"""Retries if a host does not answer at all. All its URLs wait for this one file, whereas of other URLs several are tried at
once: three deadlines in a row would keep a fetch of a few thousand URLs from its end for half a minute. None if no connection
came about within its deadline, by any of the host's addresses: the system itself asked four times (Linux after 1, 3 and 7 s)."""


async def ask(client: Client, kind: FileKind, url: str) -> HostFile:
    """A file of a host, or why there is none. Never raises for what a server does."""
    outcomes = client.run([Target(kind, url, UNANSWERED)], _body, HOST_TEXT, AllowAll())
    (outcome,) = [outcome async for _, outcome in outcomes]
    return _file(kind, url, outcome)


async def _body(fetched: Fetched) -> bytes:
    return fetched.body


def _file(kind: FileKind, url: str, outcome: Outcome[bytes]) -> HostFile:
    facts = outcome.facts
    empty = facts.http_status is not None and 200 <= facts.http_status < 300 and outcome.reason in _EMPTY
    return HostFile(
        kind=kind,
        url=url,
        status=facts.http_status,
        at=facts.fetched_at or datetime.now(UTC),
        body=outcome.result or b"",
        reason=None if empty else outcome.reason,
    )


_EMPTY = frozenset({Reason.BODY_EMPTY, Reason.HTTP_UNEXPECTED})
"""A good response without a body is an empty file: Content-Length: 0, or 204."""
