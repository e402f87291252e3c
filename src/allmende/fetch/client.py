"""The polite client: URLs in, outcomes out, all limits in one place.

A URL's way: `guard` takes it apart, `permission` is asked, it queues for its host in the `frontier`, which looks up the
host's addresses; when its turn comes, `wire` exchanges request and response with a judged address, `permission` and
`kind` see the headers and the first bytes, and the whole body goes to the caller's handler. A redirect starts the way
anew. All of it is callbacks on one event loop; only look-ups and handlers are tasks.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from allmende.errors import RecipeError
from allmende.fetch.agent import check_contact, user_agent
from allmende.fetch.batch import Batch, Job
from allmende.fetch.body import Body, Headers, first
from allmende.fetch.budget import Budget
from allmende.fetch.dns import Answer, Resolver
from allmende.fetch.exchange import Exchange
from allmende.fetch.frontier import Frontier, Line, Turn
from allmende.fetch.guard import Guard, redirect_target
from allmende.fetch.kind import IMAGES, Kind
from allmende.fetch.outcome import REDIRECTS, Facts, Fetched, Outcome, Target, may_pass
from allmende.fetch.politeness import Signal, parse_retry_after, signal
from allmende.fetch.wire import Wire
from allmende.permission import Permission, Verdict
from allmende.permission import Signal as Statement
from allmende.recipe import Fetch
from allmende.schema import Reason

__all__ = ["Client", "Fetched", "Outcome", "Target", "check_contact", "user_agent"]

T = TypeVar("T")

WINDOW = 4_096
"""URLs looked ahead, beside four for each request under way: enough to find other hosts behind a long queue of one."""

BACKLOG = 512
"""Outcomes that may wait for the caller."""


class Client:
    """Fetches URLs politely. An async context manager; belongs to one event loop.

    Args:
        config: `fetch` of the recipe.
        agent: The User-Agent header; from `user_agent`.
        permission: Asked before each request and with each response.
        nameservers: `address` or `address:port` of name servers to ask instead of the system's.

    Raises:
        RecipeError: Limits of the recipe contradict each other or the system's.
    """

    def __init__(self, config: Fetch, agent: str, permission: Permission, *, nameservers: tuple[str, ...] = ()):
        if config.bytes_in_flight < 2 * config.max_bytes:
            raise RecipeError(
                f"fetch.bytes_in_flight = {config.bytes_in_flight} is too small for fetch.max_bytes = "
                f"{config.max_bytes}: a compressed body may need twice that. Raise the one or lower the other."
            )
        self._config = config
        self._agent = agent
        self._permission = permission
        self._nameservers = nameservers
        self._guard = Guard(config.ports, config.allow_addresses)
        self._budget = Budget(config.bytes_in_flight, 2 * config.max_bytes)
        self._frontier: Frontier[Job] = Frontier(config)
        self._batches: set[Batch[Any]] = set()
        self._running: dict[Exchange, Turn[Job]] = {}
        self._handed = 0
        """Bodies that handlers have; not more than requests may be under way, or memory would fill with what waits."""
        self._look_ups: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._wire = Wire(self._config, self._agent, self._fail)
        self._resolver = Resolver(self._config.connect_seconds, self._nameservers, clock=self._clock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for batch in list(self._batches):
            self._forget(batch)
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._look_ups:
            task.cancel()
        await asyncio.gather(*self._look_ups, return_exceptions=True)
        await self._resolver.close()
        await self._wire.close()

    async def run(
        self,
        targets: Iterable[Target],
        handle: Callable[[Fetched], Awaitable[T | Reason]],
        kind: Kind = IMAGES,
        permission: Permission | None = None,
    ) -> AsyncIterator[tuple[Target, Outcome[T]]]:
        """Fetches all targets; yields each with its outcome, as they come.

        May be called several times at once: all calls share limits and what is known of hosts.

        Args:
            targets: Pulled lazily, some thousands ahead.
            handle: Called with each whole, permitted body; returns what to make of it, or a Reason. The body counts as
                bytes in flight until it returns. What it raises ends this call.
            kind: Which media are wanted.
            permission: Asked instead of the client's.
        """
        permission = permission or self._permission
        batch = Batch(iter(targets), handle, kind, permission, 4 * self._config.concurrency + WINDOW, BACKLOG)
        self._batches.add(batch)
        try:
            self._feed(batch)
            while (settled := await batch.next()) is not None:
                self._feed(batch)
                yield settled
        finally:
            self._forget(batch)
            await asyncio.gather(*batch.tasks, return_exceptions=True)

    def _feed(self, batch: Batch[T]) -> None:
        """Pulls what there is room for."""
        if batch.parked and not batch.full:
            now = self._clock()
            while batch.parked:
                parked = batch.parked.pop()
                assert parked.place is not None
                if not self._frontier.add(parked.place.host, parked, now, first=True):
                    self._give_up(parked)
        while (job := batch.pull()) is not None:
            self._admit(job)
        self._pump()

    def _admit(self, job: Job) -> None:
        """First steps of a URL; also of one that a redirect leads to."""
        place = self._guard.check(job.url)
        if isinstance(place, Reason):
            self._finish(job, place)
            return
        job.place = place
        verdict = job.batch.permission.before(place.url)
        if isinstance(verdict, Verdict):
            self._line_up(job, verdict)
        else:
            self._spawn(self._line_up_later(job, verdict), job.batch.tasks, job.batch.fail)

    async def _line_up_later(self, job: Job, verdict: Awaitable[Verdict]) -> None:
        """Asks for the URL as soon as that is allowed.

        It is asked for anew if its headers named a licence that was not known: such a response is given up, because a
        body that waits in memory for another host could hold up all others. The next one finds the licence known.
        """
        self._line_up(job, await verdict)
        self._pump()

    def _line_up(self, job: Job, verdict: Verdict) -> None:
        assert job.place is not None
        job.heard(verdict)
        if not verdict.allowed:
            self._finish(job, verdict.reason)
        elif not self._frontier.add(job.place.host, job, self._clock(), first=job.hops > 0):
            self._give_up(job)

    def _pump(self) -> None:
        """Starts what may start now. To be called whenever something has changed."""
        if self._closed:
            return
        now = self._clock()
        wake = None
        most = self._config.concurrency
        while max(len(self._running), self._handed) < most and not self._budget.waiting:
            turn = self._frontier.pick(now)
            if turn is None:
                wake = self._frontier.wakes()
                break
            if turn.job.batch.full:
                self._frontier.give_back(turn, now)
                turn.job.batch.parked.append(turn.job)
            else:
                self._start(turn)
        for line in self._frontier.take_unresolved():
            self._spawn(self._resolve(line), self._look_ups, self._fail)
        self._set_timer(wake)

    def _set_timer(self, wake: float | None) -> None:
        """Pumps again when the next sleeping host wakes. While all is taken, the end of a request pumps."""
        if self._timer is not None:
            if self._timer.when() == wake:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(wake, self._woken) if wake is not None else None

    def _woken(self) -> None:
        self._timer = None
        self._pump()

    async def _resolve(self, line: Line[Job]) -> None:
        """Finds the addresses of a host."""
        if _is_address(line.name):
            answer = Answer((line.name,), None, float("inf"))
        else:
            answer = await self._resolver.resolve(line.name)
        permitted = tuple(address for address in answer.addresses if self._guard.permits(address))
        if permitted:
            self._frontier.resolved(line, permitted, answer.expires, self._clock())
        else:
            for job in self._frontier.unresolvable(line, self._clock()):
                self._finish(job, answer.reason or Reason.ADDRESS_REFUSED)
        self._pump()

    def _start(self, turn: Turn[Job]) -> None:
        job = turn.job
        assert job.place is not None
        if job.began is None:
            job.began = turn.started
        judge = partial(self._judge, job)
        body = Body(self._budget, self._config.max_bytes, job.batch.kind, lambda: self._wire.resume(exchange))
        seconds = self._config.total_seconds - job.seconds
        exchange = Exchange(job.place, turn.address, body, judge, self._config, seconds, self._clock)
        self._running[exchange] = turn
        self._wire.start(exchange, job.batch.kind.accept, self._ended)

    def _judge(self, job: Job, url: str, headers: Headers) -> Reason | None:
        try:
            verdict = job.batch.permission.after(url, headers)
            if not isinstance(verdict, Verdict):
                job.verdict = asyncio.ensure_future(verdict)
                return Reason.PERMISSION_DENIED  # for now: see `_decide`
        except BaseException as error:  # libcurl, from which this is called, would swallow it
            self._fail(error)
            raise
        job.heard(verdict)
        return None if verdict.allowed else verdict.reason

    def _ended(self, exchange: Exchange, body: bytes) -> None:
        """An exchange is over: tells the host's line, and decides what becomes of the job."""
        if self._closed:
            return
        turn = self._running.pop(exchange)
        try:
            self._settle(turn, exchange, body)
        except BaseException as error:  # only a bug gets here, and nobody should wait for what it has lost
            self._fail(error)
            raise
        self._pump()

    def _settle(self, turn: Turn[Job], exchange: Exchange, body: bytes) -> None:
        now = self._clock()
        what = signal(exchange.status, exchange.reason, exchange.first_byte, self._config)
        wait = _retry_after(exchange.headers) if what is Signal.ANGRY else None
        for job in self._frontier.ended(turn, what, now, wait):
            self._give_up(job)
        if turn.job.batch.closed:
            exchange.body.drop()
        else:
            self._decide(turn, exchange, body, wait)

    def _decide(self, turn: Turn[Job], exchange: Exchange, body: bytes, wait: float | None) -> None:
        job, now = turn.job, self._clock()
        job.seconds += now - exchange.started
        job.received += exchange.body.received
        job.facts = self._facts(job, exchange, now)
        location = first(exchange.headers, "location") if exchange.status in REDIRECTS else None
        if location:
            self._redirect(job, location)
        elif job.verdict is not None:
            verdict, job.verdict = job.verdict, None
            self._spawn(self._line_up_later(job, verdict), job.batch.tasks, job.batch.fail)
        elif exchange.reason is None:
            self._hand_over(job, exchange, body)
        elif job.tries < self._retries(turn, exchange) and may_pass(exchange.reason, exchange.status):
            self._retry(job, exchange.reason, now, wait)
        else:
            self._finish(job, exchange.reason)

    def _retries(self, turn: Turn[Job], exchange: Exchange) -> int:
        most = turn.job.target.unanswered
        if most is None or exchange.status is not None:
            return self._config.retries
        if exchange.reason is Reason.TIMEOUT_CONNECT and turn.line.tried >= len(turn.line.addresses):
            return 0
        return min(most, self._config.retries)

    def _redirect(self, job: Job, location: str) -> None:
        job.hops += 1
        url = redirect_target(job.url, location)
        if job.hops > max(self._config.max_redirects, job.batch.kind.redirects):
            self._finish(job, Reason.REDIRECTS_TOO_MANY)
        elif url is None:
            self._finish(job, Reason.REDIRECT_INVALID)
        else:
            job.url = url
            self._admit(job)

    def _retry(self, job: Job, reason: Reason, now: float, wait: float | None) -> None:
        assert job.place is not None
        jitter = 0.5 + random.random()  # noqa: S311 - to spread retries, not to keep secrets
        pause = self._config.retry_seconds * 2**job.tries * jitter
        job.tries += 1
        job.seconds = 0.0
        job.reason = reason
        if not self._frontier.add_again(job.place.host, job, now + (pause if wait is None else wait), now):
            self._give_up(job)

    def _hand_over(self, job: Job, exchange: Exchange, body: bytes) -> None:
        self._handed += 1
        task = self._spawn(self._handle(job, exchange, body), job.batch.tasks, job.batch.fail)
        task.add_done_callback(partial(self._handed_back, exchange))

    async def _handle(self, job: Job, exchange: Exchange, body: bytes) -> None:
        fetched = Fetched(url=job.target.url, body=body, facts=job.facts, address=exchange.address)
        job.batch.put(job.target, Outcome.of(job.facts, await job.batch.handle(fetched)))

    def _handed_back(self, exchange: Exchange, _: "asyncio.Task[None]") -> None:
        self._handed -= 1
        exchange.body.drop()
        self._pump()

    def _give_up(self, job: Job) -> None:
        """The host is set aside: what was tried keeps its reason."""
        self._finish(job, job.reason or Reason.HOST_SET_ASIDE)

    def _finish(self, job: Job, reason: Reason) -> None:
        facts = msgspec.structs.replace(job.facts, signals=_all(job.signals))
        job.batch.put(job.target, Outcome(facts=facts, reason=reason))

    def _facts(self, job: Job, exchange: Exchange, now: float) -> Facts:
        """Of this response; if there was none, those of the last one, with the clock put forward."""
        assert job.began is not None
        headers = exchange.headers
        facts = (
            job.facts
            if exchange.status is None
            else Facts(
                final_url=exchange.place.url,
                http_status=exchange.status,
                content_type=first(headers, "content-type"),
                x_robots_tag="\n".join(headers["x-robots-tag"]) if "x-robots-tag" in headers else None,
                last_modified=first(headers, "last-modified"),
                etag=first(headers, "etag"),
            )
        )
        milliseconds = round((now - job.began) * 1_000)
        return msgspec.structs.replace(
            facts,
            fetched_at=datetime.now(UTC),
            fetch_ms=milliseconds,
            bytes_received=job.received,
            signals=_all(job.signals),
        )

    def _spawn(
        self, work: Any, tasks: set[asyncio.Task[None]], failed: Callable[[BaseException], None]
    ) -> asyncio.Task[None]:
        """Runs a coroutine whose failure would be a bug, or a handler's."""
        task = self._loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(partial(_reap, tasks, failed))
        return task

    def _fail(self, error: BaseException) -> None:
        for batch in self._batches:
            batch.fail(error)

    def _forget(self, batch: Batch[Any]) -> None:
        """Ends what is left of a batch, if its caller takes no more outcomes."""
        self._batches.discard(batch)
        batch.closed = True
        for task in batch.tasks:
            task.cancel()
        if batch.over:  # which spares the frontier a look at every host, for each small batch
            return
        self._frontier.discard(lambda job: job.batch is batch)
        for exchange, turn in list(self._running.items()):
            if turn.job.batch is batch:
                self._wire.stop(exchange, Reason.CONNECTION_LOST)


def _all(signals: dict[Statement, None] | None) -> tuple[Statement, ...] | None:
    return None if signals is None else tuple(signals)


def _reap(tasks: set[asyncio.Task[None]], failed: Callable[[BaseException], None], task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        failed(error)


def _retry_after(headers: Headers) -> float | None:
    value = first(headers, "retry-after")
    return parse_retry_after(value, first(headers, "date")) if value else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
