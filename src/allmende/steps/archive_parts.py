"""How archives are cut into parts: the same for every step that reads them."""

import itertools
from math import ceil

from allmende.parts import part_id
from allmende.recipe import Recipe
from allmende.steps.buckets import bucket_count
from allmende.steps.step import Parts


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
