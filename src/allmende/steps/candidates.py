"""Candidates: archives in, image links with words out. A part is a group of archive files."""

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from math import ceil
from typing import Any

import pyarrow.parquet as pq

from allmende.commoncrawl.crawls import archive_paths, sample
from allmende.commoncrawl.source import Archive, expand, locate, open_archive
from allmende.commoncrawl.wat import read_wat
from allmende.errors import SourceMissing, SourceRefused
from allmende.extract.candidates import DROPPED, Batch, Count, candidate_batches
from allmende.extract.judge import Judge
from allmende.extract.page import Page
from allmende.extract.wat_images import page_from_wat
from allmende.filters.judge import CaptionJudge
from allmende.lake import Lake, Tally
from allmende.recipe import Recipe
from allmende.schema import Reason
from allmende.steps.buckets import BucketWriter, bucket_count
from allmende.steps.step import Parts, Settings

FILES_PER_PART = 16
"""Most archives in a part: what is lost at most when a worker dies."""

ROWS_PER_FILE = 20_000
"""Candidates in a WAT file, about (cc2dataset: 88 billion from 5 million files): decides the number of buckets."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives; the list of archives is fixed here, so it is recorded in the dataset."""
    del lake
    found = archives(recipe)
    count = min(len(found), max(recipe.run.max_parts, ceil(len(found) / FILES_PER_PART)))
    buckets = bucket_count(ROWS_PER_FILE * len(found))
    edges = [number * len(found) // count for number in range(count + 1)] if count else [0]
    return {
        f"{number:05d}": {"archives": found[begin:end], "buckets": buckets}
        for number, (begin, end) in enumerate(itertools.pairwise(edges))
    }


def archives(recipe: Recipe) -> list[str]:
    """The archives that a recipe chooses: its own list, or a random draw from a crawl's."""
    select = recipe.select
    if select.archives:
        return expand(select.archives, retries=select.retries)
    paths = archive_paths(select.crawl, select.kind, select.source)
    return [locate(path, select.source) for path in sample(paths, select.files, recipe.dataset.seed)]


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.judge = judge_of(self.settings.recipe)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        records, candidates = Tally(), Tally()
        with self.settings.lake.step("candidates").part(name, self.settings.plan) as part, ExitStack() as files:
            kept = files.enter_context(BucketWriter(str(part.file(".parquet")), plan["buckets"]))
            dropped = None
            if self.settings.recipe.extract.keep_dropped:
                dropped = files.enter_context(
                    pq.ParquetWriter(part.file(".dropped.parquet"), DROPPED, compression="zstd")
                )
            for archive in plan["archives"]:
                try:
                    for batch in read_candidates(archive, self.settings.recipe, self.judge):
                        kept.write(batch.kept)
                        if dropped is not None:
                            dropped.write_table(batch.dropped)
                        records.add(_tally(batch.records))
                        candidates.add(_tally(batch.candidates))
                except SourceRefused:  # a block of this machine, most likely: the next run may have more luck
                    raise
                except SourceMissing:
                    records.drop(Reason.ARCHIVE_MISSING)
            files.close()
            part.commit({"record": records, "candidate": candidates})


def read_candidates(archive: str, recipe: Recipe, judge: Judge) -> Iterator[Batch]:
    """The candidates of one archive, batch by batch.

    Raises:
        SourceMissing: if there is no such archive.
        SourceError: if it can't be had.
    """
    crawl = recipe.select.crawl or next(iter(re.findall(r"CC-MAIN-\d{4}-\d{2}", archive)), None)
    with open_archive(archive, retries=recipe.select.retries, cache=recipe.select.cache) as stream:
        pages = _pages(stream, recipe)
        yield from candidate_batches(pages, judge, crawl, keep_dropped=recipe.extract.keep_dropped)


def judge_of(recipe: Recipe) -> Judge:
    """The judge that a recipe asks for."""
    return CaptionJudge(recipe.captions, recipe.urls, recipe.extract.caption_sources)


def _pages(stream: Archive, recipe: Recipe) -> Iterator[Page | Reason]:
    for capture in read_wat(stream):
        yield capture if isinstance(capture, Reason) else page_from_wat(capture, recipe.extract.max_url_chars)


def _tally(count: Count) -> Tally:
    return Tally(count.seen, count.kept, {str(reason): number for reason, number in count.dropped.items()})
