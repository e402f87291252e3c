"""What thresholds keep, counted from stored values of the measures: no page is read again.

Documents are added batch by batch; what is kept of them are counts, and for percentiles every n-th value, n growing with
the number of documents: exact up to 20,000 documents of a language.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from allmende.filters.quality.rule import Limit

Floats = NDArray[np.float64]

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
SAMPLE = 20_000
"""Values of a measure kept for percentiles of a language: 160 kB."""


class RuleCount(msgspec.Struct, frozen=True):
    """One rule, one language."""

    rule: str
    low: float | None
    """Smallest value that stays; None for any."""
    high: float | None
    measured: int
    """Documents with a stored value; others are kept."""
    breaks: int
    """Documents outside of the thresholds."""
    first: int
    """Documents that no earlier rule drops, but this one."""
    alone: int
    """Documents that this rule drops and no other: what would come back without it."""
    percentiles: dict[str, float]


class AtCount(msgspec.Struct, frozen=True):
    """What another threshold of a rule would keep."""

    value: float
    by_rule: int
    """Documents that the rule keeps."""
    by_all: int
    """Documents that all rules keep, the others unchanged."""
    chars: int
    """Characters in those."""


class LanguageCount(msgspec.Struct, frozen=True):
    """One language."""

    language: str
    documents: int
    kept: int
    chars: int
    kept_chars: int
    rules: list[RuleCount]
    at: list[AtCount]


class Tuning:
    """Counts documents.

    Args:
        limits: Of a language; None for one without thresholds, of which nothing stays.
        rule: Whose threshold is varied; empty for none.
        at: The values it gets: the larger ones its upper threshold if it has only that, else the lower.
    """

    def __init__(self, limits: Callable[[str], Sequence[Limit] | None], rule: str = "", at: Sequence[float] = ()):
        self._limits = limits
        self._rule = rule
        self._at = at
        self._languages: dict[str, _Language] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts a batch with the columns `language`, `quality` and `chars` of `schema.DOCUMENTS`."""
        languages = np.array(batch.column("language").to_pylist(), object)
        chars = np.array(batch.column("chars").to_pylist(), np.int64)
        names, values = matrix(batch.column("quality"))
        for language in sorted({str(one) for one in languages}):
            rows = languages == language
            if language not in self._languages:
                self._languages[language] = _Language(language, self._limits(language), self._rule, self._at)
            self._languages[language].add(names, values[rows], chars[rows])

    def counts(self) -> list[LanguageCount]:
        """The languages, the largest first."""
        found = [language.count() for language in self._languages.values()]
        return sorted(found, key=lambda one: (-one.documents, one.language))


class _Language:
    def __init__(self, language: str, limits: Sequence[Limit] | None, rule: str, at: Sequence[float]):
        self.language = language
        self.known = limits is not None
        self.limits = list(limits or ())
        self.varied = next((n for n, limit in enumerate(self.limits) if limit.name == rule), None)
        self.at = at
        self.rows = self.kept = self.chars = self.kept_chars = 0
        self.tallies = np.zeros((len(self.limits), 4), np.int64)  # measured, breaks, first, alone
        self.at_tallies = np.zeros((len(at), 3), np.int64)  # by rule, by all, characters
        self.samples = [_Sample() for _ in self.limits]

    def add(self, names: dict[str, int], values: Floats, chars: NDArray[np.int64]) -> None:
        nothing = np.full(len(values), np.nan)
        columns = [values[:, names[one.name]] if one.name in names else nothing for one in self.limits]
        broken = np.zeros((len(self.limits), len(values)), np.bool_)
        for number, (column, limit) in enumerate(zip(columns, self.limits, strict=True)):
            broken[number] = _breaks(column, limit)
        keeps = ~broken.any(axis=0) & self.known
        alone = broken & (broken.sum(axis=0) == 1)
        first = broken & (np.cumsum(broken, axis=0) == 1)
        for number, column in enumerate(columns):
            parts = (~np.isnan(column), broken[number], first[number], alone[number])
            self.tallies[number] += [np.count_nonzero(part) for part in parts]
            self.samples[number].add(column)
        self.rows += len(values)
        self.kept += int(np.count_nonzero(keeps))
        self.chars += int(chars.sum())
        self.kept_chars += int(chars[keeps].sum())
        if self.varied is not None:
            others = ~np.delete(broken, self.varied, axis=0).any(axis=0)
            for number, value in enumerate(self.at):
                good = ~_breaks(columns[self.varied], moved(self.limits[self.varied], value))
                both = good & others
                self.at_tallies[number] += [np.count_nonzero(good), np.count_nonzero(both), int(chars[both].sum())]

    def count(self) -> LanguageCount:
        rules = [
            RuleCount(
                rule=limit.name,
                low=_finite(limit.low),
                high=_finite(limit.high),
                **dict(zip(("measured", "breaks", "first", "alone"), map(int, tally), strict=True)),
                percentiles=sample.percentiles(),
            )
            for limit, tally, sample in zip(self.limits, self.tallies, self.samples, strict=True)
        ]
        at = [AtCount(float(value), *map(int, tally)) for value, tally in zip(self.at, self.at_tallies, strict=True)]
        return LanguageCount(
            self.language,
            self.rows,
            self.kept,
            self.chars,
            self.kept_chars,
            rules,
            at if self.varied is not None else [],
        )


class _Sample:
    """Every n-th value."""

    def __init__(self) -> None:
        self.step = 1
        self.seen = 0
        self.values: Floats = np.empty(0)

    def add(self, column: Floats) -> None:
        begin = -self.seen % self.step
        self.seen += len(column)
        self.values = np.concatenate([self.values, column[begin :: self.step]])
        while len(self.values) > SAMPLE:
            self.values = self.values[::2]
            self.step *= 2

    def percentiles(self) -> dict[str, float]:
        values = self.values[~np.isnan(self.values)]
        found = np.percentile(values, PERCENTILES) if len(values) else ()
        return {f"p{name}": float(value) for name, value in zip(PERCENTILES, found, strict=False)}


def moved(limit: Limit, value: float) -> Limit:
    """The limit with another threshold: the upper one if it is the only one, else the lower."""
    upper = limit.low == float("-inf")
    return Limit(name=limit.name, low=limit.low if upper else value, high=value if upper else limit.high)


def matrix(column: Any) -> tuple[dict[str, int], Floats]:
    """A column of maps as a matrix: which column a name has, and values by row; NaN where there is none."""
    names: dict[str, int] = {}
    pairs = [
        (row, names.setdefault(name, len(names)), np.nan if value is None else value)
        for row, one in enumerate(column.to_pylist())
        for name, value in one or ()
    ]
    values = np.full((len(column), len(names)), np.nan)
    if pairs:
        rows, columns, found = zip(*pairs, strict=True)
        values[list(rows), list(columns)] = found
    return names, values


def _breaks(column: Floats, limit: Limit) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return (column < limit.low) | (column > limit.high)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
