"""When a domain was registered, from its registry: RDAP (RFC 9082, RFC 9083), the successor of WHOIS.

A domain that was registered after its files were fetched has expired in between, and whoever registered it owns the
URLs of a dataset: Carlini et al. 2023 (arXiv 2302.10149) bought 0.01 % of LAION-400M for 60 dollars in this way.
"""

from datetime import UTC, datetime

import msgspec

from allmende.fetch.client import Client, Fetched, Target
from allmende.permission.protocol import AllowAll
from allmende.schema import Reason

REGISTERED = frozenset({"registration", "reregistration", "reinstantiation"})
"""Events that give a domain a (new) holder: RFC 9083, section 10.2.3. A transfer is one between registrars."""

ANSWER_BYTES = 1 << 20


class RdapAnswer:
    """The kind of body that is wanted: JSON."""

    accept = "application/rdap+json, application/json;q=0.9"
    cut: int | None = ANSWER_BYTES
    redirects = 5

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""
        del content_type
        return None if start.lstrip()[:1] == b"{" else Reason.CONTENT_TYPE_REFUSED


class _Event(msgspec.Struct):
    action: str = msgspec.field(default="", name="eventAction")
    date: str = msgspec.field(default="", name="eventDate")


class _Domain(msgspec.Struct):
    events: list[_Event] = []


def registered(answer: bytes) -> datetime | None:
    """When a domain got its holder: the latest such event of an RDAP answer; None if it tells none."""
    try:
        events = msgspec.json.decode(answer, type=_Domain).events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    dates = [date for event in events if event.action.lower() in REGISTERED and (date := _date(event.date))]
    return max(dates, default=None)


def _date(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None


async def ask(client: Client, base: str, domains: list[str]) -> dict[str, datetime]:
    """When domains were registered; those without an answer are left out.

    Args:
        client: Asks politely, guarded like all else.
        base: URL of the service, such as https://rdap.org/.
        domains: Registrable ones.
    """
    targets = (Target(domain, f"{base.rstrip('/')}/domain/{domain}") for domain in domains)
    found: dict[str, datetime] = {}
    async for target, outcome in client.run(targets, _registered, RdapAnswer(), AllowAll()):
        if outcome.result is not None:
            found[target.key] = outcome.result
    return found


async def _registered(fetched: Fetched) -> datetime | Reason:
    return registered(fetched.body) or Reason.BODY_EMPTY
