"""X-Robots-Tag: `[agent:] rule[, rule...]`, in one header or several.

Rules and names are case-insensitive, and of contradicting rules the strictest wins (Google, "Robots meta tag
specifications"; MDN, "X-Robots-Tag"). `agent:` is said to hold for the rules behind it too. Here it holds for the rule
that it stands before: a proxy may join two headers into one (RFC 9110, section 5.3), and then `otherbot: nofollow` and
`noai` read like `otherbot: nofollow, noai`. In doubt a rule is meant for us.

`noai` and `noimageai` are in no specification but in use since DeviantArt introduced them in 2022; `noml` is of that
kind too.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from allmende.permission.protocol import ALLOWED, Headers, Verdict

DENYING = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
"""Rules that reserve the file: img2dataset's default set, `noml`, and `none`, which means noindex and nofollow."""

_RULES = DENYING | {"all", "index", "follow", "nofollow", "noarchive", "nocache", "nosnippet", "notranslate"}
_RULES_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_WEEKDAY = re.compile(r"(unavailable_after\s*:)\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s*,")


class XRobotsTag:
    """Denies what X-Robots-Tag reserves, for everybody or for us.

    Args:
        agent: The name that we answer to.
        now: The time, for `unavailable_after`.
    """

    def __init__(self, agent: str = "allmende", now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._agents = frozenset({"", "*", agent.lower()})
        self._now = now

    def before(self, url: str) -> Verdict:
        """Allows: the header is not there yet."""
        return ALLOWED

    def after(self, url: str, headers: Headers) -> Verdict:
        """Denies if any rule that is meant for us does."""
        for value in headers.get("x-robots-tag", ()):
            for agent, rule in rules(value):
                if agent in self._agents and self._denies(rule):
                    return Verdict(False, "x-robots-tag", rule)
        return ALLOWED

    def _denies(self, rule: str) -> bool:
        name, value = _split(rule)
        if name == "unavailable_after":
            until = _date(value)
            return until is not None and until <= self._now()
        if name in _RULES_WITH_VALUE:
            return False
        return rule.rpartition(":")[2].strip() in DENYING


def rules(value: str) -> Iterator[tuple[str, str]]:
    """Agent (empty for all) and rule, both in lower case, of each rule in one header's value.

    `word:` names an agent only if a known rule follows; else it is a rule that takes a value and is not known yet.
    """
    for piece in _WEEKDAY.sub(r"\1", value.lower()).split(","):
        rule = piece.strip()
        name, rest = _split(rule)
        if rest and name not in _RULES_WITH_VALUE and (rest in _RULES or _split(rest)[0] in _RULES_WITH_VALUE):
            yield name, rest
        elif rule:
            yield "", rule


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
