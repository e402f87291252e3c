"""Pages in, tables of candidates out: each image is judged, named and put in a column store, with the facts of its page.

Rows are collected as Python objects and turned into Arrow by column, `ROWS` at a time: a row in Arrow takes a third of
its objects' memory, and a hash or a lookup over a list costs half of what it costs amid other work.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from allmende.extract.judge import Judge, Verdict
from allmende.extract.page import Link, Page
from allmende.extract.urls import split_host
from allmende.identity import key64, uid
from allmende.permission.licences import license_id
from allmende.safety.personal import Counts, replace_in, total
from allmende.schema import CANDIDATES, REASON_FIELD, WORDS, Reason


def python_row_names(urls: list[str], captions: list[str]) -> tuple[bytes, bytes, bytes, bytes]:
    """What `allmende.extract.row_names` makes ten times as fast."""
    uids = bytes.fromhex("".join(map(uid, urls, captions)))
    return uids, _keys(urls), _keys(map(split_host, urls)), _keys(map(str.lower, captions))


def _keys(texts: Iterable[str]) -> bytes:
    return b"".join(key64(text).to_bytes(8) for text in texts)


try:
    from allmende.extract.row_names import row_names
except ImportError:  # no compiler was there when this was installed
    row_names = python_row_names

ROWS = 200_000
"""Rows in a batch, at least, but for the last: some 100 MB."""

_ROWS_AT_ONCE = 2_000
"""Rows that become Arrow together: their objects take about a megabyte."""

TEXTS = ("caption", *WORDS, "text_before", "text_after")
"""Columns in which personal data is replaced."""

DROPPED = CANDIDATES.append(REASON_FIELD)
"""Columns of the rows that the judge dropped. They have no caption, and the `uid` of an empty one."""


class Count(msgspec.Struct):
    """How many of one kind of thing there were, and what became of them: `seen == kept + sum(dropped.values())`."""

    seen: int = 0
    kept: int = 0
    dropped: dict[Reason, int] = msgspec.field(default_factory=dict)

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count what is dropped."""
        self.dropped[reason] = self.dropped.get(reason, 0) + count


class Batch(NamedTuple):
    """Candidates of some pages, and what became of the rest."""

    kept: pa.Table
    """Columns of `schema.CANDIDATES`, in the order of the pages."""
    dropped: pa.Table | None
    """Columns of `DROPPED`, in the same order; None unless asked for."""
    records: Count
    """Captures: kept are those that are pages."""
    candidates: Count
    """Image links: kept are the rows of `kept`. Images without words or URL count as seen, too."""
    personal: Counts
    """Placeholders in all columns of `TEXTS`, of dropped rows too; empty unless asked for."""


def candidate_batches(
    items: Iterable[Page | Reason],
    judge: Judge,
    crawl: str | None = None,
    *,
    keep_dropped: bool = False,
    replace_personal: bool = False,
    rows: int = ROWS,
) -> Iterator[Batch]:
    """Judge every image of some pages and put them into tables.

    Args:
        items: What a reader yields: pages, and a Reason for each capture that is none.
        judge: Chooses the captions.
        crawl: Value of the column of that name.
        keep_dropped: Also make a table of the links that the judge drops.
        replace_personal: Put placeholders for personal data into captions and all other words. That is after they were
            judged, as their author wrote them, and before the uid is made: whoever has a row can make it again.
        rows: A batch is given out when it has so many rows.

    Yields:
        At least one batch; each has the counts of its own pages.
    """
    remaining = iter(items)
    more = True
    while more:
        collector = _Collector(judge, crawl, keep_dropped=keep_dropped, replace_personal=replace_personal)
        with _uncollected():
            more = collector.fill(remaining, rows)
            batch = collector.batch()
        yield batch


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause Python's cycle collector: rows make no cycles, and looking for them took a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Rows:
    """A table under construction. Rows become Arrow a few at a time, while their strings are in the processor's cache."""

    __slots__ = ("_counts", "_crawl", "_done", "_pages", "_replace", "_schema", "links", "personal", "verdicts")

    def __init__(self, schema: pa.Schema, crawl: str | None, *, replace_personal: bool) -> None:
        self._schema = schema
        self._crawl = crawl
        self._replace = replace_personal
        self.personal: Counts = {}
        self._done: list[pa.RecordBatch] = []
        self._clear()

    def _clear(self) -> None:
        self.links: list[Link] = []
        self.verdicts: list[Verdict] | list[Reason] = []
        self._pages: list[Page] = []
        self._counts: list[int] = []
        """Rows of each page."""

    def end_page(self, page: Page, before: int) -> None:
        """Note of which page the rows from number `before` on are."""
        if len(self.links) > before:
            self._pages.append(page)
            self._counts.append(len(self.links) - before)
            if len(self.links) >= _ROWS_AT_ONCE:
                self._flush()

    def _flush(self) -> None:
        size = len(self.links)
        columns = _link_columns(self.links) | _page_columns(self._pages, self._counts)
        dropped = "reason" in self._schema.names
        if dropped:
            columns["reason"] = [str(reason) for reason in self.verdicts]
        else:
            columns |= _verdict_columns(self.verdicts)  # type: ignore[arg-type]
        if self._replace:
            self.personal = total((self.personal, replace_in(columns, TEXTS)))
        columns |= _names(columns["url"], columns.get("caption") or [""] * size)
        if dropped:
            columns["caption_key"] = None
        columns |= {"crawl": pa.repeat(pa.scalar(self._crawl, pa.string()), size), "seen": np.ones(size, np.int32)}
        arrays = [_array(columns.get(field.name), field.type, size) for field in self._schema]
        self._done.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._clear()

    def table(self) -> pa.Table:
        """All rows."""
        self._flush()
        return pa.Table.from_batches(self._done, self._schema)


class _Collector:
    """Judges pages, and keeps what a batch is made of."""

    __slots__ = ("_judge", "_keep_dropped", "candidates", "dropped", "kept", "records", "rows")

    def __init__(self, judge: Judge, crawl: str | None, *, keep_dropped: bool, replace_personal: bool) -> None:
        self._judge = judge
        self._keep_dropped = keep_dropped
        self.records, self.candidates = Count(), Count()
        self.kept = _Rows(CANDIDATES, crawl, replace_personal=replace_personal)
        self.dropped = _Rows(DROPPED, crawl, replace_personal=replace_personal)
        self.rows = 0

    def fill(self, items: Iterator[Page | Reason], rows: int) -> bool:
        """Add pages until there are so many rows; False if there are no more pages."""
        for item in items:
            self.records.seen += 1
            if isinstance(item, Reason):
                self.records.drop(item)
                continue
            self.records.kept += 1
            self._add(item)
            if self.rows >= rows:
                return True
        return False

    def _add(self, page: Page) -> None:
        judge, links, verdicts = self._judge, self.kept.links, self.kept.verdicts
        before, before_dropped = len(links), len(self.dropped.links)
        for link in page.images:
            verdict = judge(link.url, link.words)
            if isinstance(verdict, Verdict):
                links.append(link)
                verdicts.append(verdict)  # type: ignore[arg-type]
            else:
                self.candidates.drop(verdict)
                if self._keep_dropped:
                    self.dropped.links.append(link)
                    self.dropped.verdicts.append(verdict)  # type: ignore[arg-type]
        kept, dropped = len(links) - before, len(self.dropped.links) - before_dropped
        self.rows += kept + dropped
        self.candidates.seen += len(page.images)
        self.candidates.kept += kept
        for reason, count in page.dropped.items():
            self.candidates.seen += count
            self.candidates.drop(reason, count)
        self.kept.end_page(page, before)
        self.dropped.end_page(page, before_dropped)

    def batch(self) -> Batch:
        """What was collected."""
        kept = self.kept.table()
        dropped = self.dropped.table() if self._keep_dropped else None
        personal = total((self.kept.personal, self.dropped.personal))
        return Batch(kept, dropped, self.records, self.candidates, personal)


def _array(values: Any, kind: pa.DataType, size: int) -> pa.Array:
    if values is None:
        return pa.nulls(size, kind)
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _verdict_columns(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "caption": [verdict.caption for verdict in verdicts],
        "caption_source": [verdict.source for verdict in verdicts],
        "language": [verdict.language for verdict in verdicts],
        "language_score": [verdict.language_score for verdict in verdicts],
    }


def _link_columns(links: list[Link]) -> dict[str, Any]:
    words = [link.words for link in links]
    used: set[str] = set().union(*words)
    columns: dict[str, Any] = {name: [of.get(name) for of in words] for name in used}
    columns["url"] = [link.url for link in links]
    columns["found_in"] = [link.found_in for link in links]
    if any(link.text_before or link.text_after for link in links):
        columns["text_before"] = [link.text_before or None for link in links]
        columns["text_after"] = [link.text_after or None for link in links]
    return columns


def _page_columns(pages: list[Page], counts: list[int]) -> dict[str, Any]:
    facts = [page.facts for page in pages]
    told: dict[str, list[Any]] = {
        "page_url": [page.url for page in pages],
        "page_language": [of.language for of in facts],
        "page_license": [of.license for of in facts],
        "page_license_id": [of.license and license_id(of.license) for of in facts],
        "page_robots": [of.robots for of in facts],
        "page_x_robots_tag": [of.x_robots_tag for of in facts],
        "page_tdm_reservation": [of.tdm_reservation for of in facts],
        "page_tdm_policy": [of.tdm_policy for of in facts],
        "page_content_usage": [of.content_usage for of in facts],
        "page_rsl": [of.rsl for of in facts],
        "warc_file": [page.warc_file for page in pages],
        "warc_offset": [page.warc_offset for page in pages],
        "warc_length": [page.warc_length for page in pages],
        "captured_at": [page.captured_at for page in pages],
    }
    arrays = {
        name: pa.array(values, CANDIDATES.field(name).type)
        for name, values in told.items()
        if any(value is not None for value in values)
    }
    index = pa.array(np.repeat(np.arange(len(pages)), counts))
    rows = pa.RecordBatch.from_arrays([*arrays.values()], names=[*arrays]).take(index)
    return dict(zip(arrays, rows.columns, strict=True))


def _names(urls: list[str], captions: list[str]) -> dict[str, Any]:
    """The uids and 64-bit keys of URLs, hosts and captions, as `allmende.identity` defines them."""
    uids, *digests = row_names(urls, captions)
    ends = np.arange(0, 32 * len(urls) + 1, 32, dtype=np.int32)
    column = pa.StringArray.from_buffers(len(urls), pa.py_buffer(ends), pa.py_buffer(uids.hex().encode()))
    names = ("url_key", "host_key", "caption_key")
    keys = (np.frombuffer(digest, ">u8").astype(np.uint64) for digest in digests)
    return {"uid": column, **dict(zip(names, keys, strict=True))}
