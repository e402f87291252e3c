"""Archive mode: the bytes of images come from the WARC files that the candidates come from, and no server is asked.

Stands in for `fetch.client.Client`: the same `run`, the same outcomes. Meant for own crawls and national archives,
which hold the images of their pages.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from allmende.commoncrawl.source import read_range
from allmende.commoncrawl.warc import WarcCapture, read_capture
from allmende.errors import SourceMissing
from allmende.extract.page import parse_date
from allmende.fetch.agent import user_agent
from allmende.fetch.kind import IMAGES
from allmende.fetch.outcome import Facts, Fetched, Outcome, Target
from allmende.identity import key64
from allmende.lake import Lake
from allmende.permission import Permission, Signal, Verdict
from allmende.recipe import Recipe
from allmende.schema import CAPTURES, Reason
from allmende.steps.buckets import BucketReader

T = TypeVar("T")

AT_ONCE = 16
"""Records read at once: local disks and object stores both like some company."""


class ArchiveSource:
    """Takes captures from archives. An async context manager, as `Client` is.

    Args:
        lake: The dataset whose candidates were read from the archives.
        buckets: The buckets whose URLs will be asked for: number, and how many there are.
        recipe: For the caps on size and the retries.
        permission: Asked with the captured headers.
    """

    def __init__(self, lake: Lake, buckets: set[tuple[int, int]], recipe: Recipe, permission: Permission):
        self._recipe = recipe
        self._permission = permission
        rows = BucketReader(lake, lake.step("candidates").files(".captures.parquet"), CAPTURES)
        tables = [rows.read(*bucket) for bucket in sorted(buckets)]
        # Of several captures of a URL the oldest is taken, of equally old ones the first in the archives' order.
        order = [
            ("url_key", "ascending"),
            ("captured_at", "ascending"),
            ("archive", "ascending"),
            ("offset", "ascending"),
        ]
        self._rows = pa.concat_tables([CAPTURES.empty_table(), *tables]).sort_by(order)
        self._keys = self._rows.column("url_key").to_numpy()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    async def run(
        self, targets: Iterable[Target], handle: Callable[[Fetched], Awaitable[T | Reason]]
    ) -> AsyncIterator[tuple[Target, Outcome[T]]]:
        """Yields each target with its outcome, as they come; see `Client.run`."""
        under_way: set[asyncio.Task[tuple[Target, Outcome[T]]]] = set()
        try:
            for target in targets:
                under_way.add(asyncio.create_task(self._one(target, handle)))
                if len(under_way) >= AT_ONCE:
                    done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        yield task.result()
            for settled in asyncio.as_completed(under_way):
                yield await settled
        finally:
            for task in under_way:
                task.cancel()

    async def _one(
        self, target: Target, handle: Callable[[Fetched], Awaitable[T | Reason]]
    ) -> tuple[Target, Outcome[T]]:
        capture = await asyncio.to_thread(self._capture, target.url)
        if isinstance(capture, Reason):
            return target, Outcome(facts=Facts(final_url=target.url), reason=capture)
        before = await _now(self._permission.before(target.url))
        if not before.allowed:
            return target, Outcome(facts=Facts(signals=before.signals), reason=before.reason)
        headers = _headers(capture)
        after = await _now(self._permission.after(target.url, headers))
        facts = Facts(
            final_url=target.url,
            http_status=200,
            content_type=_joined(headers, "content-type"),
            x_robots_tag=_joined(headers, "x-robots-tag"),
            last_modified=_joined(headers, "last-modified"),
            etag=_joined(headers, "etag"),
            bytes_received=len(capture.body),
            signals=_dated((*(before.signals or ()), *(after.signals or ())), capture.date),
        )
        if not after.allowed:
            return target, Outcome(facts=facts, reason=after.reason)
        refusal = IMAGES.judge(facts.content_type, capture.body[:64])
        if refusal is not None:
            return target, Outcome(facts=facts, reason=refusal)
        fetched = Fetched(url=target.url, body=bytes(capture.body), facts=facts, address="")
        return target, Outcome.of(facts, await handle(fetched))

    def _capture(self, url: str) -> WarcCapture | Reason:
        at = int(np.searchsorted(self._keys, np.uint64(key64(url))))
        if at == len(self._keys) or self._rows.column("url")[at].as_py() != url:
            return Reason.CAPTURE_MISSING
        row = self._rows.slice(at, 1).to_pylist()[0]
        select, agent = self._recipe.select, user_agent(self._recipe.dataset.contact)
        place = row["archive"], row["offset"], row["length"]
        try:
            record = read_range(*place, retries=select.retries, cache=select.cache, agent=agent)
        except SourceMissing:
            return Reason.CAPTURE_MISSING
        return read_capture(record, self._recipe.fetch.max_bytes)


async def _now(verdict: Verdict | Awaitable[Verdict]) -> Verdict:
    """A verdict, or one that takes time."""
    return verdict if isinstance(verdict, Verdict) else await verdict


def _dated(signals: tuple[Signal, ...], captured: str) -> tuple[Signal, ...]:
    """Signals of headers are as old as the capture, whenever they are read."""
    at = parse_date(captured)
    return tuple(msgspec.structs.replace(s, at=at) if s.field.startswith("header:") else s for s in signals)


def _headers(capture: WarcCapture) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in capture.headers.items():
        found.setdefault(name.lower(), []).extend([value] if isinstance(value, str) else value)
    return found


def _joined(headers: dict[str, list[str]], name: str) -> str | None:
    return "\n".join(headers[name]) if name in headers else None
