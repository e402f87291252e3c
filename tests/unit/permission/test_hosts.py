"""Files of hosts are asked for once, kept for a day, and forgotten when there are too many."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from allmende.permission.hosts import FAILURE_LIFE, LIFE, HostFile, Hosts
from allmende.schema import Reason

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://a.example/robots.txt"


class Web:
    """Answers from a table, counts what it is asked, and has a clock."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.now = NOW
        self.gate = None

    async def ask(self, kind, url):
        self.asked.append(url)
        if self.gate is not None:
            await self.gate.wait()
        return file(url, at=self.now, kind=kind)

    def clock(self):
        return self.now


def file(url=URL, *, at=NOW, kind="robots.txt", status=200, body=b"x", reason=None):
    return HostFile(kind=kind, url=url, status=status, at=at, body=body, reason=reason)


def hosts(web, **options):
    return Hosts(web.ask, lambda found: found, clock=web.clock, **options)


def test_many_ask_and_the_host_is_asked_once():
    async def work():
        web = Web()
        web.gate = asyncio.Event()
        known = hosts(web)
        waiting = [asyncio.ensure_future(known.ask("robots.txt", URL)) for _ in range(50)]
        await asyncio.sleep(0)
        waiting[0].cancel()  # does not take it away from the others
        web.gate.set()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert {each.url for each in found[1:]} == {URL}
        assert web.asked == [URL]
        assert [each.url for each in known.take_new()] == [URL]
        assert known.take_new() == []

    asyncio.run(work())


def test_a_file_is_used_for_a_day_and_a_failure_for_minutes():
    async def work():
        web = Web()
        known = hosts(web)
        await known.ask("robots.txt", URL)
        web.now = NOW + LIFE - timedelta(seconds=1)
        assert known.get("robots.txt", URL) is not None
        web.now = NOW + LIFE
        assert known.get("robots.txt", URL) is None
        await known.ask("robots.txt", URL)
        assert web.asked == [URL, URL]

    asyncio.run(work())
    assert file(reason=Reason.HTTP_SERVER_ERROR, status=503).expires == NOW + FAILURE_LIFE


@pytest.mark.parametrize(
    ("status", "reason", "failed", "silent"),
    [
        (200, None, False, False),
        (404, Reason.HTTP_NOT_FOUND, False, False),
        (403, Reason.HTTP_FORBIDDEN, False, False),
        (418, Reason.HTTP_CLIENT_ERROR, False, False),
        (429, Reason.HTTP_RATE_LIMITED, True, False),
        (500, Reason.HTTP_SERVER_ERROR, True, False),
        (302, Reason.REDIRECTS_TOO_MANY, True, False),
        (302, Reason.CONNECT_FAILED, True, False),
        (200, Reason.TIMEOUT_IDLE, True, False),
        (None, Reason.DNS_NOT_FOUND, True, True),
        (None, Reason.HOST_SET_ASIDE, True, True),
    ],
)
def test_what_an_answer_means(status, reason, failed, silent):
    found = file(status=status, reason=reason)
    assert (found.failed, found.silent) == (failed, silent)


def test_the_longest_unused_files_are_forgotten_first():
    async def work():
        web = Web()
        known = hosts(web, entries=2)
        for name in "ab":
            await known.ask("robots.txt", name)
        known.get("robots.txt", "a")
        await known.ask("robots.txt", "c")
        assert known.get("robots.txt", "b") is None
        assert known.get("robots.txt", "a") is not None
        assert len(known) == 2

    asyncio.run(work())


def test_large_files_leave_room_for_few():
    async def work():
        web = Web()

        async def ask(kind, url):
            return file(url, body=bytes(10_000))

        known = Hosts(ask, lambda found: found, clock=web.clock, size=25_000)
        for name in "abcd":
            await known.ask("robots.txt", name)
        assert len(known) == 2

    asyncio.run(work())


def test_what_is_stored_and_fresh_is_not_asked_for_again():
    async def work():
        web = Web()
        stored = [file(), file("https://old.example/robots.txt", at=NOW - LIFE)]
        reads = []

        def take(url):
            reads.append(url)
            found = list(stored)
            stored.clear()
            return found

        known = hosts(web, stored=take)
        found = await asyncio.gather(
            *(known.ask("robots.txt", url) for url in (URL, "https://old.example/robots.txt", URL))
        )
        assert [each.url for each in found] == [URL, "https://old.example/robots.txt", URL]
        assert web.asked == ["https://old.example/robots.txt"]
        assert [each.url for each in known.take_new()] == ["https://old.example/robots.txt"]

    asyncio.run(work())


def test_closing_gives_up_what_is_asked_for():
    async def work():
        web = Web()
        web.gate = asyncio.Event()
        known = hosts(web)
        waiting = asyncio.ensure_future(known.ask("robots.txt", URL))
        await asyncio.sleep(0)
        await known.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(work())
