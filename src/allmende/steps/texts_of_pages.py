"""Documents in the second of two passes: `pages/` and `repeated/` in. A part is a part of `pages/`.

Lines that repeat are taken out of each text first, and of its Markdown; then it is judged as in one pass (`texts`).
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from allmende.dedup.repeats import Hashes, Options, frequent_lines, remove
from allmende.extract.urls import split_host
from allmende.lake import Lake
from allmende.parts import Manifest
from allmende.recipe import Recipe, Repeats
from allmende.schema import Reason
from allmende.steps.document_part import DocumentPart, DocumentTools
from allmende.steps.fates import Dropped
from allmende.steps.pages import line_options
from allmende.steps.repeated import repeated_lines
from allmende.steps.step import Parts, Settings
from allmende.steps.text_judge import Row, TextJudge

FACTS = ("page_chars", "repeated_chars", "repeated_lines", "repeated_documents")
"""Facts in manifests: characters of all pages, and of the lines that were taken out of them; how many these were; on how many pages."""

PAGES_AT_ONCE = 64

EXAMPLES, EXAMPLE_PAGES, EXAMPLE_CHARS = 12, 2_000, 120
"""Lines that the report shows, pages that it looks at for them, and characters that it shows of each."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each part of `pages/`."""
    del recipe
    pages = lake.step("pages").read_plan()
    assert pages is not None
    return {name: {"buckets": part["buckets"]} for name, part in pages.parts.items()}


class Worker:
    """Judges pages."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.judge = TextJudge(self.settings.recipe)
        self.tools = DocumentTools(self.settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, plan: dict[str, Any]) -> None:
        lake = self.settings.lake
        pages = lake.step("pages").manifest(name)
        lines = repeated_lines(lake, _hosts(lake, pages))
        cleaner = _Cleaner(lines, line_options(self.settings.recipe.repeats))
        with lake.step("documents").part(name, self.settings.plan) as part:
            with DocumentPart(part, plan["buckets"], self.tools) as output:
                for rows in _rows(lake, pages):
                    output.add(output.fates.left(self._judged(cleaner, row) for row in rows))
            facts = output.facts() | {name: cleaner.facts[name] for name in FACTS}
            part.commit({"document": output.fates.tally}, facts)

    def _judged(self, cleaner: "_Cleaner", row: Row) -> Row | Dropped:
        if row["url"] is None:  # a take-down left it blank
            return Dropped(Reason.TAKEN_DOWN)
        return self.judge.judge(cleaner.cleaned(row))


class _Cleaner:
    """Takes lines that repeat out of pages, and counts them."""

    def __init__(self, lines: Hashes, options: Options):
        self.facts: Counter[str] = Counter()
        self._lines = lines
        self._options = options

    def cleaned(self, row: Row) -> Row:
        """The row without these lines."""
        left = remove(row["text"], row["host_key"], self._lines, self._options)
        numbers = (len(row["text"]), left.chars, left.lines, int(left.lines > 0))
        self.facts.update(dict(zip(FACTS, numbers, strict=True)))
        markdown = row["markdown"] and remove(row["markdown"], row["host_key"], self._lines, self._options).text
        return row | {"text": left.text, "markdown": markdown, "repeated_chars": left.chars}


def examples(lake: Lake, repeats: Repeats) -> tuple[tuple[str, str, int], ...]:
    """Lines that most of the first pages lose: host, the line as one page has it, and on how many of these pages it is."""
    manifest = next(lake.step("pages").manifests(), None)
    if manifest is None:
        return ()
    lines, options = repeated_lines(lake, _hosts(lake, manifest)), line_options(repeats)
    found: Counter[tuple[str, str]] = Counter()
    for row in islice(chain.from_iterable(_rows(lake, manifest)), EXAMPLE_PAGES):
        if row["url"] is not None:
            gone = frequent_lines(row["text"], row["host_key"], lines, options)
            found.update({(split_host(row["url"]), line[:EXAMPLE_CHARS]) for line in gone})
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple((host, line, pages) for (host, line), pages in ranked[:EXAMPLES])


def _hosts(lake: Lake, pages: Manifest) -> Hashes:
    """Of a part, each once."""
    with lake.open(f"pages/{pages.file('.parquet')}") as file:
        hosts = pq.read_table(file, columns=["host_key"]).column("host_key").drop_null().to_numpy()
    unique: Hashes = np.unique(hosts)
    return unique


def _rows(lake: Lake, pages: Manifest) -> Iterator[list[Row]]:
    """The pages of a part, some at a time."""
    with lake.open(f"pages/{pages.file('.parquet')}") as file:
        for batch in pq.ParquetFile(file).iter_batches(PAGES_AT_ONCE):
            yield batch.to_pylist()
