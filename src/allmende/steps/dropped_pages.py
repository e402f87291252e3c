"""Pages that became no documents, beside those that did: so that somebody can ask why. Only with `text.keep_dropped`."""

import itertools
from collections.abc import Sequence
from typing import Any

from allmende.parts import PartWriter
from allmende.recipe import Recipe
from allmende.safety.personal import replace_in
from allmende.schema import DROPPED_PAGES, Reason
from allmende.steps.fates import Dropped
from allmende.steps.row_groups import RowGroups
from allmende.steps.tombstone_screen import TombstoneScreen, taken_down

SUFFIX = ".dropped.parquet"

_UNNAMED = frozenset({Reason.LISTED, Reason.TAKEN_DOWN})
"""Reasons with which nothing of a page is stored."""

_WITHOUT_WORDS = frozenset({Reason.PERMISSION_DENIED})
"""Reasons with which its text is not."""


class DroppedPages:
    """The file of one part.

    Args:
        part: Where it goes.
        recipe: Says whether there is one, and whether personal data is replaced.
        tombstones: What was taken down is not stored, whatever else is wrong with it.
    """

    def __init__(self, part: PartWriter, recipe: Recipe, tombstones: Sequence[TombstoneScreen]):
        self._recipe = recipe
        self._tombstones = tombstones
        self._rows = RowGroups(part.file(SUFFIX), DROPPED_PAGES) if recipe.text.keep_dropped else None

    def add(self, dropped: Sequence[Dropped]) -> None:
        """Takes over pages."""
        if self._rows is not None:
            named = [page for page in dropped if page.reason not in _UNNAMED]
            rows = self._final([_row(page) for page in named])
            self._rows.add(itertools.compress(rows, ~taken_down(self._tombstones, rows, ["url", "text"])))

    def close(self) -> None:
        """Writes the rows that wait, and ends the file."""
        if self._rows is not None:
            self._rows.flush()
            self._rows.close()

    def _final(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self._recipe.safety.replace_personal:
            return rows
        words: dict[str, Any] = {"text": [row["text"] for row in rows]}
        replace_in(words, words)
        return [row | {"text": text} for row, text in zip(rows, words["text"], strict=True)]


def _row(page: Dropped) -> dict[str, Any]:
    text = None if page.reason in _WITHOUT_WORDS else page.row.get("text")
    told = {"reason": str(page.reason), "language": page.language or None}
    return {**page.row, **told, "text": text, "chars": None if text is None else len(text)}
