"""ai.txt of Spawning: robots.txt's grammar with patterns for kinds of files (`Disallow: *.jpg`), about training.

There is no specification, only what the generator of 2023 wrote. So we read it as robots.txt, in doubt more strictly: the
case of letters does not matter (`*.jpg` is about `/A.JPG`), a Disallow wins over an Allow of the same length, and rules
before any User-agent line are for all. Other files of that name are around, in prose and in other grammars: text in which
no line is a rule says something that we can't read. A page of HTML is a server's answer to anything, and says nothing.
"""

import re

import msgspec

from allmende.permission.robots import Matcher, Rule, octets, parse

VERSION = "Spawning ai.txt (2023)"

_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")
_LINE = re.compile(rb"^[^\S\r\n]*[^#\s]", re.MULTILINE)


class AiTxt(msgspec.Struct, frozen=True):
    """An ai.txt, read."""

    rules: tuple[Rule, ...] = ()
    """Those that are for us."""
    unreadable: bool = False
    """It says something, but not in this grammar."""


class AiMatcher:
    """The rules of an ai.txt, ready to be asked."""

    __slots__ = ("_matcher", "_rules")

    def __init__(self, rules: tuple[Rule, ...]):
        # Matcher lets Allow win ties. Here Disallow has to: turned around, the rules do what is wanted.
        self._rules = {rule.line: rule for rule in rules}
        self._matcher = Matcher(
            msgspec.structs.replace(rule, allow=not rule.allow, path=rule.path.lower()) for rule in rules
        )

    def match(self, path: str) -> Rule | None:
        """The rule that decides about a path, None if there is none.

        Args:
            path: Path and query as the URL has them.
        """
        turned = self._matcher.match(octets(path.lower()))
        return self._rules[turned.line] if turned else None


def read(body: bytes, agent: str) -> AiTxt:
    """Reads an ai.txt. Takes any bytes and raises nothing.

    Args:
        body: At most what `robots.PARSED_BYTES` allows is read.
        agent: Our token; its groups are ours, else those for `*`.
    """
    if _HTML.match(body):
        return AiTxt()
    robots = parse(body)
    rules = robots.loose_rules + tuple(rule for group in robots.applicable(agent) for rule in group.rules)
    return AiTxt(rules, unreadable=not (robots.groups or robots.loose_rules) and _LINE.search(body) is not None)
