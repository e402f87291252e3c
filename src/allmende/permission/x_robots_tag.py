"""X-Robots-Tag: `[agent:] rule[, rule...]`, in one header or several. Its rules are those of meta robots, too.

Rules and names are case-insensitive, and of contradicting rules the strictest wins (Google, "Robots meta tag
specifications"; MDN, "X-Robots-Tag"). `agent:` is said to hold for the rules behind it too. Here it holds for the rule
that it stands before: a proxy may join two headers into one (RFC 9110, section 5.3), and then `otherbot: nofollow` and
`noai` read like `otherbot: nofollow, noai`. In doubt a rule is meant for us.

`noai` and `noimageai` are in no specification but in use since DeviantArt introduced them in 2022; `noml` is of that
kind too.

What a rule binds depends on whose it is. A rule of the file binds the file. Of the rules of a page, those about images
(`noimageindex`, `noimageai`) say so themselves, and `noai` and `noml` were made for pages that show pictures: they bind
the images that the page shows. `noindex`, `none` and `unavailable_after` keep the page out of an index and say nothing
of its images, which have headers of their own: they bind the page alone.

`all` and `index` are no permission to train: they are about search, and they are the default. They give no signal.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from allmende.permission.agents import OWN_TOKEN, listed
from allmende.permission.signal import VALUE_CHARS, Says, Signal

VERSION = (
    "Google, Robots meta tag specifications; MDN, X-Robots-Tag (both as of November 2026); noai (DeviantArt, 2022)"
)

OURS = frozenset({OWN_TOKEN})
"""Product tokens that we answer to, in lower case."""

Agents = Collection[str] | None
"""Product tokens whose rules bind us beside our own, in any case: those of a recipe's `permission.ai_agents`. None for the
list that ships (`allmende.permission.agents`): what a site forbids to any AI crawler, it does not offer to us."""

Bears = Literal["image", "shown image", "document"]
"""What a rule is read for: an image file, by its own header; an image, by a page that shows it; a page, for its text."""

DENYING = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
"""Rules that reserve an image file: img2dataset's default set, `noml`, and `none`, which means noindex and nofollow."""

_ABOUT_AI = frozenset({"noai", "noml", "noimageai"})
_HARMLESS = frozenset(
    {
        "all",
        "index",
        "follow",
        "nofollow",
        "noarchive",
        "nocache",
        "nosnippet",
        "notranslate",
        "nopreview",
        "noodp",
        "noydir",
        "noyaca",
        "noimageclick",
        "archive",
        "cache",
        "snippet",
        "translate",
        "imageindex",
        "imageclick",
        "odp",
        "ydir",
        "yaca",
        "indexifembedded",
        "nositelinkssearchbox",
        "nopagereadaloud",
    }
)
"""Rules about search results: Google, Bing and Yandex, also those that they have given up."""
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_KNOWN = DENYING | _HARMLESS

_WEEKDAY = re.compile(r"(unavailable_after\s*:)\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s*,(?=\s*\d)", re.IGNORECASE)
_GAPS = re.compile(r"[\s;|]+")
_SEEMS_ABOUT_AI = re.compile(r"ai|ml|llm|gpt|train|tdm|mining|learn")


class Directive(NamedTuple):
    """One rule, and whom it is for."""

    agent: str
    """In lower case, without version; empty for all."""
    rule: str
    """In lower case."""
    value: str
    """What stands behind the rule's colon."""
    text: str
    """All of it, as written."""


def signals(
    values: Sequence[str],
    *,
    now: datetime,
    agents: Agents = None,
    bears: Bears = "image",
    url: str = "",
    field: str = "header:x-robots-tag",
    at: datetime | None = None,
) -> tuple[Signal, ...]:
    """What rules reserve, in their order: signals `noai` and `noindex`.

    Args:
        values: Of each header.
        now: For `unavailable_after`; with a time zone.
        agents: Whose rules bind us.
        bears: What the rules are read for.
        url: Of the page, if they are a page's.
        field: Where they stand.
        at: When they were read.
    """
    bound = heard(agents)
    found: dict[Signal, None] = {}
    for value in values:
        for directive in directives(value):
            if directive.agent in bound and (meaning := _meaning(directive, bears, now)):
                name, says = meaning
                text = directive.text[:VALUE_CHARS]
                found[Signal(name=name, says=says, value=text, url=url, field=field, at=at)] = None
    return tuple(found)


def heard(agents: Agents) -> frozenset[str]:
    """The names, in lower case, whose rules bind us; empty and `*` for everybody's."""
    return _heard(None if agents is None else frozenset(agents))


@lru_cache(maxsize=64)
def _heard(agents: frozenset[str] | None) -> frozenset[str]:
    names = listed() if agents is None else {agent.lower() for agent in agents}
    return OURS | names | {"", "*"}


def _meaning(directive: Directive, bears: Bears, now: datetime) -> tuple[str, Says] | None:
    """Name and meaning of the signal; None if the rule is no matter here."""
    rule = directive.rule
    shown, document = bears == "shown image", bears == "document"
    if rule in _ABOUT_AI:
        return None if document and rule == "noimageai" else ("noai", "deny")
    if rule == "noimageindex":
        return None if document else ("noindex", "deny")
    if rule in ("noindex", "none", "unavailable_after"):
        return None if shown else _indexing(directive, now)
    if rule in _HARMLESS or rule in _WITH_VALUE:
        return None
    # A rule that nobody has heard of: of a page, it matters to an image only if it seems to be about AI or images.
    if _SEEMS_ABOUT_AI.search(rule):
        return "noai", "unknown"
    return ("noindex", "unknown") if not shown or "image" in rule else None


def _indexing(directive: Directive, now: datetime) -> tuple[str, Says] | None:
    if directive.rule != "unavailable_after":
        return "noindex", "deny"
    until = _date(directive.value)
    if until is None:
        return "noindex", "unknown"
    return ("noindex", "deny") if until <= now else None


def directives(value: str) -> Iterator[Directive]:
    """The rules in one header's value, or in the content of a meta tag.

    `word:` names an agent only if a known rule follows; else it is a rule that takes a value and is not known yet.
    Rules parted by spaces or semicolons are no grammar of anybody's, but what is meant is plain.
    """
    for piece in _WEEKDAY.sub(r"\1", value).split(","):
        text = piece.strip()
        if not text:
            continue
        name, rest = _split(text.lower())
        if name not in _WITH_VALUE and rest:
            agent, inner = name.partition("/")[0].strip(), _split(rest)
            if inner[0] in _KNOWN or inner[0] in _WITH_VALUE:
                yield Directive(agent, *inner, text)
                continue
            last = rest.rpartition(":")[2].strip()
            if last in DENYING:  # a: b: noai
                name, rest = last, ""
        if name in _KNOWN or name in _WITH_VALUE:
            yield Directive("", name, rest, text)
        else:
            yield from _loose(name, rest, text)


def _loose(name: str, rest: str, text: str) -> Iterator[Directive]:
    """Rules that no comma parts, if any of them is known; else one rule that is not known."""
    words = _GAPS.split(name)
    if _KNOWN.isdisjoint(words):
        yield Directive("", name, rest, text)
    else:
        yield from (Directive("", word, "", text) for word in words if word)


def _split(rule: str) -> tuple[str, str]:
    """What stands before and after the first colon."""
    name, _, rest = rule.partition(":")
    return name.strip(), rest.strip()


def _date(value: str) -> datetime | None:
    """A date in RFC 822, RFC 850 or ISO 8601 form; None if it is none of these."""
    value = value.upper()
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = parse(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return None
