"""Archives as a dataframe, before anything is built.

import allmende
frame = allmende.candidates("crawl/*.wat.gz")
frame.where("language = 'de'").select("url", "caption").show()
"""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import daft
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from allmende.recipe import Dataset, Recipe, Select
from allmende.schema import CANDIDATES
from allmende.steps.archive_parts import archives
from allmende.steps.candidate_part import judge_of, read_candidates

if TYPE_CHECKING:
    from daft.io.pushdowns import Pushdowns


def candidates(source: str | Sequence[str] | Recipe) -> daft.DataFrame:
    """Image links with their words, read lazily from archives, as a dataframe (`schema.CANDIDATES`).

    Args:
        source: WARC or WAT files by path, glob or URL; or a recipe, whose archives are read by its rules. Without
            a recipe the caption rules have their defaults.

    Raises:
        SourceError: if a pattern matches nothing. Missing archives are found when they are read.
    """
    if not isinstance(source, Recipe):
        patterns = (source,) if isinstance(source, str) else tuple(source)
        source = Recipe(dataset=Dataset(name="notebook"), select=Select(archives=patterns))
    return _Archives(archives(source), source).read()


class _Archives(DataSource):
    """Archives as a source of the engine: a task for each."""

    def __init__(self, found: list[str], recipe: Recipe):
        self._found, self._recipe = found, recipe

    @property
    def name(self) -> str:
        return "allmende.candidates"

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(CANDIDATES)

    async def get_tasks(self, pushdowns: "Pushdowns") -> AsyncIterator[DataSourceTask]:
        for archive in self._found:
            yield _ArchiveTask(archive, self._recipe)


class _ArchiveTask(DataSourceTask):
    """Reads one archive."""

    def __init__(self, archive: str, recipe: Recipe):
        self._archive, self._recipe = archive, recipe

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(CANDIDATES)

    async def read(self) -> AsyncIterator[RecordBatch]:
        for batch in read_candidates(self._archive, self._recipe, judge_of(self._recipe)):
            for rows in batch.kept.to_batches():
                yield RecordBatch.from_arrow_record_batches([rows], rows.schema)
