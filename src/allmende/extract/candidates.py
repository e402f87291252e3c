"""Pages in, tables of candidates out: each image is judged, named and put in a column store, with the facts of its page.

Rows are collected as Python objects and turned into Arrow by column, `ROWS` at a time: a row in Arrow takes a third of
its objects' memory, and a hash or a lookup over a list costs half of what it costs amid other work.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allmende.extract.judge import Judge, Verdicts
from allmende.extract.page import LinkList, Page
from allmende.extract.urls import split_host
from allmende.identity import key64, uid
from allmende.permission.licences import license_id
from allmende.safety.personal import Counts, replace_column, total
from allmende.schema import CANDIDATES, REASON_FIELD, WORDS, Reason


def python_row_names(urls: pa.Array, captions: pa.Array) -> tuple[bytes, bytes, bytes, bytes]:
    """What `allmende.extract.row_names` makes ten times as fast."""
    of, words = urls.to_pylist(), captions.to_pylist()
    return (
        bytes.fromhex("".join(map(uid, of, words))),
        _keys(of),
        _keys(map(split_host, of)),
        _keys(map(str.lower, words)),
    )


def _keys(texts: Iterable[str]) -> bytes:
    return b"".join(key64(text).to_bytes(8) for text in texts)


try:
    from allmende.extract.row_names import row_names
except ImportError:  # no compiler was there when this was installed
    row_names = python_row_names

ROWS = 200_000
"""Rows in a batch, at least, but for the last: some 100 MB."""

_LINKS_AT_ONCE = 16_000
"""Links that become Arrow together: their objects take about ten megabytes."""

_RECORDS_AT_ONCE = 1 << 25
"""Bytes of the records that become Arrow together, at most about."""

_BATCH_BYTES = 1 << 29
"""A batch is given out when it has so many bytes, even if it has not `ROWS` rows yet."""

_PAGE_BYTES = 1 << 26
"""Most bytes that a page's links may take, with the words and facts that they share once for each."""

_HARMLESS = 1 << 24
"""Links times bytes of the record up to which nobody needs to look."""

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


class _Collector:
    """Judges pages, and keeps what a batch is made of."""

    __slots__ = (
        "_bytes",
        "_crawl",
        "_dropped",
        "_judge",
        "_kept",
        "_pages",
        "_replace",
        "candidates",
        "personal",
        "records",
        "rows",
    )

    def __init__(self, judge: Judge, crawl: str | None, *, keep_dropped: bool, replace_personal: bool) -> None:
        self._judge = judge
        self._crawl = crawl
        self._replace = replace_personal
        self._pages: list[Page] = []
        self._bytes = 0
        self._kept: list[pa.RecordBatch] = []
        self._dropped: list[pa.RecordBatch] | None = [] if keep_dropped else None
        self.records, self.candidates = Count(), Count()
        self.personal: Counts = {}
        self.rows = 0

    def fill(self, items: Iterator[Page | Reason], rows: int) -> bool:
        """Add pages until there are so many rows; False if there are no more pages."""
        links = size = 0
        for item in items:
            self.records.seen += 1
            if isinstance(item, Reason):
                self.records.drop(item)
                continue
            if _is_too_large(item):
                self.records.drop(Reason.RECORD_TOO_LARGE)
                continue
            self.records.kept += 1
            for reason, count in item.dropped.items():
                self.candidates.seen += count
                self.candidates.drop(reason, count)
            if item.images:
                self._pages.append(item)
                links += len(item.images)
                size += item.size
                if links >= min(rows, _LINKS_AT_ONCE) or size >= _RECORDS_AT_ONCE:
                    links = size = 0
                    self._take()
                    if self.rows >= rows or self._bytes >= _BATCH_BYTES:
                        return True
        self._take()
        return False

    def _take(self) -> None:
        """Judge the links of the pages that wait."""
        if not self._pages:
            return
        links, pages = _link_columns(self._pages), _page_columns(self._pages)
        self._pages = []
        verdicts = self._judge(links)
        rows = pa.RecordBatch.from_arrays([*links.columns, *verdicts], names=[*links.schema.names, *Verdicts._fields])
        self.candidates.seen += len(rows)
        self.candidates.kept += verdicts.reason.null_count
        for reason, count in Counter(verdicts.reason.drop_null().to_pylist()).items():
            self.candidates.drop(Reason[reason.upper()], count)
        if verdicts.reason.null_count < len(rows):
            is_kept = verdicts.reason.is_null()
            if self._dropped is not None:
                self._dropped.append(self._named(rows.filter(pc.invert(is_kept)), pages, DROPPED))
            rows = rows.filter(is_kept)
        self._kept.append(self._named(rows, pages, CANDIDATES))

    def _named(self, rows: pa.RecordBatch, pages: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """Rows of a table, from what is known of links and of their pages."""
        self.rows += len(rows)
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        columns |= zip(pages.schema.names, pages.take(columns["page"]).columns, strict=True)
        if self._replace:
            names = [name for name in TEXTS if name in columns]
            texts, counts = replace_column(pa.concat_arrays([columns[name] for name in names]))
            self.personal = total((self.personal, counts))
            columns |= {name: texts.slice(place * len(rows), len(rows)) for place, name in enumerate(names)}
        columns |= _names(columns["url"], columns["caption"].fill_null(""))
        if schema is DROPPED:
            del columns["caption_key"]
        columns["crawl"] = pa.repeat(pa.scalar(self._crawl, pa.string()), len(rows))
        columns["seen"] = pa.repeat(pa.scalar(1, pa.int32()), len(rows))
        arrays = [columns[field.name] if field.name in columns else pa.nulls(len(rows), field.type) for field in schema]
        named = pa.RecordBatch.from_arrays(arrays, schema=schema)
        self._bytes += named.nbytes
        return named

    def batch(self) -> Batch:
        """What was collected."""
        kept = pa.Table.from_batches(self._kept, CANDIDATES)
        dropped = None if self._dropped is None else pa.Table.from_batches(self._dropped, DROPPED)
        return Batch(kept, dropped, self.records, self.candidates, self.personal)


def _is_too_large(page: Page) -> bool:
    links = len(page.images)
    return (not page.size or links * page.size > _HARMLESS) and page.bytes_of_links() > _PAGE_BYTES


def _link_columns(pages: list[Page]) -> pa.RecordBatch:
    """Columns that the links of pages have, and `page`, the place of each link's page in the list."""
    images = [page.images for page in pages]
    kinds = {type(of) for of in images}
    columns = (kinds.pop() if len(kinds) == 1 else LinkList).columns(images)
    columns["page"] = pa.array(np.repeat(np.arange(len(pages)), list(map(len, images))))
    return pa.RecordBatch.from_arrays([*columns.values()], names=[*columns])


def _page_columns(pages: list[Page]) -> pa.RecordBatch:
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
    return pa.RecordBatch.from_arrays([*arrays.values()], names=[*arrays])


def _names(urls: pa.Array, captions: pa.Array) -> dict[str, pa.Array]:
    """The uids and 64-bit keys of URLs, hosts and captions, as `allmende.identity` defines them."""
    uids, *digests = row_names(urls, captions)
    ends = np.arange(0, 32 * len(urls) + 1, 32, dtype=np.int32)
    column = pa.StringArray.from_buffers(len(urls), pa.py_buffer(ends), pa.py_buffer(uids.hex().encode()))
    names = ("url_key", "host_key", "caption_key")
    keys = (pa.array(np.frombuffer(digest, ">u8").astype(np.uint64)) for digest in digests)
    return {"uid": column, **dict(zip(names, keys, strict=True))}
