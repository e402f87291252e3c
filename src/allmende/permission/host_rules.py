"""What the files of one host say about a path: robots.txt and ai.txt, compiled once, asked for each of its URLs.

Only what is stated becomes a signal: no rule, no signal. Agents that have no group of their own in a file cost nothing,
and those that are under the same rules share them, so that a list of 160 agents is asked once or twice.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urljoin

import msgspec

from allmende.permission import ai_txt, content_signal, content_usage, robots
from allmende.permission.agents import OWN_TOKEN, listed
from allmende.permission.robots import Group, Matcher, Record, Robots
from allmende.permission.signal import VALUE_CHARS, Says, Signal

STATEMENTS = 4
"""Different statements of one kind that are kept, strictest first. A host that says more contradicts itself."""

RULES = 20_000
"""Rules of all AI agents together, counted for each set of agents that are under the same. Beyond that, which no honest
file needs, their Allow lines do not count: a small file must not make us build a big table for each of 150 agents."""

_STRICTEST_FIRST: tuple[Says, ...] = ("deny", "unknown", "allow")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a host, and the answer to the request for it."""

    url: str
    """As asked for, before redirects."""
    status: int | None
    """Of the last response; None if none came, or not whole."""
    body: bytes = b""
    at: datetime | None = None
    """When it came, or was captured."""
    why: str = ""
    """Why there is no answer, in a few words."""


class RobotsRules:
    """A robots.txt, ready to be asked about paths.

    Args:
        said: The file.
        own: Our product token.
        ai_agents: What `agents.keys` makes of the AI agents whose groups count for `robots_txt_ai`.
    """

    __slots__ = ("_ai", "_always", "_own", "_signals", "_usages", "answer", "licenses", "said")

    def __init__(self, said: Said, own: str = OWN_TOKEN, ai_agents: frozenset[str] | None = None):
        self.answer = robots.availability(said.status)
        read = robots.parse(said.body) if self.answer == "parse" else Robots()
        self.said = said = msgspec.structs.replace(said, body=b"")
        """The file, without its body."""
        self.licenses: tuple[Record, ...] = read.licenses
        """License lines, for RSL."""
        groups = read.applicable(own)
        records = read.loose + tuple(record for group in groups for record in group.records)
        self._own = _AgentRules(groups, said, "robots_txt", frozenset({robots.key(own), "*"})) if groups else None
        self._ai = _ai_rules(read, said, listed() if ai_agents is None else ai_agents)
        self._signals = self._content_signals(records)
        usages = [content_usage.rule(record) for record in _named(records, robots.CONTENT_USAGE)]
        self._usages = content_usage.Usages(usages) if usages else None
        self._always = self._about_the_file(read.cut)

    @property
    def rsl_urls(self) -> tuple[str, ...]:
        """Where License lines point to, absolute, each once."""
        return tuple(dict.fromkeys(url for record in self.licenses if (url := _absolute(self.said.url, record.value))))

    def signals(self, path: str) -> tuple[Signal, ...]:
        """What the file says about a path.

        Args:
            path: Path and query of a URL, as `robots.path_of` gives them.
        """
        octets = robots.octets(path)
        found = list(self._always)
        if self._own and (own := self._own.signal(octets)):
            found.append(own)
        for rules in self._ai:
            told = rules.signal(octets)
            if told and told.says == "deny":
                found.append(told)
                break
        found += self._signals
        if self._usages:
            found += self._content_usages(self._usages, octets)
        return tuple(found)

    def _about_the_file(self, cut: bool) -> tuple[Signal, ...]:
        """What holds for all paths because the file is not there, or not read to its end."""
        if self.answer == "deny":
            status = self.said.status
            why = self.said.why or ("no answer" if status is None else f"HTTP {status}")
            return (_signal(self.said, "robots_txt", "deny", why, None),)
        if cut:
            told = f"longer than {robots.PARSED_BYTES // 1024} KiB; the rest is not read"
            return (_signal(self.said, "robots_txt", "unknown", told, None),)
        return ()

    def _content_signals(self, records: Iterable[Record]) -> tuple[Signal, ...]:
        return _strictest(
            _signal(self.said, "content_signal", says, record.value, record.line)
            for record in _named(records, robots.CONTENT_SIGNAL)
            if (says := content_signal.says(record.value))
        )

    def _content_usages(self, usages: content_usage.Usages, octets: str) -> tuple[Signal, ...]:
        # The draft attaches no preference to paths that may not be crawled. A policy may let robots.txt pass, though,
        # and then this is still what the host says.
        return _strictest(
            _signal(self.said, "content_usage", rule.says, f"{rule.path} {rule.statement}".strip(), rule.line)
            for rule in usages.match(octets)
            if rule.says
        )


class AiTxtRules:
    """An ai.txt, ready to be asked about paths. Unlike robots.txt, one that can't be had says nothing.

    Args:
        said: The file.
        own: Our product token.
    """

    __slots__ = ("_known", "_matcher", "_unreadable", "said")

    def __init__(self, said: Said, own: str = OWN_TOKEN):
        read = ai_txt.read(said.body, own) if robots.availability(said.status) == "parse" else ai_txt.AiTxt()
        self._matcher = ai_txt.AiMatcher(read.rules)
        self._unreadable = (_signal(said, "ai_txt", "unknown", _start(said.body), None),) if read.unreadable else ()
        self.said = msgspec.structs.replace(said, body=b"")
        """The file, without its body."""
        self._known: dict[int, Signal] = {}

    def signals(self, path: str) -> tuple[Signal, ...]:
        """What the file says about a path and query."""
        if self._unreadable:
            return self._unreadable
        rule = self._matcher.match(path)
        if rule is None:
            return ()
        if rule.line not in self._known:
            self._known[rule.line] = _signal(
                self.said, "ai_txt", "allow" if rule.allow else "deny", rule.text, rule.line
            )
        return (self._known[rule.line],)


class _AgentRules:
    """The rules of groups that are to be taken as one, and signals made of them when they first decide."""

    __slots__ = ("_known", "_matcher", "_name", "_named", "_said")

    def __init__(self, groups: tuple[Group, ...], said: Said, name: str, agents: frozenset[str]):
        self._said = said
        self._name = name
        self._matcher = Matcher(rule for group in groups for rule in group.rules)
        self._named = tuple((_agent(group, agents), group.rules) for group in groups)
        self._known: dict[int, Signal] = {}

    def signal(self, octets: str) -> Signal | None:
        rule = self._matcher.match(octets)
        if rule is None:
            return None
        known = self._known.get(rule.line)
        if known is None:
            agent = next(agent for agent, rules in self._named if rule in rules)
            value = f"{agent}: {rule.text}"
            known = _signal(self._said, self._name, "allow" if rule.allow else "deny", value, rule.line)
            self._known[rule.line] = known
        return known


def _agent(group: Group, names: frozenset[str]) -> str:
    """How a group names one of some agents, as written."""
    return next((agent for agent in group.agents if robots.keys(agent) & names), "?")


def _ai_rules(read: Robots, said: Said, ai_agents: frozenset[str]) -> list[_AgentRules]:
    """The different rules that AI agents are under by name, those that deny anything, in the order of the file."""
    places: dict[str, list[int]] = {}
    for place, group in enumerate(read.groups):
        for key in group.keys & ai_agents:
            places.setdefault(key, []).append(place)
    shared = {tuple(found): key for key, found in sorted(places.items(), reverse=True)}
    different: dict[tuple[tuple[bool, str], ...], tuple[tuple[Group, ...], frozenset[str]]] = {}
    for found, key in sorted(shared.items()):
        groups = tuple(read.groups[place] for place in found)
        content = tuple([(rule.allow, rule.path) for group in groups for rule in group.rules])
        if not all(allow for allow, _ in content):
            different.setdefault(content, (groups, frozenset({key})))
    if sum(map(len, different)) > RULES:
        return [_all_refusals(read, said, ai_agents)]
    return [_AgentRules(groups, said, "robots_txt_ai", names) for groups, names in different.values()]


def _all_refusals(read: Robots, said: Said, ai_agents: frozenset[str]) -> _AgentRules:
    """Every Disallow of a group for an AI agent, whatever is allowed to it."""
    return _AgentRules(
        tuple(
            msgspec.structs.replace(group, rules=tuple(rule for rule in group.rules if not rule.allow))
            for group in read.groups
            if group.keys & ai_agents
        ),
        said,
        "robots_txt_ai",
        ai_agents,
    )


def _named(records: Iterable[Record], name: str) -> Iterable[Record]:
    return (record for record in records if record.name == name)


def _strictest(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Different statements, each once, strictest first."""
    different = {(signal.says, signal.value): signal for signal in reversed(list(signals))}
    if len(different) < 2:
        return tuple(different.values())
    ordered = sorted(different.values(), key=lambda signal: (_STRICTEST_FIRST.index(signal.says), signal.line or 0))
    return tuple(ordered[:STATEMENTS])


def _signal(said: Said, name: str, says: Says, value: str, line: int | None) -> Signal:
    return Signal(
        name=name, says=says, value=robots.printable(value)[:VALUE_CHARS], url=said.url, line=line, at=said.at
    )


def _start(body: bytes) -> str:
    """The first line that says something."""
    return next((line for line in body.decode("utf-8", "replace").split("\n") if line.strip()), "").strip()


def _absolute(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return ""
