"""The demo for text: a small crawl of manuals in many languages that ships with Allmende, and a recipe for it.

    allmende.build(demo.text.recipe("allmende-demo"))

It is read from its files, so nothing listens and nothing is asked. `docs/reference/demo-data.md` tells what is in it, where it
comes from and under which licences.
"""

from pathlib import Path

from allmende.recipe import Dataset, Permission, Publish, Recipe, Select

CRAWL = "CC-MAIN-2026-98"
"""Id of the crawl: a week that no year has."""

DATA = Path(__file__).parent / "documents"
"""The crawl as it ships, laid out as a mirror of Common Crawl."""


def recipe(output: str) -> Recipe:
    """The recipe of the demo: all archives, all languages of FineWeb-2's rules, and robots.txt as it was when crawled.

    Args:
        output: Folder of the dataset.
    """
    return Recipe(
        dataset=Dataset(
            name="allmende-demo",
            kind="text",
            output=output,
            description="Pages of translated manuals in 25 languages, out of a small crawl that ships with Allmende.",
            license="CC-BY-SA-4.0",
            contact="https://localhost/allmende-demo",
        ),
        select=Select(crawl=CRAWL, kind="warc", files=0, source=str(DATA)),
        permission=Permission(captures=("crawl",)),
        publish=Publish(sink="parquet", shard_size=250),
    )
