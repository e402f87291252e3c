"""AIPREF: `Content-Usage: train-ai=n`, as HTTP header and in robots.txt, there with an optional path in front.

A statement is a dictionary of RFC 9651, parsed by `http-sf`; `preferences` gives what the drafts read in it. The drafts
have no consensus yet and changed their labels often, so `says` also hears a refusal under labels of earlier drafts that
cover training. Consent counts under `train-ai` only, and under those older ones that cover all of it.

One caution is ours: of a label that stands twice in a dictionary the last wins, but proxies join two headers into one
(RFC 9110, section 5.3), and of two statements the refusal wins. A `train-ai=n` that a later member replaces, or that
stands beside something that can't be parsed, still denies.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import http_sf
import msgspec

from allmende.permission.content_signal import strictest
from allmende.permission.robots import Record, pattern
from allmende.permission.signal import VALUE_CHARS, Says, Signal

VERSION = "draft-ietf-aipref-vocab-07 and draft-ietf-aipref-attach-05 (19 August 2026)"

Preference = Literal["allow", "disallow", "unknown"]

LABELS = ("train-ai", "search")
"""Categories of use in the current draft. We train; `search` is read and decides nothing."""

OLDER_LABELS = frozenset({"tdm", "ai", "all", "bots", "ai-train"})
"""Cover all training: text and data mining and AI training in vocab-00 and -01, automated processing in -02 (`all`) and
-03 to -04 (`bots`), and `ai-train`, which tools wrote without a draft."""

OLDER_NARROW_LABELS = frozenset({"genai", "train-genai"})
"""Cover the training of generative models only (vocab-01 to -03): their refusal denies, their consent says nothing."""

_ALL = ("train-ai", *sorted(OLDER_LABELS), *sorted(OLDER_NARROW_LABELS))
_REFUSAL = re.compile(rf"(?:^|[,\s])(?:{'|'.join(map(re.escape, _ALL))})=n(?![A-Za-z0-9!#$%&'*+.^_`|~:/-])")


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A Content-Usage line of a group."""

    path: str
    """Pattern; empty if the line has none and is about all paths."""
    statement: str
    says: Says | None
    """What the statement means for training."""
    line: int


def preferences(statement: bytes) -> dict[str, Preference]:
    """What the drafts read for each of `LABELS` in the value of a header or line.

    A statement that can't be parsed says unknown to all of them.
    """
    members = _members(statement)
    return {label: _preference(members.get(label) if members else None) for label in LABELS}


def says(statement: str) -> Says | None:
    """What a statement means for training; None if it is well formed and does not speak of it."""
    if _refused_before(statement):
        return "deny"
    members = _members(statement.encode("utf-8", "surrogateescape"))
    if members is None:
        return "unknown"
    return strictest(_member_says(label, members[label]) for label in _ALL if label in members)


def header(values: Sequence[str], url: str) -> tuple[Signal, ...]:
    """The signals of Content-Usage headers, one for each that speaks of training.

    Args:
        values: Raw values in the order received.
        url: That answered with them.
    """
    return tuple(
        Signal(name="content_usage", says=word, value=value[:VALUE_CHARS], url=url, field="header:content-usage")
        for value in values
        if (word := says(value))
    )


def rule(record: Record) -> Rule:
    """A line of robots.txt, taken apart: a value that starts with `/` starts with a path."""
    path, statement = "", record.value
    if statement.startswith("/"):
        path, *rest = statement.split(None, 1)
        statement = rest[0] if rest else ""
    return Rule(path, statement, says(statement), record.line)


class Usages:
    """The Content-Usage rules that one agent is under, most specific path first.

    The drafts let the longest path that matches speak alone. We let it do so only where it says something readable about
    training: neither `/img/ search=n` nor `/img/ train-ai=perhaps` lifts the refusal that a shorter path expresses.
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[Rule]):
        compiled = [(pattern(rule.path or "/"), rule) for rule in rules if rule.says]
        rated = [(path.length if rule.path else 0, path, rule) for path, rule in compiled]
        self._rules = sorted(rated, key=lambda item: -item[0])

    def match(self, octets: str) -> list[Rule]:
        """The rules that hold for a path, most specific first. Unlike Allow and Disallow, equally specific ones add up."""
        found: list[Rule] = []
        specific = 0
        for length, path, rule in self._rules:
            if length < specific and strictest(other.says for other in found) != "unknown":
                break
            if path.matches(octets):
                found.append(rule)
                specific = length
        return found


def _members(statement: bytes) -> Mapping[str, object] | None:
    """The dictionary; None if it is none."""
    try:
        parsed = http_sf.parse(statement.strip(), tltype="dictionary")
    except http_sf.StructuredFieldError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _preference(member: object) -> Preference:
    value = member[0] if isinstance(member, tuple) else member
    if not isinstance(value, http_sf.Token):
        return "unknown"
    return {"y": "allow", "n": "disallow"}.get(str(value), "unknown")  # type: ignore[return-value]


def _member_says(label: str, member: object) -> Says | None:
    preference = _preference(member)
    if preference == "disallow":
        return "deny"
    if label in OLDER_NARROW_LABELS:
        return None
    return "allow" if preference == "allow" else "unknown"


def _refused_before(statement: str) -> bool:
    """True if any member refuses, be it that a later one of the same label replaces it, or that the rest can't be read."""
    return _REFUSAL.search(statement) is not None
