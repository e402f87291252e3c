"""Candidates: archives in, image links with words out. A part is a group of archive files."""

from typing import Any

from allmende.errors import RecipeError
from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.steps.archive_parts import archive_parts, archives, is_wat
from allmende.steps.step import Parts, Settings

FILES_PER_PART = 16
"""Most archives in a part: what is lost at most when a worker dies."""

ROWS_PER_FILE = 20_000
"""Candidates in a WAT file, about (cc2dataset: 88 billion from 5 million files): decides the number of buckets."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives; the list of archives is fixed here, so it is recorded in the dataset.

    Raises:
        RecipeError: if images are to come out of archives that hold none.
    """
    del lake
    found = archives(recipe)
    if recipe.fetch.source == "archive" and found and all(is_wat(archive, recipe) for archive in found):
        raise RecipeError(
            f'[fetch] from = "archive" takes images out of WARC files, and [select] names WAT files, which hold none: '
            f'{found[0]}. Name WARC files; if these are some, set [select] kind = "warc".'
        )
    return archive_parts(found, recipe, FILES_PER_PART, ROWS_PER_FILE)


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        from allmende.steps.candidate_part import judge_of  # what reads pages is nothing that planning should wait for

        self.settings = Settings.of_worker(settings)
        self.judge = judge_of(self.settings.recipe)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        from allmende.steps.candidate_part import make_part

        for name, part in task["parts"].items():
            make_part(self.settings, name, part, self.judge)
        return {"parts": len(task["parts"])}
