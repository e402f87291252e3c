"""Which archives a recipe chooses, and how they are cut into parts: the same for every step that reads them."""

import itertools
import re
from math import ceil

from allmende.commoncrawl.crawls import archive_paths, sample
from allmende.commoncrawl.source import expand, locate
from allmende.fetch.agent import user_agent
from allmende.parts import part_id
from allmende.recipe import Recipe
from allmende.steps.buckets import bucket_count
from allmende.steps.step import Parts


def archives(recipe: Recipe) -> list[str]:
    """The archives that a recipe chooses: its own list, or a random draw from a crawl's."""
    select = recipe.select
    if select.archives:
        return expand(select.archives, retries=select.retries)
    paths = archive_paths(select.crawl, select.kind, select.source, agent=user_agent(recipe.dataset.contact))
    return [locate(path, select.source) for path in sample(paths, select.files, recipe.dataset.seed)]


def archive_parts(archives: list[str], recipe: Recipe, files_per_part: int, rows_per_file: int) -> Parts:
    """A part for each group of archives; the list is fixed here, so it is recorded in the dataset.

    Args:
        archives: By path or URL.
        recipe: Says how many parts there may be at most, if that makes none too large.
        files_per_part: Most archives in a part beyond that.
        rows_per_file: Rows in an archive, about: decides the number of buckets.
    """
    count = min(len(archives), max(recipe.run.max_parts, ceil(len(archives) / files_per_part)))
    buckets = bucket_count(rows_per_file * len(archives))
    edges = [number * len(archives) // count for number in range(count + 1)] if count else [0]
    return {
        part_id(number): {"archives": archives[begin:end], "buckets": buckets}
        for number, (begin, end) in enumerate(itertools.pairwise(edges))
    }


def crawl_of(archive: str, recipe: Recipe) -> str | None:
    """The crawl that an archive is of: the recipe's, else one that its name tells."""
    return recipe.select.crawl or next(iter(re.findall(r"CC-MAIN-\d{4}-\d{2}", archive)), None)


def is_wat(archive: str, recipe: Recipe) -> bool:
    """By its name; by `select.kind` if that tells nothing."""
    name = archive.rsplit("/", 1)[-1].lower()
    if ".wat" in name:
        return True
    return ".warc" not in name and recipe.select.kind == "wat"
