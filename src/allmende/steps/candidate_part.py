"""A part of `candidates/` while archives are read into it, and how one is read."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.commoncrawl.source import Archive, open_archive
from allmende.commoncrawl.warc import WarcCapture, is_image, read_warc
from allmende.errors import SourceMissing, SourceRefused
from allmende.extract.candidates import DROPPED, Batch, Count, candidate_batches
from allmende.extract.html_images import page_from_html
from allmende.extract.judge import EachLink, Judge
from allmende.extract.page import Page, parse_date
from allmende.extract.urls import normalise, split_host
from allmende.extract.wat_images import pages_from_wat
from allmende.fetch.agent import user_agent
from allmende.filters.judge import CaptionJudge
from allmende.identity import key64
from allmende.parts import PartWriter, Tally
from allmende.progress import Underway
from allmende.recipe import Recipe
from allmende.safety.personal import Counts, Kind, total
from allmende.schema import CAPTURES, Reason
from allmende.steps.archive_parts import crawl_of, is_wat
from allmende.steps.buckets import BucketWriter
from allmende.steps.step import Settings


def make_part(settings: Settings, name: str, plan: dict[str, Any], judge: Judge) -> None:
    """Reads the archives of a part and commits it."""
    folder = settings.lake.step("candidates")
    with folder.part(name, settings.plan) as part, Underway(folder) as underway:
        with _Output(part, settings.recipe, plan["buckets"], underway) as output:
            for archive in plan["archives"]:
                output.read(archive, judge)
        facts = personal_facts(settings.recipe, output.personal)
        part.commit({"record": output.records, "candidate": output.candidates}, facts)


class _Output:
    """The files of one part while archives are read into them."""

    def __init__(self, part: PartWriter, recipe: Recipe, buckets: int, underway: Underway):
        self.records, self.candidates = Tally(), Tally()
        self.personal: Counts = {}
        self._recipe = recipe
        self._underway = underway
        self._files = ExitStack()
        self._kept = self._files.enter_context(BucketWriter(str(part.file(".parquet")), buckets))
        self._dropped = self._captures = None
        if recipe.extract.keep_dropped:
            self._dropped = self._files.enter_context(pq.ParquetWriter(part.file(".dropped.parquet"), DROPPED))
        if recipe.fetch.source == "archive":
            path = str(part.file(".captures.parquet"))
            self._captures = Captures(self._files.enter_context(BucketWriter(path, buckets, CAPTURES)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def read(self, archive: str, judge: Judge) -> None:
        """Takes over everything from one archive. One that does not exist is counted."""
        try:
            for batch in read_candidates(archive, self._recipe, judge, self._captures):
                self._kept.write(batch.kept)
                if self._dropped is not None:
                    self._dropped.write_table(batch.dropped)
                self.records.add(_tally(batch.records))
                self.candidates.add(_tally(batch.candidates))
                self.personal = total((self.personal, batch.personal))
                if self._underway.due:
                    self._underway.tell(self.candidates.seen)
        except SourceRefused:  # a block of this machine, most likely: the next run may have more luck
            raise
        except SourceMissing:
            self.records.drop(Reason.ARCHIVE_MISSING)
        if self._captures is not None:
            self._captures.flush()


def read_candidates(archive: str, recipe: Recipe, judge: Judge, captures: "Captures | None" = None) -> Iterator[Batch]:
    """The candidates of one archive, batch by batch.

    Args:
        archive: Path or URL of a WAT or WARC file.
        recipe: Its sections select, extract, safety and run are used.
        judge: Chooses the captions.
        captures: Told of each image that the archive holds itself.

    Raises:
        SourceMissing: if there is no such archive.
        SourceError: if it can't be had.
    """
    crawl = crawl_of(archive, recipe)
    select, agent = recipe.select, user_agent(recipe.dataset.contact)
    with open_archive(archive, retries=select.retries, cache=select.cache, agent=agent) as stream:
        pages = (
            pages_from_wat(stream, recipe.extract.max_url_chars)
            if is_wat(archive, recipe)
            else _warc_pages(stream, archive, recipe, captures)
        )
        yield from candidate_batches(
            pages,
            judge,
            crawl,
            keep_dropped=recipe.extract.keep_dropped,
            replace_personal=recipe.safety.replace_personal,
        )


def _warc_pages(stream: Archive, archive: str, recipe: Recipe, captures: "Captures | None") -> Iterator[Page | Reason]:
    extract, name = recipe.extract, archive.rsplit("/", 1)[-1]
    for capture in read_warc(stream, extract.max_page_bytes):
        if isinstance(capture, Reason):
            yield capture
            continue
        if captures is not None and is_image(capture):
            captures.add(archive, capture)
        yield page_from_html(capture, name, extract.context_chars, extract.max_url_chars)


class Captures:
    """Collects where the images are that archives hold themselves."""

    def __init__(self, writer: BucketWriter):
        self._writer = writer
        self._rows: list[dict[str, Any]] = []

    def add(self, archive: str, capture: WarcCapture) -> None:
        """Notes one; a URL that is none, or a record that can't be read alone, is of no use."""
        url = normalise(capture.url, "")
        if isinstance(url, Reason) or capture.length is None:
            return
        keys = {"url": url, "url_key": key64(url), "host_key": key64(split_host(url))}
        place = {"archive": archive, "offset": capture.offset, "length": capture.length}
        self._rows.append({**keys, **place, "captured_at": parse_date(capture.date)})

    def flush(self) -> None:
        """Writes what was noted since the last time."""
        self._writer.write(pa.Table.from_pylist(self._rows, CAPTURES))
        self._rows = []


def personal_facts(recipe: Recipe, counts: Counts) -> dict[str, int]:
    """A manifest's facts about personal data: `personal_email` and so on, also where none was found; none if not looked for."""
    return {f"personal_{kind}": counts.get(kind, 0) for kind in Kind} if recipe.safety.replace_personal else {}


def judge_of(recipe: Recipe) -> Judge:
    """The judge that a recipe asks for."""
    return EachLink(CaptionJudge(recipe.captions, recipe.urls, recipe.extract.caption_sources))


def _tally(count: Count) -> Tally:
    return Tally(count.seen, count.kept, {str(reason): number for reason, number in count.dropped.items()})
