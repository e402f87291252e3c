"""For notebooks: archives as a dataframe, a URL table as a dataset.

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

from allmende.building import build
from allmende.dataset import Dataset
from allmende.engine import Engine
from allmende.recipe import Dataset as DatasetSection
from allmende.recipe import Recipe, Select
from allmende.recipe_file import from_table
from allmende.schema import CANDIDATES
from allmende.steps.candidates import archives, judge_of, read_candidates

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
        source = Recipe(dataset=DatasetSection(name="notebook"), select=Select(archives=patterns))
    return _Archives(archives(source), source).read()


def download(tables: str | Sequence[str], to: str, *, engine: Engine | None = None, **settings: str) -> Dataset:
    """Fetches the images of URL tables into a dataset: `allmende fetch` as a function.

    Args:
        tables: Files with URLs, see `allmende.url_table`.
        to: Folder or URL of the dataset.
        engine: Where to run.
        settings: Keys of a recipe in TOML, with two underscores for the dot: `images__size="512"`.
    """
    chosen = {
        "url_column": "url",
        "caption_column": "caption",
        "size": 256,
        "mode": "keep_ratio",
        "image_format": "jpg",
        "quality": None,
        "sink": "webdataset",
        "contact": "",
    }
    names = (tables,) if isinstance(tables, str) else tuple(tables)
    pairs = [f"{key.replace('__', '.', 1)}={value}" for key, value in settings.items()]
    return build(from_table(names, to, chosen, pairs), engine)


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
