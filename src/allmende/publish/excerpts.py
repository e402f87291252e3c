"""A handful of documents to look at: how each begins."""

from collections.abc import Iterable

import msgspec

from allmende.publish.sink import Row

_CHARS = 500
_LINES = 10


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the report shows it."""

    title: str
    text: str
    """Its beginning."""
    language: str
    url: str
    """Empty if it is not http(s)."""
    facts: str
    """Length, extractor, date."""


def excerpts(rows: Iterable[Row], limit: int = 12) -> tuple[Excerpt, ...]:
    """The beginnings of the first documents: these are released in random order, so that is a fair choice."""
    return tuple(_excerpt(row) for row, _ in zip(rows, range(limit), strict=False))


def _excerpt(row: Row) -> Excerpt:
    url = str(row.get("url") or "")
    facts = (f"{row['chars']:,} characters", row.get("extractor"), row.get("date"))
    return Excerpt(
        title=_short(str(row.get("title") or ""), 120),
        text=_short("\n".join(str(row.get("text") or "").split("\n")[:_LINES]), _CHARS),
        language=str(row.get("language") or ""),
        url=url if len(url) <= 2_000 and url.startswith(("http://", "https://")) else "",
        facts=" · ".join(_short(str(fact), 40) for fact in facts if fact),
    )


def _short(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[:limit] + "…"
