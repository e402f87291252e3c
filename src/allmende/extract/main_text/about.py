"""Title, author and date that a page states: in its <meta> tags and JSON-LD, else in <title>, <h1> and <time>.

trafilatura's own metadata guesses dates from the text with a hundred patterns, which takes longer than the
extraction; what is read here is what the page says of itself in a form meant for machines.
"""

import calendar
import json
import re
from collections.abc import Iterator

import msgspec
from lxml.html import HtmlElement

from allmende.extract.words import collapse

LONGEST = 500
"""Characters of a title or author; more is no name any more."""
_MOST_JSON = 200_000
"""Characters of a JSON-LD script that is read."""
_DEEPEST = 6
"""Levels of JSON-LD that are looked at."""


class About(msgspec.Struct, frozen=True, gc=False):
    """What a page says of itself; None where it says nothing."""

    title: str | None = None
    author: str | None = None
    date: str | None = None
    """ISO 8601: a day, or a time with its zone if the page has one."""


NOTHING = About()

_TITLES = ("og:title", "citation_title", "dc.title", "dcterms.title", "twitter:title", "headline")
_AUTHORS = ("author", "article:author", "citation_author", "dc.creator", "dcterms.creator", "parsely-author")
_DATES = (
    "article:published_time",
    "datepublished",
    "citation_publication_date",
    "citation_date",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date",
    "dcterms.date",
    "parsely-pub-date",
    "pubdate",
    "date",
)
_date = re.compile(
    r"((?:19|20)\d\d)[-/]?(0[1-9]|1[0-2])[-/]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:[.,]\d+)?\s*(Z|[+-]\d\d:?\d\d)?)?(?!\d)"
).match


def read_about(tree: HtmlElement) -> About:
    """What the page says of itself.

    Args:
        tree: The parsed page; stays as it is.
    """
    said: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        content = meta.get("content")
        if name and content and name not in said:
            said[name] = content
    linked = _linked(tree)
    return About(
        title=_name(_first(said, _TITLES) or linked.get("headline") or _tag(tree, "h1") or _tag(tree, "title")),
        author=_author(_first(said, _AUTHORS) or linked.get("author")),
        date=_day(_first(said, _DATES)) or _day(linked.get("date")) or _time(tree),
    )


def _first(said: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((said[name] for name in names if said.get(name, "").strip()), None)


def _name(text: str | None) -> str | None:
    text = collapse(text or "").encode("utf-8", "replace").decode()
    return text if 0 < len(text) <= LONGEST else None


def _author(text: str | None) -> str | None:
    name = _name(text)
    return None if name is None or "://" in name else name  # some give the URL of a profile


def _tag(tree: HtmlElement, name: str) -> str | None:
    found = next(tree.iter(name), None)
    return None if found is None else "".join(found.itertext()).strip()


def _day(text: str | None) -> str | None:
    match = _date(collapse(text or ""))
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    if int(day) > calendar.monthrange(int(year), int(month))[1]:
        return None
    if hour is None:
        return f"{year}-{month}-{day}"
    if zone and zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}{zone or ''}"


def _time(tree: HtmlElement) -> str | None:
    return next((day for time in tree.iter("time") if (day := _day(time.get("datetime")))), None)


def _linked(tree: HtmlElement) -> dict[str, str]:
    """Headline, author and date from JSON-LD; the first that has each."""
    found: dict[str, str] = {}
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json":
            continue
        content = script.text or ""
        if len(content) > _MOST_JSON or ("datePublished" not in content and "author" not in content):
            continue
        try:
            parsed = json.loads(content, strict=False)
        except (ValueError, RecursionError):
            continue
        for thing in _things(parsed, _DEEPEST):
            _take(found, thing)
    return found


def _take(found: dict[str, str], thing: dict[str, object]) -> None:
    author = thing.get("author")
    author = author[0] if isinstance(author, list) and author else author
    author = author.get("name") if isinstance(author, dict) else author
    told = {"headline": thing.get("headline"), "author": author, "date": thing.get("datePublished")}
    for name, value in told.items():
        if isinstance(value, str) and value.strip():
            found.setdefault(name, value)


def _things(value: object, depth: int) -> Iterator[dict[str, object]]:
    if depth == 0:
        return
    if isinstance(value, list):
        for one in value:
            yield from _things(one, depth - 1)
    elif isinstance(value, dict):
        yield value
        for name in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _things(value.get(name), depth - 1)
