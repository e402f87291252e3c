"""`<meta name="robots">`, and metas that name an agent instead: the rules of X-Robots-Tag, in a page.

The pages' rules are stored raw, a line for each tag (`schema.CANDIDATES.page_robots`): the content of a robots tag as it
stands; of a tag that names an agent, `agent: content`. There the agent holds for the whole line.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from allmende.permission.signal import Signal
from allmende.permission.x_robots_tag import Agents, Bears, heard
from allmende.permission.x_robots_tag import signals as rule_signals

ROBOTS = frozenset({"robots", "x-robots-tag"})
"""Names (or http-equiv) of the tags that speak to everybody. The second is in no specification, but in use."""

AGENT_ENDS = ("bot", "crawler", "spider")
"""How most names of crawlers end. Pages have many metas, and the name of any could be a crawler's: extraction keeps those
that it knows, and these, so that a list of agents that a recipe names finds them."""

_VALUED = ("max-", "unavailable_after")
_line = re.compile(r"([^:,]+):(.*)", re.DOTALL).match


def stored(tags: Iterable[tuple[str, str]]) -> str | None:
    """The lines to store, of the name (lower case) and content (no line breaks) of each tag; None if there are none.

    A robots tag whose content begins like the line of another agent is written as `robots: content`.
    """
    lines = []
    for name, content in tags:
        if not content:
            continue
        if name not in ROBOTS:
            lines.append(f"{name}: {content}")
        else:
            lines.append(f"robots: {content}" if _scope(content)[0] else content)
    return "\n".join(lines) or None


def _scope(line: str) -> tuple[str, str]:
    """The agent that a line names, in lower case (empty if none), and its rules."""
    parts = _line(line.strip())
    if not parts or (name := parts[1].strip().lower()).startswith(_VALUED):
        return "", line
    return name, parts[2]


def signals(
    lines: str,
    *,
    now: datetime,
    agents: Agents = None,
    bears: Bears = "shown image",
    url: str = "",
    at: datetime | None = None,
) -> tuple[Signal, ...]:
    """What the metas of a page reserve, in their order: signals `noai` and `noindex`.

    Args:
        lines: As `stored` makes them.
        now: For `unavailable_after`; with a time zone.
        agents: Whose rules bind us.
        bears: What the rules are read for.
        url: Of the page.
        at: When it was captured.
    """
    bound = heard(agents)
    found: dict[Signal, None] = {}
    for line in lines.split("\n"):
        agent, rules = _scope(line)
        if agent in ROBOTS or agent in bound:
            field = f"meta:{agent or 'robots'}"
            told = rule_signals([rules], now=now, agents=agents, bears=bears, url=url, field=field, at=at)
            found |= dict.fromkeys(told)
    return tuple(found)
