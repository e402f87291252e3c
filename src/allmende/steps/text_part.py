"""A part with texts while it is written: rows as they come, pages that became none beside them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pyarrow as pa

from allmende.parts import PartWriter
from allmende.progress import Underway
from allmende.recipe import Recipe
from allmende.steps.dropped_pages import DroppedPages
from allmende.steps.fates import Fates
from allmende.steps.row_groups import RowGroups
from allmende.steps.tombstone_screen import TombstoneScreen


class TextPart(ABC):
    """The files of one part. What waits in memory is written at the end, unless something failed.

    Args:
        part: Where they go.
        schema: Of the rows.
        recipe: Of the build.
        tombstones: What was taken down.
    """

    def __init__(self, part: PartWriter, schema: pa.Schema, recipe: Recipe, tombstones: Sequence[TombstoneScreen]):
        self._files = ExitStack()
        dropped = DroppedPages(part, recipe, tombstones)
        self._files.callback(dropped.close)
        self.fates = Fates(dropped)
        self._rows = RowGroups(part.file(".parquet"), schema, self._note)
        self._files.callback(self._rows.close)
        self._underway = self._files.enter_context(Underway(part.step))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._files:
            if kind is None:
                self._rows.flush()

    def tell(self) -> None:
        """Tells, now and then, how many pages have their fate."""
        if self._underway.due:
            self._underway.tell(self.fates.tally.seen)

    @abstractmethod
    def _note(self, table: pa.Table) -> None:
        """Hears of rows that were written."""
