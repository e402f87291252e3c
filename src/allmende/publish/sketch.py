"""Counting in bounded memory: frequent values, distinct values, histograms. Exact for small data, and honest about large.

A report over a billion rows can't hold every host name. These three hold a fixed number of entries each and know
their own error.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MOST_CHARS = 200
"""Longer strings are cut: headers and licences may be of any length, and all of them are held in memory."""


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The most frequent values."""

    rows: tuple[tuple[str, int], ...]
    """Value and count, most frequent first."""
    total: int
    """Count of all values, listed or not; nulls are not counted."""
    listed_all: bool
    """True if `rows` has every value there was."""
    error: int = 0
    """Each count is too low by this much at most; 0 as long as all values fitted in memory."""

    def share(self, first: int) -> float:
        """Part of the total that the first so many values make up, 0..1."""
        return sum(count for _, count in self.rows[:first]) / self.total if self.total else 0.0


class TopCounts:
    """Counts of the most frequent strings (Misra and Gries 1982, merged as in Agarwal et al. 2012, Mergeable Summaries).

    While fewer than `2 * capacity` different values were seen, every count is exact. Beyond that, each is
    too low by at most total / capacity.
    """

    def __init__(self, capacity: int = 20_000):
        self._capacity = capacity
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._error = 0

    def add(self, values: pa.Array) -> None:
        """Counts the strings of an array by their first `MOST_CHARS` characters; nulls are left out."""
        short = pc.utf8_slice_codeunits(values.drop_null(), 0, MOST_CHARS)
        for entry in pc.value_counts(short).to_pylist():
            self._counts[entry["values"]] += entry["counts"]
            self._total += entry["counts"]
        if len(self._counts) > 2 * self._capacity:
            self._shrink()

    def _shrink(self) -> None:
        counts = np.fromiter(self._counts.values(), np.int64, len(self._counts))
        cut = int(np.partition(counts, -self._capacity - 1)[-self._capacity - 1])
        self._counts = Counter({value: count - cut for value, count in self._counts.items() if count > cut})
        self._error += cut

    def ranking(self, limit: int) -> Ranking:
        """The `limit` most frequent values; equal counts in alphabetical order."""
        rows = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        complete = len(rows) <= limit and not self._error
        return Ranking(rows=tuple(rows[:limit]), total=self._total, listed_all=complete, error=self._error)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A number of different values."""

    value: int
    exact: bool


class Distinct:
    """Number of different hashes (bottom-k: Bar-Yossef et al. 2002). Holds the `capacity` smallest, 8 bytes each.

    Exact while there are fewer; beyond that the standard error is 1 / sqrt(capacity): 0.2 % by default.
    """

    def __init__(self, capacity: int = 250_000):
        self._capacity = capacity
        self._smallest: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._pending: list[NDArray[np.uint64]] = []
        self._pending_size = 0
        self._overflowed = False

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Adds 64-bit hashes, spread evenly over all values of uint64."""
        if len(self._smallest) == self._capacity:
            hashes = hashes[hashes <= self._smallest[-1]]
        self._pending.append(hashes)
        self._pending_size += len(hashes)
        if self._pending_size >= self._capacity:
            self._merge()

    def _merge(self) -> None:
        merged = np.unique(np.concatenate([self._smallest, *self._pending]))
        self._overflowed |= len(merged) > self._capacity
        self._smallest = merged[: self._capacity]
        self._pending, self._pending_size = [], 0

    def count(self) -> Count:
        """How many different hashes were added."""
        self._merge()
        if not self._overflowed:
            return Count(value=len(self._smallest), exact=True)
        # The k-th smallest of n values spread evenly over 0..1 is expected at k / (n + 1).
        largest = float(self._smallest[-1]) / 2.0**64
        return Count(value=round((self._capacity - 1) / largest), exact=False)


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How a number is spread over its rows."""

    title: str
    unit: str
    logarithmic: bool
    """True if the bins are equally wide on a logarithmic axis."""
    edges: tuple[float, ...]
    """Bounds of the bins, one more than counts; the outer bins also hold what lies beyond."""
    counts: tuple[int, ...]
    ticks: tuple[tuple[float, str], ...]
    """Where the axis is labelled, and how."""
    whole: bool = False
    """True if all values are whole numbers."""

    @property
    def total(self) -> int:
        """Rows counted."""
        return sum(self.counts)

    @property
    def median(self) -> float | None:
        """The middle value, as `quantile` has it; None without rows."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float | None:
        """The value that `share` of the rows, 0..1, do not exceed; interpolated within its bin, of whole numbers among those."""
        if not self.total:
            return None
        below = np.cumsum((0, *self.counts))
        at = int(np.searchsorted(below, share * self.total, side="right")) - 1
        at = min(at, len(self.counts) - 1)
        inner = (share * self.total - below[at]) / self.counts[at] if self.counts[at] else 0.0
        low, high = self.edges[at], self.edges[at + 1]
        first, end = ceil(low), ceil(high)
        if self.whole and first < end:
            return float(min(first + int(inner * (end - first)), end - 1))
        return float(low * (high / low) ** inner if self.logarithmic else low + (high - low) * inner)


class HistogramCounter:
    """Counts numbers into fixed bins."""

    def __init__(self, edges: Sequence[float] | NDArray[np.float64]):
        self.edges = np.asarray(edges, np.float64)
        self.counts = np.zeros(len(edges) - 1, np.int64)

    def add(self, values: NDArray[np.float64]) -> None:
        """Counts finite numbers; those beyond the edges go into the outer bins, NaN nowhere."""
        finite = np.clip(values[np.isfinite(values)], self.edges[0], self.edges[-1])
        self.counts += np.histogram(finite, self.edges)[0]
