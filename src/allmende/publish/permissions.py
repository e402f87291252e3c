"""What the permission signals of a dataset add up to: a funnel for each signal, and what opt-outs cost each language.

Rows are counted, not signals: a row with three reservations of one kind counts once for that kind.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allmende.permission.policy import NAMES
from allmende.publish.funnel import Stage

COLUMNS = ("signals", "policy", "verdict", "language")
"""Columns of samples and failures that are read."""

LANGUAGES = 40
"""Lines of the table of languages, at most."""


class SignalFunnel(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows met one kind of signal, and what came of it."""

    name: str
    """One of `allmende.permission.policy.NAMES`."""
    met: int
    """Rows that have at least one such signal."""
    allows: int
    """Rows for which one says that the file may be taken."""
    unknown: int
    """Rows with a value that nobody could read."""
    reserves: int
    """Rows for which one reserves the file."""
    dropped: int
    """Rows that were dropped for it: the first signal that decided."""


class LanguageCost(msgspec.Struct, frozen=True, kw_only=True):
    """What permission costs one language."""

    language: str
    judged: int
    """Rows on which a verdict was given."""
    dropped: dict[str, int]
    """Rows dropped, by the signal that decided; the most frequent first."""

    @property
    def lost(self) -> int:
        """Rows dropped for any signal."""
        return sum(self.dropped.values())


class Permissions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that report and card say about permission."""

    policies: tuple[tuple[str, int], ...]
    """Policy labels and the rows that each judged."""
    judged: int
    dropped: int
    signals: tuple[SignalFunnel, ...]
    """For every kind of signal, in the order in which they are met."""
    languages: tuple[LanguageCost, ...]
    """Largest first; at most `LANGUAGES`."""

    @property
    def stage(self) -> Stage:
        """The same as a stage of the funnel: rows leave by the signal that decided."""
        left = sorted(((s.name, s.dropped) for s in self.signals if s.dropped), key=lambda item: (-item[1], item[0]))
        kept = self.judged - self.dropped
        return Stage(step="permission", unit="row", seen=self.judged, kept=kept, dropped=dict(left))


class PermissionCounter:
    """Adds up batches that have `COLUMNS`. Memory: one counter for each pair of language and signal."""

    def __init__(self) -> None:
        self._policies: Counter[str] = Counter()
        self._met: Counter[tuple[str, str]] = Counter()
        self._any: Counter[str] = Counter()
        self._verdicts: Counter[tuple[str, str]] = Counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the rows that have a verdict."""
        table = pa.Table.from_batches([batch]).select(list(COLUMNS))
        table = table.filter(pc.is_valid(table.column("verdict")))
        if not len(table):
            return
        for row in table.column("policy").value_counts().to_pylist():
            self._policies[row["values"]] += row["counts"]
        pairs = table.group_by(["language", "verdict"]).aggregate([([], "count_all")]).to_pylist()
        for row in pairs:
            self._verdicts[row["language"] or "und", row["verdict"]] += row["count_all"]
        self._count_signals(table.column("signals").combine_chunks())

    def add_dropped(self, language: str, signal: str, rows: int) -> None:
        """Counts rows that nobody kept, of which only the signal that decided is known."""
        self._verdicts[language or "und", signal] += rows
        self._met[signal, "deny"] += rows
        self._any[signal] += rows

    def _count_signals(self, signals: pa.Array) -> None:
        """Rows for each kind of signal, and for each kind and what it says."""
        rows = pc.list_parent_indices(signals).to_numpy()
        items = pc.list_flatten(signals)
        names = np.asarray(pc.struct_field(items, "name"))
        says = np.asarray(pc.struct_field(items, "says"))
        seen = set(zip(rows.tolist(), names.tolist(), says.tolist(), strict=True))
        self._met.update((name, what) for _, name, what in seen)
        self._any.update(name for _, name in {(row, name) for row, name, _ in seen})

    def figures(self) -> Permissions:
        """The sums so far."""
        return Permissions(
            policies=tuple(self._policies.most_common()),
            judged=sum(self._verdicts.values()),
            dropped=sum(count for (_, verdict), count in self._verdicts.items() if verdict != "allowed"),
            signals=tuple(self._funnel(name) for name in NAMES),
            languages=tuple(self._languages()),
        )

    def _funnel(self, name: str) -> SignalFunnel:
        return SignalFunnel(
            name=name,
            met=self._any[name],
            allows=self._met[name, "allow"],
            unknown=self._met[name, "unknown"],
            reserves=self._met[name, "deny"],
            dropped=sum(count for (_, verdict), count in self._verdicts.items() if verdict == name),
        )

    def _languages(self) -> Iterator[LanguageCost]:
        judged: Counter[str] = Counter()
        for (language, _), count in self._verdicts.items():
            judged[language] += count
        for language, count in sorted(judged.items(), key=lambda item: (-item[1], item[0]))[:LANGUAGES]:
            lost = {v: n for (of, v), n in self._verdicts.items() if of == language and v != "allowed"}
            dropped = dict(sorted(lost.items(), key=lambda item: (-item[1], item[0])))
            yield LanguageCost(language=language, judged=count, dropped=dropped)
