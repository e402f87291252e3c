"""One call of `Client.run`: what it still has to do, and what it has done."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Generic, TypeVar

from allmende.fetch.guard import Place
from allmende.fetch.kind import Kind
from allmende.fetch.outcome import Facts, Fetched, Outcome, Target
from allmende.permission import Permission, Signal, Verdict
from allmende.schema import Reason

T = TypeVar("T")


class Batch(Generic[T]):
    """Targets in, outcomes out.

    Args:
        targets: Pulled one by one, as there is room.
        handle: What is made of a body.
        kind: What is wanted.
        permission: Asked about each URL and each response.
        window: Targets pulled and not yet given out as outcomes, at most.
        backlog: Outcomes that may wait to be taken before no more requests are started.
    """

    def __init__(
        self,
        targets: Iterator[Target],
        handle: Callable[[Fetched], Awaitable[T | Reason]],
        kind: Kind,
        permission: Permission,
        window: int,
        backlog: int,
    ):
        self.targets = targets
        self.handle = handle
        self.kind = kind
        self.permission = permission
        self.parked: deque[Job] = deque()
        """Jobs whose turn came while the backlog was full."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.closed = False
        self._window = window
        self._backlog = backlog
        self._open = 0
        self._exhausted = False
        self._outcomes: deque[tuple[Target, Outcome[T]]] = deque()
        self._error: BaseException | None = None
        self._news = asyncio.Event()

    @property
    def over(self) -> bool:
        """True if every target that was pulled has its fate, and has been told of."""
        return not self._open

    @property
    def full(self) -> bool:
        """True if too many outcomes wait to be taken."""
        return len(self._outcomes) >= self._backlog

    def pull(self) -> "Job | None":
        """The next target as a job, if there is one and room for it."""
        if self._open >= self._window or self._exhausted:
            return None
        target = next(self.targets, None)
        if target is None:
            self._exhausted = True
            return None
        self._open += 1
        return Job(self, target)

    def put(self, target: Target, outcome: Outcome[T]) -> None:
        """A target has its fate."""
        self._outcomes.append((target, outcome))
        self._news.set()

    def fail(self, error: BaseException) -> None:
        """Something is wrong that is not a server's doing: `next` raises it."""
        self._error = self._error or error
        self._news.set()

    async def next(self) -> tuple[Target, Outcome[T]] | None:
        """Waits for an outcome; None if all have been taken."""
        while not self._outcomes and self._error is None:
            if not self._open:
                return None
            self._news.clear()
            await self._news.wait()
        if self._error is not None:
            raise self._error
        self._open -= 1
        return self._outcomes.popleft()


class Job:
    """A target on its way, with what has happened to it so far."""

    __slots__ = (
        "batch",
        "began",
        "facts",
        "hops",
        "place",
        "reason",
        "received",
        "seconds",
        "signals",
        "target",
        "tries",
        "url",
        "verdict",
    )

    def __init__(self, batch: Batch[Any], target: Target):
        self.batch = batch
        self.target = target
        self.url = target.url
        """To be asked for next: the target's, or where a redirect leads."""
        self.place: Place | None = None
        """The same, taken apart."""
        self.hops = 0
        """Redirects followed."""
        self.tries = 0
        """Failed tries."""
        self.began: float | None = None
        """When the first request started."""
        self.seconds = 0.0
        """Time spent in requests of this try."""
        self.received = 0
        """Body bytes, of all requests together."""
        self.facts = Facts()
        """Of the last response."""
        self.reason: Reason | None = None
        """Why the last try failed."""
        self.signals: dict[Signal, None] | None = None
        """What was read about mining and training, in that order; None before a verdict."""

        self.verdict: Awaitable[Verdict] | None = None
        """On the last response, as soon as it is there."""

    def heard(self, verdict: Verdict) -> None:
        """Notes the signals of a verdict, each once."""
        if verdict.signals is not None:
            self.signals = (self.signals or {}) | dict.fromkeys(verdict.signals)
