"""Pages in, tables of candidates out: each image is judged, named and put in a column store, with the facts of its page.

Rows are collected as Python objects and turned into Arrow by column, `ROWS` at a time: a row in Arrow takes a third of
its objects' memory, and a hash or a lookup over a list costs half of what it costs amid other work.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allmende.extract.judge import Judge, Verdict
from allmende.extract.page import Link, Page
from allmende.extract.urls import split_host
from allmende.schema import CANDIDATES, REASON_FIELD, WORDS, Reason

ROWS = 200_000
"""Rows in a batch, at least, but for the last: some 100 MB."""

DROPPED = CANDIDATES.append(REASON_FIELD)
"""Columns of the rows that the judge dropped. They have no caption, and the `uid` of an empty one."""


class Count(msgspec.Struct):
    """How many of one kind of thing there were, and what became of them: `seen == kept + sum(dropped.values())`."""

    seen: int = 0
    kept: int = 0
    dropped: Counter[Reason] = msgspec.field(default_factory=Counter)


class Batch(NamedTuple):
    """Candidates of some pages, and what became of the rest."""

    kept: pa.Table
    """Columns of `schema.CANDIDATES`, sorted by (`host_key`, `url_key`, `uid`)."""
    dropped: pa.Table | None
    """Columns of `DROPPED`, sorted the same way; None unless asked for."""
    records: Count
    """Captures: kept are those that are pages."""
    candidates: Count
    """Image links: kept are the rows of `kept`. Images without words or URL count as seen, too."""


def candidate_batches(
    items: Iterable[Page | Reason],
    judge: Judge,
    crawl: str | None = None,
    *,
    keep_dropped: bool = False,
    rows: int = ROWS,
) -> Iterator[Batch]:
    """Judge every image of some pages and put them into tables.

    Args:
        items: What a reader yields: pages, and a Reason for each capture that is none.
        judge: Chooses the captions.
        crawl: Value of the column of that name.
        keep_dropped: Also make a table of the links that the judge drops.
        rows: A batch is given out when it has so many rows.

    Yields:
        At least one batch; each has the counts of its own pages.
    """
    collector = _Collector(judge, crawl, keep_dropped=keep_dropped)
    for item in items:
        collector.add(item)
        if collector.rows >= rows:
            yield collector.take()
    yield collector.take()


class _Rows:
    """Links with their verdicts, and of which page they are."""

    __slots__ = ("counts", "links", "pages", "verdicts")

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.verdicts: list[Verdict | Reason] = []
        self.pages: list[Page] = []
        self.counts: list[int] = []

    def end_page(self, page: Page, before: int) -> None:
        if len(self.links) > before:
            self.pages.append(page)
            self.counts.append(len(self.links) - before)


class _Collector:
    __slots__ = ("_crawl", "_judge", "_keep_dropped", "candidates", "dropped", "kept", "records")

    def __init__(self, judge: Judge, crawl: str | None, *, keep_dropped: bool) -> None:
        self._judge = judge
        self._crawl = crawl
        self._keep_dropped = keep_dropped
        self._clear()

    def _clear(self) -> None:
        self.kept, self.dropped = _Rows(), _Rows()
        self.records, self.candidates = Count(), Count()

    @property
    def rows(self) -> int:
        return len(self.kept.links) + len(self.dropped.links)

    def add(self, item: Page | Reason) -> None:
        self.records.seen += 1
        if isinstance(item, Reason):
            self.records.dropped[item] += 1
        else:
            self.records.kept += 1
            self._add_page(item)

    def _add_page(self, page: Page) -> None:
        judge, kept, dropped = self._judge, self.kept, self.dropped
        before = len(kept.links), len(dropped.links)
        reasons = []
        for link in page.images:
            verdict = judge(link.url, link.words)
            if isinstance(verdict, Verdict):
                kept.links.append(link)
                kept.verdicts.append(verdict)
            else:
                reasons.append(verdict)
                if self._keep_dropped:
                    dropped.links.append(link)
                    dropped.verdicts.append(verdict)
        kept.end_page(page, before[0])
        dropped.end_page(page, before[1])
        self.candidates.seen += len(page.images) + sum(page.dropped.values())
        self.candidates.kept += len(kept.links) - before[0]
        self.candidates.dropped.update(page.dropped)
        self.candidates.dropped.update(reasons)

    def take(self) -> Batch:
        """What was collected since the last time."""
        kept = _table(self.kept, self._crawl)
        dropped = None
        if self._keep_dropped:
            reasons = pa.array([str(reason) for reason in self.dropped.verdicts], REASON_FIELD.type)
            dropped = _table(self.dropped, self._crawl, reasons)
        batch = Batch(kept, dropped, self.records, self.candidates)
        self._clear()
        return batch


def _table(rows: _Rows, crawl: str | None, reasons: pa.Array | None = None) -> pa.Table:
    size = len(rows.links)
    schema = CANDIDATES if reasons is None else DROPPED
    columns = _link_columns(rows.links) | _page_columns(rows)
    if reasons is None:
        captions = [verdict.caption for verdict in rows.verdicts]  # type: ignore[union-attr]
        columns |= _verdict_columns(rows.verdicts)  # type: ignore[arg-type]
    else:
        captions = [""] * size
        columns |= {"reason": reasons}
    names, keys = _keys([link.url for link in rows.links], captions)
    columns |= {name: pa.array(values) for name, values in keys.items()}
    columns |= {"uid": _hex(names), "crawl": [crawl] * size, "seen": pa.array(np.ones(size, np.int32))}
    arrays = [_array(columns.get(field.name), field.type, size) for field in schema]
    halves = np.frombuffer(names, ">u8").astype(np.uint64).reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0], keys["url_key"], keys["host_key"]))
    return pa.Table.from_arrays(arrays, schema=schema).take(pa.array(order))


def _array(values: Any, kind: pa.DataType, size: int) -> pa.Array:
    if values is None:
        return pa.nulls(size, kind)
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _link_columns(links: Sequence[Link]) -> dict[str, Any]:
    words = [link.words for link in links]
    used: set[str] = set().union(*words)
    columns: dict[str, Any] = {name: [of.get(name) for of in words] for name in WORDS if name in used}
    columns["url"] = [link.url for link in links]
    columns["found_in"] = [link.found_in for link in links]
    columns["text_before"] = [link.text_before or None for link in links]
    columns["text_after"] = [link.text_after or None for link in links]
    return columns


def _verdict_columns(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    names = ("caption", "caption_source", "language", "language_score")
    return dict(zip(names, zip(*verdicts, strict=True), strict=True)) if verdicts else {}


def _page_columns(rows: _Rows) -> dict[str, Any]:
    pages, facts = rows.pages, [page.facts for page in rows.pages]
    told = {
        "page_url": [page.url for page in pages],
        "page_language": [of.language for of in facts],
        "page_license": [of.license for of in facts],
        "page_robots": [of.robots for of in facts],
        "page_x_robots_tag": [of.x_robots_tag for of in facts],
        "page_tdm_reservation": [of.tdm_reservation for of in facts],
        "page_tdm_policy": [of.tdm_policy for of in facts],
        "warc_file": [page.warc_file for page in pages],
        "warc_offset": [page.warc_offset for page in pages],
        "warc_length": [page.warc_length for page in pages],
        "captured_at": [page.captured_at for page in pages],
    }
    index = pa.array(np.repeat(np.arange(len(pages)), rows.counts))
    return {name: pa.array(values, CANDIDATES.field(name).type).take(index) for name, values in told.items()}


def _keys(urls: list[str], captions: list[str]) -> tuple[bytes, dict[str, npt.NDArray[np.uint64]]]:
    """The uids of `allmende.identity`, 16 bytes each, and its 64-bit keys of URLs, hosts and captions."""
    encoded = [url.encode() for url in urls]
    names = _digests(
        16, (b"%b\0%b" % pair for pair in zip(encoded, [caption.encode() for caption in captions], strict=True))
    )
    netlocs = [url.split("/", 3)[2] for url in urls]
    hosts = dict(zip(netlocs, urls, strict=True))
    places = {netloc: place for place, netloc in enumerate(hosts)}
    of_host = _numbers(_digests(8, (split_host(url).encode() for url in hosts.values())))
    return names, {
        "url_key": _numbers(_digests(8, encoded)),
        "host_key": of_host[np.fromiter((places[netloc] for netloc in netlocs), np.int64, len(urls))],
        "caption_key": _numbers(_digests(8, (caption.lower().encode() for caption in captions))),
    }


def _digests(size: int, texts: Iterable[bytes]) -> bytes:
    """BLAKE2b digests, one behind the other. A copy of a hash is a third cheaper to make than a new one."""
    copy: Callable[[], blake2b] = blake2b(digest_size=size).copy
    found = []
    for text in texts:
        state = copy()
        state.update(text)
        found.append(state.digest())
    return b"".join(found)


def _numbers(digests: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(digests, ">u8").astype(np.uint64)


def _hex(digests: bytes) -> pa.Array:
    """Digests of 16 bytes each as a column of 32 hex digits each."""
    ends = np.arange(0, 2 * len(digests) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(digests.hex().encode()))
