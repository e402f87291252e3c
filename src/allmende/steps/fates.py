"""What becomes of pages on their way to documents: why some are dropped, and how many, by language and by signal."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.parts import PartWriter, Tally
from allmende.recipe import Recipe
from allmende.safety.hits import hits_table
from allmende.safety.lists import Hit
from allmende.schema import Reason
from allmende.steps.list_screen import SUFFIX, hits_key

T = TypeVar("T")

DENIED = "denied_"
"""How facts about permission begin in manifests; language and signal follow: `denied_de_tdmrep`."""


class Dropped(NamedTuple):
    """A page that became no document."""

    reason: Reason
    language: str = ""
    """As far as it was known."""
    hit: Hit | None = None
    """What list of known illegal content it is on; told to nobody."""
    signal: str = ""
    """Which permission signal denied it."""
    row: Mapping[str, Any] = {}
    """What is known of it: columns of `schema.DROPPED_PAGES`, others among them."""


class Keeper(Protocol):
    """Stores what was dropped, or not."""

    def add(self, dropped: Sequence[Dropped]) -> None:
        """Takes over pages."""


class Fates:
    """The fates of the pages of one part.

    Args:
        keeper: Gets the pages that `left` finds dropped.
    """

    def __init__(self, keeper: Keeper | None = None) -> None:
        self.tally = Tally()
        self._keeper = keeper
        self._facts: Counter[str] = Counter()
        self._hits: list[Hit] = []

    def left(self, pages: Iterable[T | Dropped]) -> list[T]:
        """Counts those that were dropped, and gives the others."""
        stay, gone = [], []
        for page in pages:
            if isinstance(page, Dropped):
                self.drop(page)
                gone.append(page)
            else:
                stay.append(page)
        if self._keeper is not None:
            self._keeper.add(gone)
        return stay

    def drop(self, dropped: Dropped) -> None:
        """Counts a page that goes."""
        self.tally.drop(dropped.reason)
        if dropped.language:
            self._facts[f"{dropped.language}/{dropped.reason}"] += 1
        if dropped.signal:
            self._facts[f"{DENIED}{dropped.language}_{dropped.signal}"] += 1
        if dropped.hit is not None:
            self._hits.append(dropped.hit)

    def keep(self, language: str) -> None:
        """Counts a document in a language."""
        self.tally.keep()
        self._facts[f"{language}/kept"] += 1

    def facts(self) -> dict[str, int]:
        """Counts by language, for the part's manifest."""
        return dict(sorted(self._facts.items()))

    def write_hits(self, part: PartWriter, lake: Lake, recipe: Recipe) -> None:
        """Writes what lists of known illegal content hit, as keyed hashes."""
        if self._hits:
            table = hits_table(self._hits, hits_key(lake, recipe.safety))
            pq.write_table(table, part.file(SUFFIX), compression="zstd")
