"""Archives in, main texts of their pages out: what the steps `documents` and `pages` have in common."""

from collections.abc import Iterator
from typing import Any

from allmende.commoncrawl.source import open_archive
from allmende.commoncrawl.warc import read_warc
from allmende.errors import SourceMissing, SourceRefused
from allmende.extract.document import read_body
from allmende.fetch.agent import user_agent
from allmende.lake import Lake
from allmende.parts import Tally
from allmende.recipe import Recipe
from allmende.safety.personal import Counts, replace_in, total
from allmende.schema import Reason
from allmende.steps.archive_parts import archive_parts, archives, crawl_of
from allmende.steps.candidate_part import personal_facts
from allmende.steps.fates import Dropped
from allmende.steps.page_reader import Extracted, Page, PageReader, Source
from allmende.steps.quality_rules import check_models
from allmende.steps.recipe_check import check_languages
from allmende.steps.step import Parts
from allmende.steps.text_judge import Row

FILES_PER_PART = 4
"""Most archives in a part: what is lost at most when a worker dies. A WARC file of a crawl is minutes of work."""

ROWS_PER_FILE = 20_000
"""Documents in an archive, about: decides the number of buckets."""

LOOK, FINISH = 64, 32
"""Pages that are looked at together, and that go to the careful extractor together."""

LOOK_BYTES = 16_000_000
"""Bytes of pages in memory after which they are looked at, however few they are."""

WORDS = ("text", "title", "author", "markdown")
"""Columns in which personal data is replaced."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives; the list of archives is fixed here, so it is recorded in the dataset.

    Raises:
        RecipeError: if a language can't be identified, the quality preset has no thresholds for it, or a model has
            other weights than the recipe names.
    """
    del lake
    check_languages(recipe)
    check_models(recipe.quality)
    return archive_parts(archives(recipe), recipe, FILES_PER_PART, ROWS_PER_FILE)


class ArchivePages:
    """Reads the archives of one part.

    Args:
        recipe: Of the build.
        reader: Takes the texts off pages.
    """

    def __init__(self, recipe: Recipe, reader: PageReader):
        self.records = Tally()
        self._recipe = recipe
        self._reader = reader

    def read(self, archive: str) -> Iterator[list[Extracted | Dropped]]:
        """All pages of an archive, some at a time. An archive that does not exist is counted."""
        place = {"crawl": crawl_of(archive, self._recipe), "warc_file": archive.rsplit("/", 1)[-1]}
        try:
            waiting: list[Page] = []
            for sources in self._sources(archive):
                looked = list(self._reader.look(sources))
                yield [page._replace(row={**page.row, **place}) for page in looked if isinstance(page, Dropped)]
                waiting += [page for page in looked if isinstance(page, Page)]
                if len(waiting) >= FINISH:
                    yield self._finish(waiting, place)
                    waiting = []
            yield self._finish(waiting, place)
        except SourceRefused:  # a block of this machine, most likely: the next run may have more luck
            raise
        except SourceMissing:
            self.records.drop(Reason.ARCHIVE_MISSING)

    def _sources(self, archive: str) -> Iterator[list[Source]]:
        """Pages and plain texts of an archive, some at a time."""
        select, agent = self._recipe.select, user_agent(self._recipe.dataset.contact)
        sources, held = list[Source](), 0
        with open_archive(archive, retries=select.retries, cache=select.cache, agent=agent) as stream:
            for capture in read_warc(stream, self._recipe.extract.max_page_bytes, conversions=True):
                body = capture if isinstance(capture, Reason) else read_body(capture)
                if isinstance(capture, Reason) or isinstance(body, Reason):
                    assert isinstance(body, Reason)
                    self.records.drop(body)
                    continue
                self.records.keep()
                sources.append(Source(capture, body))
                held += len(capture.body)
                if len(sources) >= LOOK or held >= LOOK_BYTES:
                    yield sources
                    sources, held = [], 0
        yield sources

    def _finish(self, pages: list[Page], place: dict[str, Any]) -> list[Extracted | Dropped]:
        return [one._replace(row={**one.row, **place}) for one in self._reader.finish(pages)]


class PersonalWords:
    """Replaces personal data in rows, if the recipe says so, and counts what it replaced."""

    def __init__(self, recipe: Recipe):
        self._recipe = recipe
        self._counts: Counts = {}

    def replaced(self, rows: list[Row]) -> list[Row]:
        """The rows with placeholders for personal data."""
        if not self._recipe.safety.replace_personal:
            return rows
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in WORDS}
        self._counts = total((self._counts, replace_in(columns, WORDS)))
        return [row | {name: columns[name][at] for name in WORDS} for at, row in enumerate(rows)]

    def facts(self) -> dict[str, int]:
        """Counts by kind, for the part's manifest."""
        return personal_facts(self._recipe, self._counts)
