"""Verdicts by what the web says today.

Hosts are asked for their files anew, images for their headers. Of text the whole page is asked for: it may reserve in itself, and
only it tells whether the text is still there. As polite as a build. What can't be had is judged by what is stored. Memory: `URLS_AT_ONCE` rows, and what `fetch` allows.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from allmende.fetch.client import Fetched, Outcome, Target
from allmende.fetch.kind import IMAGES, Kind
from allmende.maintain import live_pages
from allmende.maintain.asking import Web
from allmende.maintain.findings import Fate, Seen
from allmende.maintain.online import finding
from allmende.permission import Policy, Signal, judge
from allmende.permission.answers import CAPTURE
from allmende.permission.gate import LICENCES
from allmende.permission.page import page_rsl_urls
from allmende.schema import Reason

URLS_AT_ONCE = 20_000
"""URLs that are asked for together: the last slow hosts of each lot hold up the next one."""

Rows = list[dict[str, Any]]
_OF_HEADERS = "header:"
_STILL_THERE = frozenset({Fate.SAME, Fate.MOVED, Fate.CHANGED})
_OTHERS = frozenset(Reason) - {Reason.PERMISSION_DENIED}


class Online(msgspec.Struct, frozen=True, kw_only=True):
    """How the web is asked."""

    contact: str = ""
    """Sent to servers; the recipe's by default."""
    nameservers: tuple[str, ...] = ()
    """To ask instead of the system's."""


class Judged(NamedTuple):
    """What became of a lot of rows."""

    denied_by: list[str]
    """For each row the signal that decides; empty for what is permitted."""
    unanswered: Counter[str]
    """Rows whose URL gave nothing, by Reason."""
    fates: Counter[str]
    """Of text: what became of the pages."""


def lots(parts: Iterable[Rows]) -> Iterator[Rows]:
    """The rows of all parts, `URLS_AT_ONCE` or a little more at a time."""
    lot: Rows = []
    for rows in parts:
        lot += rows
        if len(lot) >= URLS_AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


async def judge_images(web: Web, policy: Policy, lot: Rows) -> Judged:
    """Judges images by their hosts, their headers, and the licences that their pages named."""
    web.licences.clear()
    for row in lot:
        if links := page_rsl_urls(row):
            web.licences[row["url"]] = web.licences.get(row["url"], ()) + links
    found = await _asked(web, lot, _HeadersOnly(), _any)
    denied_by = [judge(policy, _renewed(row["signals"], found[row["url"]])).signal for row in lot]
    return Judged(denied_by, _unanswered(lot, found), Counter())


async def judge_pages(web: Web, policy: Policy, lot: Rows) -> Judged:
    """Judges documents by their hosts, and by their pages."""
    known: dict[str, list[bytes]] = {}
    for row in lot:
        known.setdefault(row["url"], []).append(row["known"])

    async def look(fetched: Fetched) -> Seen | Reason:
        return live_pages.read_page(fetched, known[fetched.url], policy)

    found = await _asked(web, lot, live_pages.PageKind(), look)
    licences = await _licences(web, found)
    fates = {url: finding(url, outcome).fate for url, outcome in found.items()}
    denied_by = []
    for row in lot:
        url = row["url"]
        stored = _without_page(row["signals"], url) if fates[url] in _STILL_THERE else row["signals"]
        page = found[url].result
        own = page.signals if page else ()
        signals = (*_renewed(stored, found[url]), *own, *licences.get(url, ()))
        denied_by.append(judge(policy, signals).signal)
    return Judged(denied_by, _unanswered(lot, found), Counter(str(fates[row["url"]]) for row in lot))


Found = dict[str, Outcome[Seen]]


async def _asked(web: Web, lot: Rows, kind: Kind, handle: Callable[[Fetched], Awaitable[Seen | Reason]]) -> Found:
    targets = (Target(url, url) for url in dict.fromkeys(row["url"] for row in lot))
    return {target.key: outcome async for target, outcome in web.client.run(targets, handle, kind)}


def _unanswered(lot: Rows, found: Found) -> Counter[str]:
    return Counter(str(reason) for row in lot if (reason := found[row["url"]].reason) in _OTHERS)


async def _licences(web: Web, found: Found) -> dict[str, list[Signal]]:
    """What the RSL licences that pages link to say of them, by URL of the page.

    They are asked for when the pages are gone from memory: a page that waits for another host could hold up all others.
    """
    linked = {url: one.result.licences[:LICENCES] for url, one in found.items() if one.result and one.result.licences}
    wanted = list(dict.fromkeys(link for links in linked.values() for link in links))
    answers = dict(zip(wanted, await asyncio.gather(*(web.hosts.ask("rsl", link) for link in wanted)), strict=True))
    return {url: [signal for link in links for signal in answers[link].signals(url)] for url, links in linked.items()}


class _HeadersOnly:
    """Wants the headers of an image, and hangs up at the first byte of its body."""

    accept = IMAGES.accept
    cut: int | None = 0
    redirects = 0

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""


async def _any(fetched: Fetched) -> Seen:
    del fetched
    return Seen(fate=Fate.SAME)


def _renewed(stored: tuple[Signal, ...], outcome: Outcome[Seen]) -> tuple[Signal, ...]:
    """What is known of a file now: fresh statements of its host and headers in place of those stored, as far as there are any."""
    if outcome.facts.signals is None:
        return stored
    answered = outcome.reason is None or outcome.reason is Reason.PERMISSION_DENIED
    kept = (s for s in stored if not (_of_host(s) or (answered and _of_answer(s))))
    return (*kept, *outcome.facts.signals)


def _without_page(stored: tuple[Signal, ...], url: str) -> tuple[Signal, ...]:
    """What is stored, without what the page itself said when it was captured."""
    return tuple(signal for signal in stored if signal.url != url or _place(signal) == CAPTURE)


def _of_host(signal: Signal) -> bool:
    """From a file of the host, as it was when the dataset was built; captures are from another time, and stay."""
    return bool(signal.url) and not _place(signal)


def _of_answer(signal: Signal) -> bool:
    """From the headers of the file itself; those of its page have the page's URL."""
    return not signal.url and _place(signal).startswith(_OF_HEADERS)


def _place(signal: Signal) -> str:
    """Where it stood, without what overrides it."""
    return signal.field.partition(";")[0]
