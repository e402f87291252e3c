"""Candidates: archives in, image links with words out. A part is a group of archive files."""

import itertools
from math import ceil
from typing import Any

from allmende.commoncrawl.crawls import archive_paths, sample
from allmende.commoncrawl.source import expand, locate
from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.steps.buckets import bucket_count
from allmende.steps.step import Parts, Settings

FILES_PER_PART = 16
"""Most archives in a part: what is lost at most when a worker dies."""

ROWS_PER_FILE = 20_000
"""Candidates in a WAT file, about (cc2dataset: 88 billion from 5 million files): decides the number of buckets."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives; the list of archives is fixed here, so it is recorded in the dataset."""
    del lake
    archives = _archives(recipe)
    count = min(len(archives), max(recipe.run.max_parts, ceil(len(archives) / FILES_PER_PART)))
    buckets = bucket_count(ROWS_PER_FILE * len(archives))
    edges = [number * len(archives) // count for number in range(count + 1)] if count else [0]
    return {
        f"{number:05d}": {"archives": archives[begin:end], "buckets": buckets}
        for number, (begin, end) in enumerate(itertools.pairwise(edges))
    }


def _archives(recipe: Recipe) -> list[str]:
    select = recipe.select
    if select.archives:
        return expand(select.archives, retries=select.retries)
    paths = archive_paths(select.crawl, select.kind, select.source)
    return [locate(path, select.source) for path in sample(paths, select.files, recipe.dataset.seed)]


class Worker:
    """Reads archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        return {"parts": len(task["parts"])}
