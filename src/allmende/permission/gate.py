"""The permission that a fetch asks: what the host's files say before a request, what the headers say with the answer.

A URL is judged in two stages. robots.txt first: where it denies, nothing more is asked for, not even the host's other
files. Then those, all at once. What a URL is judged by is the same whatever was asked before, so that a build that was
interrupted comes to the same rows.

A file that the host reserves in its tdmrep.json is not asked for, although its headers might say otherwise: that could
only be learned by asking for what is reserved (`docs/decisions/0011-permission-records.md`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime

from allmende.permission import headers as header_signals
from allmende.permission import page, tdmrep
from allmende.permission.answers import Answer
from allmende.permission.hosts import FileKind, Hosts
from allmende.permission.policy import Policy
from allmende.permission.protocol import ALLOWED, Headers, Verdict
from allmende.permission.rsl import rsl_urls
from allmende.permission.signal import Signal
from allmende.permission.x_robots_tag import Bears

OF_ROBOTS = ("robots_txt", "robots_txt_ai", "content_signal", "content_usage", "rsl")
"""Signals for which robots.txt is read."""


ROBOTS_LINK = "robots.txt:license"
"""Field of the signal for an RSL licence that a captured robots.txt names, if nobody is asked for it."""

LICENCE_LINKS = frozenset({header_signals.LINK, page.LINK, ROBOTS_LINK})
"""Fields of signals that only tell where an RSL licence is."""

LICENCES = 4
"""RSL licences that are read for one URL, at most: a robots.txt names one."""

Key = tuple[FileKind, str]
"""What a host is asked for: kind and URL."""


def judge(policy: Policy, signals: Iterable[Signal]) -> Verdict:
    """The verdict on one file from everything that was read, in the order in which it was met.

    Signals that the policy ignores are left out; of those of TDMRep the ones with the highest priority decide; a link to
    an RSL licence says nothing more once the licence was read.
    """
    signals = tuple(signals)
    if not signals:
        return ALLOWED
    heeded = [signal for signal in dict.fromkeys(signals) if policy.heeds(signal.name)]
    read = {signal.url for signal in heeded if signal.name == "rsl" and not signal.field}
    told = tdmrep.combine(s for s in heeded if s.field not in LICENCE_LINKS or s.value not in read)
    deciding = policy.deciding(told)
    if deciding is None:
        return Verdict(True, signals=told)
    return Verdict(False, deciding.name, deciding.value, told)


class Gate:
    """Asks hosts, and obeys. A `Permission`.

    Args:
        policy: Which signals are read, and what follows.
        hosts: Files of hosts; None asks nobody (archive mode).
        captured: robots.txt of a URL's host as it was when it was crawled; obeyed in addition to what the host says now.
        page_licences: RSL licences that the pages name which show the file of a URL.
        clock: The time, for what the headers say.
        bears: What the files are.
    """

    def __init__(
        self,
        policy: Policy,
        hosts: Hosts[Answer] | None,
        captured: Callable[[str], Answer | None] = lambda url: None,
        page_licences: Callable[[str], Iterable[str]] = lambda url: (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        bears: Bears = "image",
    ):
        self._policy = policy
        self._hosts = hosts
        self._captured = captured
        self._page_licences = page_licences
        self._clock = clock
        self._bears = bears
        self._asking: dict[tuple[Key, ...], asyncio.Task[_Have]] = {}
        self._robots = any(map(policy.heeds, OF_ROBOTS))

    def before(self, url: str) -> Verdict | Awaitable[Verdict]:
        """See `Permission.before`."""
        verdict = self._before(url, {})
        return verdict if isinstance(verdict, Verdict) else self._asked(verdict, lambda have: self._before(url, have))

    def after(self, url: str, headers: Headers) -> Verdict | Awaitable[Verdict]:
        """See `Permission.after`."""
        verdict = self._after(url, headers, {})
        if isinstance(verdict, Verdict):
            return verdict
        return self._asked(verdict, lambda have: self._after(url, headers, have))

    async def _asked(self, missing: list[Key], look: "Callable[[_Have], Verdict | list[Key]]") -> Verdict:
        """The verdict, as soon as the files are there that it takes."""
        have: _Have = {}
        verdict: Verdict | list[Key] = missing
        while not isinstance(verdict, Verdict):
            have = have | await self._found(tuple(verdict))
            verdict = look(have)
        return verdict

    async def _found(self, keys: tuple[Key, ...]) -> "_Have":
        """Files, asked for together. The thousands of URLs that wait for the same ones share one task."""
        task = self._asking.get(keys)
        if task is None:
            task = self._asking[keys] = asyncio.get_running_loop().create_task(self._ask(keys))
            task.add_done_callback(lambda _: self._asking.pop(keys, None))
        return await asyncio.shield(task)

    async def _ask(self, keys: tuple[Key, ...]) -> "_Have":
        assert self._hosts is not None
        found = await asyncio.gather(*(self._hosts.ask(*key) for key in keys))
        return dict(zip(keys, found, strict=True))

    def _before(self, url: str, have: "_Have") -> Verdict | list[Key]:
        """The verdict, or the files that it takes to give one."""
        told: list[Signal] = []
        links: tuple[str, ...] = ()
        origin = origin_of(url)
        if self._robots:
            captured = self._captured(url)
            if captured is not None:
                told += captured.signals(url)
                links = captured.licences()
                if not (verdict := judge(self._policy, told)).allowed:
                    return verdict
            if self._hosts is not None:
                key: Key = ("robots.txt", f"{origin}/robots.txt")
                robots = self._find(key, have)
                if robots is None:
                    return [key]
                if robots.silent is not None and self._policy.actions["robots_txt"] == "deny":
                    return Verdict(False, "robots_txt", reason=robots.silent, signals=None)
                told += robots.signals(url)
                links = (*links, *robots.licences())
        if self._hosts is None:
            unread = [key[1] for key in self._licences(links)]
            told += [Signal(name="rsl", says="unknown", value=link, field=ROBOTS_LINK) for link in unread]
        verdict = judge(self._policy, told)
        if self._hosts is None or not verdict.allowed:
            return verdict
        keys = [*self._own_files(origin), *self._licences((*links, *self._page_licences(url)))]
        return self._with_files(url, told, keys, have)

    def _after(self, url: str, headers: Headers, have: "_Have") -> Verdict | list[Key]:
        asks = self._hosts is not None
        told = header_signals.signals(
            headers, url, now=self._clock(), agents=self._policy.ai_agents, bears=self._bears, licences=not asks
        )
        links = rsl_urls(headers, url) if asks else ()
        return self._with_files(url, list(told), list(self._licences(links)), have)

    def _with_files(self, url: str, told: list[Signal], keys: list[Key], have: "_Have") -> Verdict | list[Key]:
        """The verdict from what is told already and from these files, or those of them that are not known yet."""
        files = {key: self._find(key, have) for key in dict.fromkeys(keys)}
        missing = [key for key, file in files.items() if file is None]
        if missing:
            return missing
        for file in files.values():
            assert file is not None
            told += file.signals(url)
        return judge(self._policy, told)

    def _own_files(self, origin: str) -> Iterator[Key]:
        if self._policy.heeds("tdmrep"):
            yield "tdmrep.json", origin + tdmrep.PATH
        if self._policy.heeds("ai_txt"):
            yield "ai.txt", f"{origin}/ai.txt"

    def _licences(self, links: Iterable[str]) -> Iterator[Key]:
        if self._policy.heeds("rsl"):
            for link in list(dict.fromkeys(links))[:LICENCES]:
                yield "rsl", link

    def _find(self, key: Key, have: "_Have") -> Answer | None:
        assert self._hosts is not None
        return have.get(key) or self._hosts.get(*key)


_Have = dict[Key, Answer]


def origin_of(url: str) -> str:
    """Scheme, host and port of a normalised URL: what a robots.txt is for."""
    end = url.find("/", url.find("://") + 3)
    return url if end < 0 else url[:end]
