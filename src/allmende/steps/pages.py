"""Main texts that nobody has judged yet: archives in, pages out. Only if `repeats` wants lines taken out; a part is a group of archives.

Beside the rows a part has the hashed lines of each text, 8 bytes a line, in row groups by host: all that finding the lines takes that
repeat. Personal data is replaced here already, and what was taken down by its URL left out, so that neither is stored.
"""

import itertools
from typing import Any

import pyarrow as pa

from allmende.dedup.repeats import Options, different_lines
from allmende.dedup.same_text import text_key
from allmende.extract.extractor import make_extractor
from allmende.extract.urls import split_host
from allmende.identity import key64
from allmende.parts import PartWriter
from allmende.recipe import Recipe, Repeats
from allmende.safety import lists
from allmende.schema import DOCUMENTS, PAGES, Reason
from allmende.steps import tombstone_screen
from allmende.steps.archive_pages import ArchivePages, PersonalWords, plan
from allmende.steps.buckets import BucketWriter
from allmende.steps.fates import Dropped
from allmende.steps.page_reader import PageReader
from allmende.steps.step import Settings
from allmende.steps.text_judge import Row, TextJudge
from allmende.steps.text_part import TextPart
from allmende.steps.tombstone_screen import TombstoneScreen

__all__ = ["LINES", "LINES_SCHEMA", "Worker", "line_options", "plan"]

LINES = ".lines.parquet"
LINES_SCHEMA = pa.schema(
    [*(DOCUMENTS.field(name) for name in ("host_key", "url_key", "text_key")), pa.field("lines", pa.list_(pa.uint64()))]
)
"""A row for each page: keys of its different lines, see `dedup.repeats`."""


def line_options(repeats: Repeats) -> Options:
    """What is frequent, as the recipe says; it must not be off."""
    assert repeats.unit != "off"
    return Options(unit=repeats.unit, documents=repeats.documents, share=repeats.share)


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        recipe = self.settings.recipe
        self.reader = PageReader(recipe, lists.load(recipe.safety), make_extractor(recipe.text), TextJudge(recipe))
        self.tombstones = tombstone_screen.load(self.settings.lake, recipe)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        lake, recipe = self.settings.lake, self.settings.recipe
        personal, pages = PersonalWords(recipe), ArchivePages(recipe, self.reader)
        with lake.step("pages").part(name, self.settings.plan) as part:
            with _Output(part, plan["buckets"], recipe, self.tombstones) as output:
                for archive in plan["archives"]:
                    for found in pages.read(archive):
                        rows = output.not_taken_down([page.row for page in output.fates.left(found)])
                        output.add(personal.replaced(rows))
                        output.tell()
            fates = output.fates
            fates.write_hits(part, lake, recipe)
            part.commit({"record": pages.records, "document": fates.tally}, personal.facts() | fates.facts())


class _Output(TextPart):
    """The files of one part."""

    def __init__(self, part: PartWriter, buckets: int, recipe: Recipe, tombstones: tuple[TombstoneScreen, ...]):
        super().__init__(part, PAGES, recipe, tombstones)
        self._options = line_options(recipe.repeats)
        self._tombstones = tombstones
        self._line_file = self._files.enter_context(BucketWriter(str(part.file(LINES)), buckets, LINES_SCHEMA))

    def not_taken_down(self, rows: list[Row]) -> list[Row]:
        """Rows whose URLs were not; uid and text are looked at once they have their final form."""
        gone = tombstone_screen.taken_down(self._tombstones, rows, ["url"])
        for _ in range(int(gone.sum())):
            self.fates.drop(Dropped(Reason.TAKEN_DOWN))
        return list(itertools.compress(rows, ~gone))

    def add(self, rows: list[Row]) -> None:
        """Takes over pages."""
        self.fates.tally.keep(len(rows))
        self._rows.add(row | {"host_key": key64(split_host(row["url"]))} for row in rows)

    def _note(self, table: pa.Table) -> None:
        """Notes the lines of pages that were written."""
        hosts, urls, texts = (table.column(name).to_pylist() for name in ("host_key", "url", "text"))
        lines = [different_lines(text, host, self._options) for text, host in zip(texts, hosts, strict=True)]
        columns = [
            pa.array(hosts, pa.uint64()),
            pa.array(map(key64, urls), pa.uint64()),
            pa.array(map(text_key, texts), pa.uint64()),
            pa.array(lines, pa.list_(pa.uint64())),
        ]
        self._line_file.write(pa.Table.from_arrays(columns, schema=LINES_SCHEMA))
