"""What the tables of a build add up to: sizes, languages, hosts, failures, permission. One pass, bounded memory.

    figures = survey(sample_batches, failure_batches)

The batches need only the columns `SAMPLE_COLUMNS` and `FAILURE_COLUMNS`.
"""

import itertools
import math
from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allmende.identity import key64
from allmende.publish import permissions
from allmende.publish.permissions import PermissionCounter, Permissions
from allmende.publish.sketch import Count, Distinct, Histogram, HistogramCounter, Ranking, TopCounts

LISTED = 25
"""Lines of a ranking."""

Floats = NDArray[np.float64]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is counted over the rows of a dataset."""

    samples: int
    failures: int
    occurrences: int
    """Links in the crawl that the samples stand for: the sum of `seen`."""
    seen_again: int
    """Samples that stand for more than one link."""
    bytes_stored: int
    captured: tuple[str, str] | None
    """First and last day of the pages' captures, ISO 8601."""
    histograms: dict[str, Histogram]
    rankings: dict[str, Ranking]
    permissions: Permissions
    distinct: dict[str, Count]


HOST = r"^[a-z]+://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/:?#]+)"
"""The host of a URL that the WHATWG parser has normalised."""


def hosts(urls: pa.Array) -> pa.Array:
    """Host names of URLs; null where there is none."""
    return pc.struct_field(pc.extract_regex(urls, HOST), "host")


def top_level(urls: pa.Array) -> pa.Array:
    """Top-level domains with a dot (`.de`); numeric addresses as `address`."""
    names = hosts(urls)
    last = pc.struct_field(pc.extract_regex(names, r"\.(?P<last>[^.]+)$"), "last")
    numeric = pc.match_substring_regex(names, r"^\[|^[0-9.]+$")
    return pc.if_else(numeric, "address", pc.binary_join_element_wise("", last, "."))


def floats(values: pa.Array) -> Floats:
    """The values that are known."""
    return np.asarray(pc.cast(values.drop_null(), pa.float64()))


def column(name: str) -> Callable[[pa.RecordBatch], pa.Array]:
    """What takes a column out of a batch."""
    return lambda batch: batch.column(name)


def _words(batch: pa.RecordBatch) -> pa.Array:
    return pc.list_value_length(pc.utf8_split_whitespace(batch.column("caption")))


def _aspect(batch: pa.RecordBatch) -> pa.Array:
    width = pc.cast(batch.column("original_width"), pa.float64())
    return pc.divide(width, pc.cast(batch.column("original_height"), pa.float64()))


class Axis(msgspec.Struct, frozen=True):
    """A histogram to be filled: what it shows, from where, over which bins."""

    title: str
    unit: str
    values: Callable[[pa.RecordBatch], pa.Array]
    low: float
    high: float
    bins: int
    logarithmic: bool
    ticks: tuple[tuple[float, str], ...]
    whole: bool = True
    """Whether all values are whole numbers."""

    def edges(self) -> Floats:
        """Bounds of the bins, one more than there are bins."""
        if self.logarithmic:
            return np.geomspace(self.low, self.high, self.bins + 1)
        return np.linspace(self.low, self.high, self.bins + 1)


_PIXELS = tuple((2.0**power, str(2**power)) for power in range(6, 14))
POWERS = tuple((10.0**power, f"{10**power:,}") for power in range(4))
_SHAPES = ((1 / 3, "1:3"), (1 / 2, "1:2"), (1.0, "1:1"), (2.0, "2:1"), (3.0, "3:1"))
_SIZES = ((1e3, "1 kB"), (1e4, "10 kB"), (1e5, "100 kB"), (1e6, "1 MB"), (1e7, "10 MB"))
_TIMES = ((10.0, "10 ms"), (100.0, "0.1 s"), (1000.0, "1 s"), (10_000.0, "10 s"), (60_000.0, "60 s"))
SHARES = ((0.0, "0"), (0.5, "0.5"), (1.0, "1"))

_AXES = {
    "width": Axis("Width", "pixels", column("original_width"), 32, 8192, 32, True, _PIXELS),
    "height": Axis("Height", "pixels", column("original_height"), 32, 8192, 32, True, _PIXELS),
    "aspect": Axis("Shape", "width : height", _aspect, 0.25, 4, 33, True, _SHAPES, whole=False),
    "bytes": Axis("File size", "bytes", column("original_bytes"), 1e3, 3e7, 36, True, _SIZES),
    "characters": Axis(
        "Caption length",
        "characters",
        lambda batch: pc.utf8_length(batch.column("caption")),
        1,
        1024,
        30,
        True,
        POWERS,
    ),
    "words": Axis("Words", "words, split at spaces", _words, 1, 256, 24, True, POWERS[:3]),
    "language_score": Axis(
        "Language score", "confidence, 0 to 1", column("language_score"), 0, 1, 20, False, SHARES, whole=False
    ),
    "fetch_ms": Axis(
        "Time per file", "milliseconds, request to last byte", column("fetch_ms"), 1, 1e5, 30, True, _TIMES
    ),
}

_SAMPLE_RANKINGS: dict[str, Callable[[pa.RecordBatch], pa.Array]] = {
    "language": column("language"),
    "caption_source": column("caption_source"),
    "found_in": column("found_in"),
    "format": column("original_format"),
    "licence": lambda batch: pc.coalesce(batch.column("page_license_id"), batch.column("page_license")),
    "image_host": lambda batch: hosts(batch.column("url")),
    "page_host": lambda batch: hosts(batch.column("page_url")),
    "top_level_domain": lambda batch: top_level(batch.column("page_url")),
}

_FAILURE_RANKINGS: dict[str, Callable[[pa.RecordBatch], pa.Array]] = {
    "failure_reason": column("reason"),
    "failure_status": lambda batch: pc.cast(batch.column("http_status"), pa.string()),
    "failure_host": lambda batch: hosts(batch.column("url")),
}


def _hex_hashes(values: pa.Array) -> NDArray[np.uint64]:
    return np.array([key64(value) for value in values.drop_null().to_pylist()], np.uint64)


def hashes_of(values: pa.Array) -> NDArray[np.uint64]:
    """The hashes that are known."""
    return np.asarray(values.drop_null(), np.uint64)


_DISTINCT: dict[str, Callable[[pa.RecordBatch], NDArray[np.uint64]]] = {
    "urls": lambda batch: hashes_of(batch.column("url_key")),
    "captions": lambda batch: hashes_of(batch.column("caption_key")),
    "image_hosts": lambda batch: hashes_of(batch.column("host_key")),
    "files": lambda batch: _hex_hashes(batch.column("sha256")),
    "pictures": lambda batch: _hex_hashes(batch.column("phash")),
}

SAMPLE_COLUMNS = (
    *(
        "caption",
        "caption_source",
        "found_in",
        "language",
        "language_score",
        "url",
        "page_url",
        "page_license",
        "page_license_id",
        "seen",
    ),
    *("url_key", "caption_key", "host_key", "captured_at", "fetched_at", "http_status", "fetch_ms", "sha256", "phash"),
    *("original_format", "original_width", "original_height", "original_bytes", "data_size"),
    *permissions.COLUMNS[:3],
)
"""Columns of the samples that a survey reads."""

FAILURE_COLUMNS = ("url", "url_key", "reason", "fetched_at", "http_status", *permissions.COLUMNS)
"""Columns of the failures that a survey reads."""


def survey(samples: Iterable[pa.RecordBatch], failures: Iterable[pa.RecordBatch]) -> Figures:
    """Adds up the rows of a dataset. Memory: some 60 MB, however many rows there are.

    Args:
        samples: Batches with `SAMPLE_COLUMNS`.
        failures: Batches with `FAILURE_COLUMNS`.
    """
    census = _Census()
    for batch in samples:
        census.add_samples(batch)
    for batch in failures:
        census.add_failures(batch)
    return census.figures()


class Days:
    """First and last day of times."""

    def __init__(self) -> None:
        self.bounds: tuple[str, str] | None = None
        """ISO 8601; None as long as there was no time."""

    def add(self, times: pa.Array) -> None:
        """Takes times into account; nulls are left out."""
        bounds = pc.min_max(times).as_py()
        if bounds["min"] is not None:
            days = [*(self.bounds or ()), bounds["min"].date().isoformat(), bounds["max"].date().isoformat()]
            self.bounds = (min(days), max(days))


class _Census:
    """The counters of a survey."""

    def __init__(self) -> None:
        self.samples = self.failures = self.occurrences = self.seen_again = 0
        self.bytes_stored = 0
        self.days = Days()
        self.histograms = {name: HistogramCounter(axis.edges()) for name, axis in _AXES.items()}
        self.rankings = {name: TopCounts() for name in itertools.chain(_SAMPLE_RANKINGS, _FAILURE_RANKINGS)}
        self.permissions = PermissionCounter()
        self.distinct = {name: Distinct() for name in _DISTINCT}

    def add_samples(self, batch: pa.RecordBatch) -> None:
        """Counts a batch of samples."""
        self.samples += batch.num_rows
        self.occurrences += total(batch.column("seen"))
        self.seen_again += total(pc.greater(batch.column("seen"), 1))
        self.bytes_stored += total(batch.column("data_size"))
        self.days.add(batch.column("captured_at"))
        for name, axis in _AXES.items():
            self.histograms[name].add(floats(axis.values(batch)))
        for name, values in _SAMPLE_RANKINGS.items():
            self.rankings[name].add(values(batch))
        self.permissions.add(batch)
        for name, hashes in _DISTINCT.items():
            self.distinct[name].add(hashes(batch))

    def add_failures(self, batch: pa.RecordBatch) -> None:
        """Counts a batch of candidates that yielded no sample."""
        self.failures += batch.num_rows
        for name, values in _FAILURE_RANKINGS.items():
            self.rankings[name].add(values(batch))
        self.permissions.add(batch)

    def figures(self) -> Figures:
        """The sums so far."""
        return Figures(
            samples=self.samples,
            failures=self.failures,
            occurrences=self.occurrences,
            seen_again=self.seen_again,
            bytes_stored=self.bytes_stored,
            captured=self.days.bounds,
            histograms={name: filled(_AXES[name], counter) for name, counter in self.histograms.items()},
            rankings={name: counter.ranking(LISTED) for name, counter in self.rankings.items()},
            permissions=self.permissions.figures(),
            distinct={name: counter.count() for name, counter in self.distinct.items()},
        )


def files_asked_for(batch: pa.RecordBatch) -> int:
    """Different URLs that were requested, or whose file an archive gave. Not those that were dropped before that."""
    asked = pc.or_(pc.is_valid(batch.column("fetched_at")), pc.is_valid(batch.column("http_status")))
    return int(pc.count_distinct(batch.column("url_key").filter(asked)).as_py())


def total(values: pa.Array) -> int:
    """The sum; 0 of nothing."""
    return pc.sum(values).as_py() or 0


def filled(axis: Axis, counter: HistogramCounter) -> Histogram:
    """The histogram of an axis."""
    return Histogram(
        title=axis.title,
        unit=axis.unit,
        logarithmic=axis.logarithmic,
        edges=tuple(map(float, counter.edges)),
        counts=tuple(map(int, counter.counts)),
        ticks=axis.ticks,
        whole=axis.whole,
    )


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the fetch step on the clock, from its manifest."""

    started: float
    """Seconds since 1970, UTC."""
    seconds: float
    files: int
    """Files asked for."""
    bytes: int
    """Bytes received."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Throughput over the time in which anything was under way; pauses between builds are cut out."""

    seconds: float
    """Working time."""
    files_per_second: tuple[float, ...]
    bytes_per_second: tuple[float, ...]

    @property
    def mean_files(self) -> float:
        """Files per second over the whole working time."""
        return sum(self.files_per_second) / len(self.files_per_second) if self.files_per_second else 0.0

    @property
    def mean_bytes(self) -> float:
        """Bytes per second over the whole working time."""
        return sum(self.bytes_per_second) / len(self.bytes_per_second) if self.bytes_per_second else 0.0


def pace(spans: Iterable[Span], bins: int = 60) -> Pace:
    """Throughput in equal stretches of working time. A part's files are spread evenly over its duration.

    Args:
        spans: The parts, in any order.
        bins: Number of stretches; fewer where there are fewer than two parts for each.
    """
    known = sorted((span for span in spans if span.seconds > 0), key=lambda span: span.started)
    if not known:
        return Pace(seconds=0.0, files_per_second=(), bytes_per_second=())
    starts, clock, busy_until = [], 0.0, -math.inf
    for span in known:
        pause = max(0.0, span.started - busy_until) if busy_until > -math.inf else span.started
        clock += pause
        starts.append(span.started - clock)
        busy_until = max(busy_until, span.started + span.seconds)
    seconds = busy_until - clock
    bins = max(1, min(bins, len(known) // 2))
    edges = np.linspace(0.0, seconds, bins + 1)
    files, volume = np.zeros(bins), np.zeros(bins)
    for begin, span in zip(starts, known, strict=True):
        overlap = np.minimum(edges[1:], begin + span.seconds) - np.maximum(edges[:-1], begin)
        share = np.maximum(overlap, 0.0) / span.seconds
        files += share * span.files
        volume += share * span.bytes
    width = seconds / bins
    return Pace(
        seconds=seconds,
        files_per_second=tuple(map(float, files / width)),
        bytes_per_second=tuple(map(float, volume / width)),
    )
