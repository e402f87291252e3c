"""URL tables: `select.urls` in, `candidates/` out. The rows are the user's own choice, so no caption rule applies.

Personal data is replaced all the same: whoever chose the rows did not choose whose address stands in them.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pyarrow as pa

from allmende import url_table
from allmende.commoncrawl.source import expand
from allmende.errors import RecipeError
from allmende.extract.candidates import TEXTS
from allmende.extract.urls import normalise, split_host
from allmende.filters.captions import normalise_caption
from allmende.identity import key64, uid
from allmende.lake import Lake
from allmende.parts import Tally, part_id
from allmende.permission.page import COLUMNS as PAGE_SIGNALS
from allmende.publish import files, parquet, webdataset
from allmende.publish.member import STATUS_FIELDS
from allmende.recipe import Recipe
from allmende.safety.personal import Counts, replace_in, total
from allmende.schema import CANDIDATES, SAMPLES, WORDS, Reason
from allmende.steps.buckets import BucketWriter, bucket_count
from allmende.steps.candidate_part import personal_facts
from allmende.steps.step import Parts, Settings

ROWS_PER_PART = 500_000
TABLES_AT_ONCE = 16
"""Tables that are opened at a time when a build is planned: on an object store each takes several round trips."""
CARRIED = (
    *WORDS,
    "found_in",
    "text_before",
    "text_after",
    "language",
    "page_url",
    "page_language",
    "page_license",
    *PAGE_SIGNALS,
    "crawl",
    "warc_file",
)
"""Columns of a table that are taken over if they are there; so a candidates table of Allmende can be fed in again."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each table; several for a large Parquet file. Each knows of what kind the columns are that are kept.

    Raises:
        RecipeError: if a table lacks a column that the recipe names, or one to keep is called as one of ours.
    """
    del lake
    select = recipe.select
    if taken := sorted({*select.keep_columns} & _TAKEN):
        raise RecipeError(f"Column {taken[0]!r} can't be kept: a release has one of that name. Rename it in the table.")
    tables = expand(select.urls)
    wanted = (select.url_column, select.caption_column, select.keep_columns)
    with ThreadPoolExecutor(TABLES_AT_ONCE) as threads:
        looks = list(threads.map(lambda table: url_table.look(table, *wanted), tables))
    kinds = {name: {look.kinds[name] for look in looks if look.kinds} for name in select.keep_columns}
    kept = {name: kind.pop() if len(kind) == 1 else "string" for name, kind in kinds.items()}
    buckets = bucket_count(sum(look.rows for look in looks))
    pieces = [(table, groups) for table, look in zip(tables, looks, strict=True) for groups in _pieces(look.row_groups)]
    return {
        part_id(number): {"file": location, "row_groups": groups, "buckets": buckets, "kept": kept}
        for number, (location, groups) in enumerate(pieces)
    }


def _pieces(sizes: list[int]) -> Iterator[list[int] | None]:
    """Runs of row groups with at most `ROWS_PER_PART` rows; None for a file without row groups."""
    if not sizes:
        yield None
        return
    piece: list[int] = []
    rows = 0
    for number, size in enumerate(sizes):
        if piece and rows + size > ROWS_PER_PART:
            yield piece
            piece, rows = [], 0
        piece.append(number)
        rows += size
    yield piece


class Worker:
    """Turns tables into candidates."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        select = self.settings.recipe.select
        for name, part in task["parts"].items():
            tally, lines = Tally(), Tally()
            personal: Counts = {}
            with self.settings.lake.step("candidates").part(name, self.settings.plan) as writer:
                with BucketWriter(str(writer.file(".parquet")), part["buckets"]) as out:
                    for batch in url_table.read(part["file"], select.url_column, part["row_groups"]):
                        lines.keep(len(batch.rows))
                        if batch.malformed:
                            lines.drop(Reason.RECORD_MALFORMED, batch.malformed)
                        out.write(self._candidates(batch.rows, part["kept"], tally, personal))
                writer.commit({"record": lines, "candidate": tally}, personal_facts(self.settings.recipe, personal))
        return {"parts": len(task["parts"])}

    def _candidates(self, rows: pa.Table, kinds: dict[str, str], tally: Tally, personal: Counts) -> pa.Table:
        select, longest = self.settings.recipe.select, self.settings.recipe.extract.max_url_chars
        captions = _text(rows, select.caption_column)
        index, urls, kept = [], [], []
        for row, (raw, caption) in enumerate(zip(_text(rows, select.url_column), captions, strict=True)):
            url = normalise(raw or "", "", longest)
            if isinstance(url, Reason):
                tally.drop(url)
                continue
            tally.keep()
            index.append(row)
            urls.append(url)
            kept.append(normalise_caption(caption or ""))
        carried = {name: _text(rows, name) for name in CARRIED}
        columns: dict[str, Any] = {name: [values[i] for i in index] for name, values in carried.items()}
        columns["caption"] = kept
        extra = {name: [values[i] for i in index] for name, values in _kept(rows, kinds).items()}
        words = [name for name, kind in kinds.items() if kind == "string"]
        if self.settings.recipe.safety.replace_personal:
            personal |= total((personal, replace_in(columns, TEXTS)))
            personal |= total((personal, replace_in(extra, words)))
            kept = columns["caption"]
        columns |= {
            "uid": [uid(url, caption) for url, caption in zip(urls, kept, strict=True)],
            "url": urls,
            "caption_source": [select.caption_column or None] * len(urls),
            "found_in": [found or "table" for found in columns["found_in"]],
            "url_key": [key64(url) for url in urls],
            "host_key": [key64(split_host(url)) for url in urls],
            "caption_key": [key64(caption.lower()) for caption in kept],
            "seen": [1] * len(urls),
            "extra": _as_json(extra),
        }
        arrays = [pa.array(columns.get(f.name) or [None] * len(urls), f.type) for f in CANDIDATES]
        return pa.Table.from_arrays(arrays, schema=CANDIDATES)


_TAKEN = {*SAMPLES.names, *(f.name for f in (*webdataset.FIELDS, *files.FIELDS, *parquet.FIELDS, *STATUS_FIELDS))}


def _kept(rows: pa.Table, kinds: dict[str, str]) -> dict[str, list[Any]]:
    """Columns to keep, their values as the kinds say; null in a line of JSON that lacks one."""
    none = [None] * len(rows)
    there = {name: rows.column(name).to_pylist() if name in rows.column_names else none for name in kinds}
    return {name: _text(rows, name) if kind == "string" else there[name] for name, kind in kinds.items()}


def _as_json(columns: dict[str, list[Any]]) -> list[bytes]:
    """An object for each row; none without columns."""
    encode = msgspec.json.Encoder().encode
    return [encode(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def _text(rows: pa.Table, name: str) -> list[str | None]:
    if name not in rows.column_names:
        return [None] * len(rows)
    return [None if value is None else str(value) for value in rows.column(name).to_pylist()]
