"""robots.txt by RFC 9309: bytes in, groups and rules out; and which rule decides about a path.

Written anew because no library at hand passes `tests/unit/permission/robots_vectors.toml` and keeps line numbers and
the other records; `docs/decisions/0007-robots.md` has the comparison and each reading where the text leaves a choice.

Paths are compared in the form of section 2.2.2 (`octets`). Patterns are matched piece by piece, from left to right: that
is exact for `*` and `$`, and takes time in proportion to pattern and path, whatever a hostile file says.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import msgspec

VERSION = "RFC 9309 (September 2022)"

PARSED_BYTES = 512 * 1024
"""What is read of a file. RFC 9309, section 2.5, asks for at least 500 KiB. The rest is cut at a line end, so that no half
rule says what its author did not, and `Robots.cut` tells. Who fetches may cut there too, at this very length."""

CACHED_CHARS = 200
"""Longer names and patterns are not remembered: a cache must not hold what a hostile file puts there."""

AGENT = "user-agent"
ALLOW = "allow"
DISALLOW = "disallow"
CONTENT_SIGNAL = "content-signal"
CONTENT_USAGE = "content-usage"
LICENSE = "license"

_NAMES = {name: name for name in (AGENT, ALLOW, DISALLOW, CONTENT_SIGNAL, CONTENT_USAGE, LICENSE)} | {
    "useragent": AGENT,
    "user agent": AGENT,
    "dissallow": DISALLOW,
    "dissalow": DISALLOW,
    "disalow": DISALLOW,
    "diasllow": DISALLOW,
    "disallaw": DISALLOW,
    "content signal": CONTENT_SIGNAL,
    "content-signals": CONTENT_SIGNAL,
    "content usage": CONTENT_USAGE,
}
"""Names of lines, with the misspellings that Google's parser accepts."""

_SPELLINGS = _NAMES | {
    "User-agent": AGENT,
    "User-Agent": AGENT,
    "Allow": ALLOW,
    "Disallow": DISALLOW,
    "Content-Signal": CONTENT_SIGNAL,
    "Content-Usage": CONTENT_USAGE,
    "Sitemap": "",
    "Crawl-delay": "",
    "Crawl-Delay": "",
}
"""How names are written mostly, so that few must be brought into one form. Empty: not for us."""

_WITHOUT_COLON = re.compile(r"[\s\ufeff]*(user-agent|allow|disallow)\s+(\S+)\s*", re.IGNORECASE)
_AFTER_TOKEN = re.compile(r"[^a-z0-9_-]")
_COMPATIBLE = re.compile(r"\(compatible;\s*([a-z0-9_-]+)")

Answer = Literal["parse", "allow", "deny"]


class Rule(msgspec.Struct, frozen=True, gc=False):
    """An Allow or Disallow line."""

    allow: bool
    path: str
    """As written."""
    line: int
    """From 1."""

    @property
    def text(self) -> str:
        """The line as it should stand there."""
        return f"{'Allow' if self.allow else 'Disallow'}: {self.path}"


class Record(msgspec.Struct, frozen=True, gc=False):
    """A line that RFC 9309 calls another record: Content-Signal, Content-Usage or License."""

    name: str
    """In lower case."""
    value: str
    line: int


class Group(msgspec.Struct, frozen=True, gc=False):
    """User-agent lines and what follows them."""

    agents: tuple[str, ...]
    """As written."""
    keys: frozenset[str]
    """What `key` makes of them."""
    rules: tuple[Rule, ...]
    records: tuple[Record, ...]


class Robots(msgspec.Struct, frozen=True, gc=False):
    """A robots.txt, read."""

    groups: tuple[Group, ...] = ()
    """In the order of the file; groups of the same agent are not merged yet."""
    loose: tuple[Record, ...] = ()
    """Other records before any User-agent line. They are for everybody."""
    licenses: tuple[Record, ...] = ()
    """License lines, which belong to no group wherever they stand (RSL 1.0)."""
    loose_rules: tuple[Rule, ...] = ()
    """Allow and Disallow before any User-agent line. RFC 9309 ignores them (section 2.2.2), and so does `applicable`."""
    cut: bool = False
    """Not shorter than `PARSED_BYTES`: what may follow is not known."""

    def named(self, agent: str) -> tuple[Group, ...]:
        """All groups that name an agent."""
        wanted = key(agent)
        return tuple(group for group in self.groups if wanted in group.keys)

    def applicable(self, agent: str) -> tuple[Group, ...]:
        """The groups that an agent must obey, to be taken as one: those that name it, else those for `*`."""
        return self.named(agent) or tuple(group for group in self.groups if "*" in group.keys)


def availability(status: int | None) -> Answer:
    """What an answer to the request for robots.txt means (section 2.3.1).

    429 is no statement that there is no robots.txt but that we ask too often: as Google does, we read it like a server
    error. A redirect that is left after five or more were followed tells us nothing either. 1xx as an answer is an error.

    Args:
        status: HTTP status after redirects; None if there was no answer.
    """
    if status is not None and 200 <= status < 300:
        return "parse"
    if status is not None and 400 <= status < 500 and status != 429:
        return "allow"
    return "deny"


def key(agent: str) -> str:
    """Under what an agent's name is looked up: `*`, its product token in lower case, or several words as they are.

    RFC 9309 tokens are letters, `_` and `-`. Digits are part of the token here: cut at them, `img2dataset` would be `img`,
    and a group for `img` would bind it. A version (`GPTBot/1.1`), a dot and what follows them are cut.
    """
    words = agent.lower().split()
    if not words:
        return ""
    first = words[0]
    if len(words) > 1 and first != "*" and "/" not in first:
        return " ".join(words)
    return first if first == "*" else _AFTER_TOKEN.split(first, maxsplit=1)[0]


def keys(value: str) -> frozenset[str]:
    """All keys under which a User-agent line is found: its token, its words, and the bot that a browser's name is lent to."""
    return _common_keys(value) if len(value) <= CACHED_CHARS else _keys(value)


def _keys(value: str) -> frozenset[str]:
    value = value.lower()
    compatible = _COMPATIBLE.search(value)
    found = {compatible[1]} if compatible else set()
    for part in value.split(","):
        if words := part.split():
            found |= {key(words[0]), key(part)}
    return frozenset(found - {""})


_common_keys = lru_cache(maxsize=10_000)(_keys)


def parse(body: bytes) -> Robots:
    """Reads a robots.txt. Takes any bytes and raises nothing.

    UTF-8 with or without byte order mark, UTF-16 with one; other octets are kept as they are. Lines end with CR, LF or
    CRLF. What is no line of a known name is skipped.
    """
    reader = _Reader()
    cut = len(body) >= PARSED_BYTES
    for number, line in enumerate(_lines(body[:PARSED_BYTES], cut), 1):
        name, colon, value = line.partition(":")
        known = _SPELLINGS.get(name)
        if known is None:
            known = _NAMES.get(name.strip(" \t\ufeff").lower())
        if known:
            reader.take(known, value.partition("#")[0].strip(), number)
        elif not colon and (match := _WITHOUT_COLON.fullmatch(line.partition("#")[0])):
            reader.take(match[1].lower(), match[2], number)
    reader.close()
    groups, loose, licenses, rules = reader.groups, reader.loose, reader.licenses, reader.loose_rules
    return Robots(tuple(groups), tuple(loose), tuple(licenses), tuple(rules), cut)


def _lines(body: bytes, cut: bool) -> list[str]:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", "replace")
    else:
        text = body.replace(b"\0", b"").decode("utf-8", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return lines[:-1] if cut else lines


class _Reader:
    """Lines in, groups out: the grammar of section 2.2, where only a rule ends a run of User-agent lines."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.loose: list[Record] = []
        self.licenses: list[Record] = []
        self.loose_rules: list[Rule] = []
        self._agents: list[str] = []
        self._rules: list[Rule] = []
        self._records: list[Record] = []
        self._ruled = False

    def take(self, name: str, value: str, line: int) -> None:
        if name == AGENT:
            if self._ruled:
                self.close()
            self._agents.append(value)
        elif name in {ALLOW, DISALLOW}:
            self._ruled = bool(self._agents)
            if value:
                (self._rules if self._agents else self.loose_rules).append(Rule(name == ALLOW, value, line))
        elif name == LICENSE:
            self.licenses.append(Record(name, value, line))
        else:
            (self._records if self._agents else self.loose).append(Record(name, value, line))

    def close(self) -> None:
        if self._agents:
            found = frozenset().union(*map(keys, self._agents))
            self.groups.append(Group(tuple(self._agents), found, tuple(self._rules), tuple(self._records)))
        self._agents, self._rules, self._records, self._ruled = [], [], [], False


class Pattern(msgspec.Struct, frozen=True, gc=False):
    """A path pattern, ready to be compared. `pattern` makes it."""

    head: str
    """What a path must start with: all before the first `*`."""
    pieces: tuple[str, ...] | None
    """What must follow, in this order, each behind the one before it; None if there is no `*`."""
    end: str | None
    """What it must end with, if it is anchored by `$`."""
    length: int
    """Octets of the pattern: how specific it is. 0 matches nothing."""

    def matches(self, octets: str) -> bool:
        """True if a path, in the form that `octets` gives it, matches."""
        if not octets.startswith(self.head):
            return False
        if self.pieces is None:
            return self.end is None or len(octets) == len(self.head)
        at = len(self.head)
        for piece in self.pieces:
            at = octets.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return self.end is None or (octets.endswith(self.end) and len(octets) - len(self.end) >= at)


def pattern(path: str) -> Pattern:
    """Compiles a path pattern as it stands in a file."""
    return _common_pattern(path) if len(path) <= CACHED_CHARS else _compiled(path)


def _compiled(path: str) -> Pattern:
    anchored = path.endswith("$")
    before, mark, query = path.removesuffix("$").partition("?")
    body = _escape(before, in_query=False) + mark + _escape(query, in_query=True)
    length = len(body) + anchored
    head, *pieces = body.split("*")
    if not pieces:
        return Pattern(head, None, "" if anchored else None, length)
    end = pieces.pop() if anchored else None
    return Pattern(head, tuple(piece for piece in pieces if piece), end, length)


_common_pattern = lru_cache(maxsize=20_000)(_compiled)
"""Most hosts have the same few."""


class Matcher:
    """The rules that one agent obeys, most specific first; Allow before Disallow where they are equally specific."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[Rule]):
        compiled = [(pattern(rule.path), rule) for rule in rules]
        compiled.sort(key=lambda item: (-item[0].length, not item[1].allow))
        self._rules = [(path.head, path, rule) for path, rule in compiled if path.length]

    def match(self, octets: str) -> Rule | None:
        """The rule that decides; None if none matches, and the path is allowed.

        Args:
            octets: Path and query as `octets` gives them.
        """
        if octets == "/robots.txt":
            return None
        for head, path, rule in self._rules:  # the head alone rules most of them out
            if octets.startswith(head) and path.matches(octets):
                return rule
        return None


_PLAIN = re.compile(r"[A-Za-z0-9\-._~/?&=+,;:@!'()\[\]]*")
_ODD = re.compile(rb"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/?&=+,;:@!'()\[\]*]")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN_IN_QUERY = _UNRESERVED | frozenset(b"/?:@!'(),;[]")


def octets(path: str) -> str:
    """Path and query of a URL, in the form in which section 2.2.2 compares them.

    ASCII only: other octets percent-encoded, hexadecimal digits in upper case, unreserved characters not encoded. In a
    query, reserved characters that separate nothing there are the same encoded or not, as in the RFC's table
    (`?baz=https://foo.bar`). `*` and `$` are encoded, so that only a pattern's `%2A` and `%24` meet them.
    """
    if "#" in path:
        path = path.partition("#")[0]
    if not path.startswith("/"):
        path = f"/{path}"
    if _PLAIN.fullmatch(path):
        return path
    head, mark, query = path.partition("?")
    return (_escape(head, in_query=False) + mark + _escape(query, in_query=True)).replace("*", "%2A")


def _escape(text: str, *, in_query: bool) -> str:
    """One form for all spellings of the same octets; `*` is left as it is."""
    if _PLAIN.fullmatch(text):
        return text
    plain = _PLAIN_IN_QUERY if in_query else _UNRESERVED

    def piece(match: re.Match[bytes]) -> bytes:
        found = match[0]
        if len(found) == 3:
            octet = int(found[1:], 16)
            return bytes([octet]) if octet in plain else found.upper()
        return found if found == b"%" else b"%%%02X" % found[0]

    return _ODD.sub(piece, text.encode("utf-8", "surrogateescape")).decode("ascii")


def path_of(url: str) -> str:
    """Path and query of an absolute URL."""
    rest = url.partition("://")[2].partition("#")[0]
    start = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[start:] or "/"


def printable(text: str) -> str:
    """Without the stand-ins for octets that are no UTF-8, which tables can't hold."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
