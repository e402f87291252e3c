"""The demo for text: a small crawl of manuals in many languages that ships with Allmende, and a recipe for it.

    allmende.build(demo.text.recipe("allmende-demo"))

It is read from its files, so nothing listens and nothing is asked. `docs/reference/demo-data.md` tells what is in it, where it
comes from and under which licences.
"""

from pathlib import Path

from allmende.recipe import Dataset, Permission, Publish, Quality, Recipe, Repeats, Select

CRAWL = "CC-MAIN-2026-98"
"""Id of the crawl: a week that no year has."""

DATA = Path(__file__).parent / "documents"
"""The crawl as it ships, laid out as a mirror of Common Crawl."""


def recipe(output: str) -> Recipe:
    """The recipe of the demo: all archives, all languages of FineWeb-2's rules, robots.txt as it was when crawled, no line that repeats.

    Args:
        output: Folder of the dataset.
    """
    return Recipe(
        dataset=Dataset(
            name="allmende-demo",
            kind="text",
            output=output,
            description="Pages of translated manuals in some 25 languages (CC BY-SA 3.0, Apache-2.0, MPL-2.0, CC0), out of a crawl that ships with Allmende.",
            license="other",
            contact="https://localhost/allmende-demo",
        ),
        select=Select(crawl=CRAWL, kind="warc", files=0, source=str(DATA)),
        permission=Permission(captures=("crawl",)),
        repeats=Repeats(unit="line"),
        quality=Quality(signals=True),
        publish=Publish(sink="parquet", shard_size=250),
    )
