"""What became of pages of each language: a table of reasons and languages, from the counts of manifests."""

from collections import Counter
from collections.abc import Mapping

import msgspec

KEPT = "kept"

LANGUAGES = 12
"""Columns of the table, at most; the others are summed up."""

OTHERS = "others"


class LanguageFunnel(msgspec.Struct, frozen=True, kw_only=True):
    """Pages by language and fate. Those that were dropped before their language was known are in none."""

    languages: tuple[str, ...]
    """Columns: those with most pages first, then `OTHERS` if there are more."""
    seen: tuple[int, ...]
    """Pages of each language."""
    kept: tuple[int, ...]
    """Pages of each that are in the release."""
    reasons: tuple[tuple[str, tuple[int, ...]], ...]
    """Each reason with the pages of each language that left for it, the most frequent first."""


def language_funnel(fates: Mapping[str, Mapping[str, int]]) -> LanguageFunnel:
    """The table of pages by language and fate, `kept` or a reason."""
    ranked = sorted(fates, key=lambda code: (-sum(fates[code].values()), code))
    few = len(ranked) <= LANGUAGES
    names = tuple(ranked) if few else (*ranked[: LANGUAGES - 1], OTHERS)
    columns: dict[str, Counter[str]] = {name: Counter() for name in names}
    for code in ranked:
        columns[code if code in columns else OTHERS].update(fates[code])
    totals: Counter[str] = sum(columns.values(), Counter())
    reasons = sorted((fate for fate in totals if fate != KEPT), key=lambda fate: (-totals[fate], fate))
    return LanguageFunnel(
        languages=names,
        seen=tuple(sum(column.values()) for column in columns.values()),
        kept=tuple(column[KEPT] for column in columns.values()),
        reasons=tuple((fate, tuple(column[fate] for column in columns.values())) for fate in reasons),
    )
