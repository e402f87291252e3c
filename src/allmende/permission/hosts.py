"""What hosts say in files of their own (robots.txt, tdmrep.json, ai.txt, RSL licences): asked for once, kept for a day.

Bodies are compiled as they come and handed on to be stored; the cache keeps what was compiled. A file that is wanted by
many URLs at once is asked for once. Nothing here knows the network: `ask` does.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Generic, Literal, TypeVar

import msgspec

from allmende.reason import Reason

T = TypeVar("T")

FileKind = Literal["robots.txt", "tdmrep.json", "ai.txt", "rsl"]

LIFE = timedelta(hours=24)
"""A file is used no longer (RFC 9309, section 2.4)."""

FAILURE_LIFE = timedelta(minutes=5)
"""A host that gave no answer, or 5xx, is asked again after this time."""

ENTRIES = 200_000
"""Files remembered: those of the hosts of about a million URLs, which is what a bucket holds."""

CACHE_BYTES = 256_000_000
"""Sum of their sizes; what is compiled takes about as much memory as the body."""

ENTRY_BYTES = 500
"""What a file takes beside its body."""


UNAVAILABLE = frozenset(
    {
        Reason.HTTP_NOT_FOUND,
        Reason.HTTP_FORBIDDEN,
        Reason.HTTP_CLIENT_ERROR,
    }
)
"""The host says that there is no such file: 4xx but 429, which says that we ask too often (`robots.availability`)."""


class HostFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that a host was asked for, and what it answered: a row of `schema.HOSTS`."""

    kind: FileKind
    url: str
    """As asked for, before redirects."""
    status: int | None
    """Of the last response; None if there was none."""
    at: datetime
    """When the answer was complete."""
    body: bytes = b""
    """Content encoding undone, cut off at 512 KiB."""
    reason: Reason | None = None
    """Why there is no body, if there is none."""

    @property
    def sha256(self) -> str:
        """Digest of the body, hex."""
        return sha256(self.body).hexdigest()

    @property
    def silent(self) -> bool:
        """True if not a single response came."""
        return self.status is None

    @property
    def failed(self) -> bool:
        """True if it is not known whether there is such a file: 5xx, 429, endless redirects, or no answer."""
        return self.reason is not None and self.reason not in UNAVAILABLE

    @property
    def expires(self) -> datetime:
        """From when on it must be asked for anew."""
        return self.at + (FAILURE_LIFE if self.failed else LIFE)

    @property
    def page(self) -> bool:
        """True if the body is an HTML page: how many servers answer for files that they don't have."""
        start = self.body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<script", b"<title"))


class Hosts(Generic[T]):
    """Files by kind and URL, as `build` makes them. Belongs to one event loop; close it.

    Args:
        ask: Fetches a file; never raises for what a server does.
        build: Compiles one; pure.
        stored: What is known from an earlier run, of a URL's host at least; asked before the host is, not on the loop.
        clock: The time.
        entries: Files remembered.
        size: Bytes of bodies that these stand for.
    """

    def __init__(
        self,
        ask: Callable[[FileKind, str], Awaitable[HostFile]],
        build: Callable[[HostFile], T],
        stored: Callable[[str], Iterable[HostFile]] | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entries: int = ENTRIES,
        size: int = CACHE_BYTES,
    ):
        self._ask = ask
        self._build = build
        self._stored = stored
        self._reading = asyncio.Lock()
        self._clock = clock
        self._entries = entries
        self._size = size
        self._held = 0
        self._known: OrderedDict[tuple[FileKind, str], tuple[T, datetime, int]] = OrderedDict()
        self._asking: dict[tuple[FileKind, str], asyncio.Task[T]] = {}
        self._new: list[HostFile] = []
        self.new_bytes = 0
        """Bytes of the bodies that `take_new` would give out."""

    def __len__(self) -> int:
        """Files remembered."""
        return len(self._known)

    def get(self, kind: FileKind, url: str) -> T | None:
        """What is known of a file and still fresh."""
        key = kind, url
        found = self._known.get(key)
        if found is None:
            return None
        if found[1] <= self._clock():
            self._forget(key)
            return None
        self._known.move_to_end(key)
        return found[0]

    async def ask(self, kind: FileKind, url: str) -> T:
        """The file, from the host if need be; one request however many ask meanwhile."""
        known = self.get(kind, url)
        if known is not None:
            return known
        key = kind, url
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.get_running_loop().create_task(self._fetch(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)  # who stops waiting must not stop it for the others

    def take_new(self) -> list[HostFile]:
        """Files that were asked for since the last call, to be stored."""
        new, self._new, self.new_bytes = self._new, [], 0
        return new

    async def close(self) -> None:
        """Gives up what is being asked for."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, key: tuple[FileKind, str]) -> T:
        if self._stored is not None:
            async with self._reading:  # who comes second must find what the first one read
                await self._read(self._stored, key[1])
            if (known := self.get(*key)) is not None:
                return known
        file = await self._ask(*key)
        self._new.append(file)
        self.new_bytes += len(file.body)
        return self._remember(file)

    async def _read(self, stored: Callable[[str], Iterable[HostFile]], url: str) -> None:
        """Remembers what is stored and still fresh."""
        now = self._clock()
        for file in await asyncio.to_thread(lambda: list(stored(url))):
            if file.expires > now:
                self._remember(file)

    def _remember(self, file: HostFile) -> T:
        key = file.kind, file.url
        self._forget(key)
        size = len(file.body) + ENTRY_BYTES
        built = self._build(file)
        self._known[key] = built, file.expires, size
        self._held += size
        while len(self._known) > self._entries or (self._held > self._size and len(self._known) > 1):
            self._forget(next(iter(self._known)))
        return built

    def _forget(self, key: tuple[FileKind, str]) -> None:
        if (found := self._known.pop(key, None)) is not None:
            self._held -= found[2]
