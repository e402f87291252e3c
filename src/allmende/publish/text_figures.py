"""What the documents of a release add up to: sizes, languages, hosts, duplicates, permission. One pass, bounded memory.

    figures = survey_documents(batches)

The batches need only the columns `COLUMNS`; the text is not among them.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from allmende.publish import permissions
from allmende.publish.figures import (
    LISTED,
    POWERS,
    SHARES,
    Axis,
    Days,
    column,
    filled,
    floats,
    hashes_of,
    hosts,
    top_level,
    total,
)
from allmende.publish.permissions import PermissionCounter, Permissions
from allmende.publish.sketch import Count, Distinct, Histogram, HistogramCounter, Ranking, TopCounts


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much text there is of something."""

    documents: int = 0
    characters: int = 0
    words: int = 0
    tokens: int = 0
    """0 unless a tokenizer was named."""

    def __add__(self, other: "Size") -> "Size":
        """Both together."""
        return Size(
            documents=self.documents + other.documents,
            characters=self.characters + other.characters,
            words=self.words + other.words,
            tokens=self.tokens + other.tokens,
        )


class Duplicates(msgspec.Struct, frozen=True, kw_only=True):
    """How many pages of the archives the documents stand for."""

    equal: int
    """Pages with the very text of a document that stayed: the sum of `seen`."""
    near: int
    """Pages in their clusters of near-duplicates: the sum of `cluster_size`."""
    repeated: int
    """Documents whose text was on more than one page."""
    clustered: int
    """Documents that stand for a cluster of more than one."""
    largest: int
    """Pages in the largest cluster."""


class TextFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is counted over the documents of a release."""

    size: Size
    languages: dict[str, Size]
    """By language, the one with most characters first."""
    duplicates: Duplicates
    captured: tuple[str, str] | None
    """First and last day of the pages' captures, ISO 8601."""
    histograms: dict[str, Histogram]
    rankings: dict[str, Ranking]
    permissions: Permissions
    hosts: Count


def _clusters(batch: pa.RecordBatch) -> pa.Array:
    """Sizes of the clusters of more than one."""
    sizes = batch.column("cluster_size")
    return sizes.filter(pc.greater(sizes, 1))


def _also(batch: pa.RecordBatch) -> pa.Array:
    """Languages of paragraphs other than the document's own: each once for a document."""
    lists = batch.column("languages")
    codes = pc.struct_field(pc.list_flatten(lists), "language")
    own = batch.column("language").take(pc.list_parent_indices(lists))
    return codes.filter(pc.fill_null(pc.not_equal(codes, own), False))


_LENGTHS = tuple((10.0**power, f"{10**power:,}") for power in range(2, 7))

_AXES = {
    "characters": Axis("Length", "characters", column("chars"), 100, 1e6, 32, True, _LENGTHS),
    "words": Axis("Length", "words, split at spaces", column("words"), 10, 1e5, 32, True, _LENGTHS[:4]),
    "language_score": Axis(
        "Language score", "confidence, 0 to 1", column("language_score"), 0, 1, 20, False, SHARES, whole=False
    ),
    "cluster": Axis(
        "Clusters of near-duplicates",
        "pages that one document stands for",
        _clusters,
        2,
        2_000,
        24,
        True,
        POWERS[1:],
    ),
}

_RANKINGS: dict[str, Callable[[pa.RecordBatch], pa.Array]] = {
    "language": column("language"),
    "extractor": column("extractor"),
    "licence": lambda batch: pc.coalesce(batch.column("page_license_id"), batch.column("page_license")),
    "host": lambda batch: hosts(batch.column("url")),
    "top_level_domain": lambda batch: top_level(batch.column("url")),
    "also": _also,
}

COLUMNS = (
    *("url", "language", "language_score", "languages", "page_license", "page_license_id", "captured_at", "extractor"),
    *("chars", "words", "seen", "cluster_size", "host_key"),
    *permissions.COLUMNS[:3],
)
"""Columns of documents that a survey reads."""


def survey_documents(
    batches: Iterable[pa.RecordBatch],
    tokens: Mapping[str, int] | None = None,
    denied: Mapping[tuple[str, str], int] | None = None,
) -> TextFigures:
    """Adds up the documents of a release. Memory: some 40 MB, however many there are.

    Args:
        batches: With `COLUMNS`.
        tokens: Of each language, if a tokenizer was named.
        denied: Pages that permission dropped, by language and the signal that decided.
    """
    census = _Census()
    for (language, signal), pages in (denied or {}).items():
        census.permissions.add_dropped(language, signal, pages)
    for batch in batches:
        census.add(batch)
    return census.figures(tokens or {})


class _Census:
    """The counters of a survey."""

    def __init__(self) -> None:
        self.languages: dict[str, Size] = {}
        self.sums = dict.fromkeys(Duplicates.__struct_fields__, 0)
        self.days = Days()
        self.histograms = {name: HistogramCounter(axis.edges()) for name, axis in _AXES.items()}
        self.rankings = {name: TopCounts() for name in _RANKINGS}
        self.permissions = PermissionCounter()
        self.hosts = Distinct()

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts a batch of documents."""
        self._add_languages(batch)
        self._add_duplicates(batch)
        self.days.add(batch.column("captured_at"))
        for name, axis in _AXES.items():
            self.histograms[name].add(floats(axis.values(batch)))
        for name, values in _RANKINGS.items():
            self.rankings[name].add(values(batch))
        self.permissions.add(batch)
        self.hosts.add(hashes_of(batch.column("host_key")))

    def _add_languages(self, batch: pa.RecordBatch) -> None:
        table = pa.Table.from_batches([batch]).select(["language", "chars", "words"])
        sums = table.group_by("language").aggregate([([], "count_all"), ("chars", "sum"), ("words", "sum")])
        for row in sums.to_pylist():
            code = row["language"] or "und"
            size = Size(documents=row["count_all"], characters=row["chars_sum"] or 0, words=row["words_sum"] or 0)
            self.languages[code] = self.languages.get(code, Size()) + size

    def _add_duplicates(self, batch: pa.RecordBatch) -> None:
        seen, cluster = batch.column("seen"), pc.coalesce(batch.column("cluster_size"), batch.column("seen"))
        self.sums["equal"] += total(seen)
        self.sums["near"] += total(cluster)
        self.sums["repeated"] += total(pc.greater(seen, 1))
        self.sums["clustered"] += total(pc.greater(cluster, 1))
        self.sums["largest"] = max(self.sums["largest"], pc.max(cluster).as_py() or 0)

    def figures(self, tokens: Mapping[str, int]) -> TextFigures:
        """The sums so far."""
        sizes = {code: size + Size(tokens=tokens.get(code, 0)) for code, size in self.languages.items()}
        ranked = sorted(sizes.items(), key=lambda item: (-item[1].characters, item[0]))
        return TextFigures(
            size=sum(sizes.values(), Size()),
            languages=dict(ranked),
            duplicates=Duplicates(**self.sums),
            captured=self.days.bounds,
            histograms={name: filled(_AXES[name], counter) for name, counter in self.histograms.items()},
            rankings={name: counter.ranking(LISTED) for name, counter in self.rankings.items()},
            permissions=self.permissions.figures(),
            hosts=self.hosts.count(),
        )
