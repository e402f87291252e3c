"""Documents in one pass: archives in, the main texts of their pages out. A part is a group of archive files.

With `repeats.unit` there are two passes: see `pages`, `repeated` and `texts_of_pages`.
"""

from typing import Any

from allmende.extract.extractor import make_extractor
from allmende.safety import lists
from allmende.steps.archive_pages import ArchivePages, PersonalWords, plan
from allmende.steps.document_part import DocumentPart, DocumentTools
from allmende.steps.fates import Dropped
from allmende.steps.page_reader import PageReader
from allmende.steps.step import Settings
from allmende.steps.text_judge import TextJudge

__all__ = ["Worker", "plan"]


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        recipe = self.settings.recipe
        self.judge = TextJudge(recipe)
        self.reader = PageReader(recipe, lists.load(recipe.safety), make_extractor(recipe.text), self.judge)
        self.tools = DocumentTools(self.settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        lake, recipe = self.settings.lake, self.settings.recipe
        personal, pages = PersonalWords(recipe), ArchivePages(recipe, self.reader)
        with lake.step("documents").part(name, self.settings.plan) as part:
            with DocumentPart(part, plan["buckets"], self.tools) as output:
                for archive in plan["archives"]:
                    for found in pages.read(archive):
                        judged = [page if isinstance(page, Dropped) else self.judge.judge(*page) for page in found]
                        output.add(personal.replaced(output.fates.left(judged)))
                        output.tell()
            output.fates.write_hits(part, lake, recipe)
            facts = output.facts() | personal.facts()
            part.commit({"record": pages.records, "document": output.fates.tally}, facts)
