"""Everything that the headers of a response say about the file that came with them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from allmende.permission import content_usage, tdmrep, x_robots_tag
from allmende.permission.protocol import Headers
from allmende.permission.rsl import rsl_urls
from allmende.permission.signal import VALUE_CHARS, Signal
from allmende.permission.x_robots_tag import Agents, Bears

NAMES = frozenset({"x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage", "link"})
"""Headers that are read."""

MOST_ALIKE = 16
"""Signals of one name and meaning that are kept of one response, or of one page."""

LINK = "header:link"
"""Field of the signal for an RSL licence that a header names."""


def signals(
    headers: Headers,
    url: str,
    *,
    now: datetime,
    agents: Agents = None,
    bears: Bears = "image",
    licences: bool = True,
) -> tuple[Signal, ...]:
    """Signals `noai`, `noindex`, `tdmrep`, `content_usage` and `rsl`, with `now` as the time at which they were read.

    An RSL licence that `Link` names is a document of its own: until somebody has fetched and read it (`rsl_urls`,
    `allmende.permission.rsl`), all we know is that there is one. Its signal is unknown, with the URL as value.

    Args:
        headers: All of them.
        url: That answered, after redirects.
        now: With a time zone.
        agents: Whose rules of X-Robots-Tag bind us.
        bears: What the file is.
        licences: Give that signal; not for a caller who goes and reads the licences.
    """
    if NAMES.isdisjoint(headers):
        return ()
    told = {name: [_writable(value) for value in headers.get(name, ())] for name in NAMES}
    found = list(x_robots_tag.signals(told["x-robots-tag"], now=now, agents=agents, bears=bears))
    policy = first(told["tdm-policy"])
    reserved = tdmrep.value_signal(told["tdm-reservation"], tdmrep.HEADER, policy=policy)
    if reserved:
        found.append(reserved)
    found += content_usage.header(told["content-usage"], "")
    links = rsl_urls(told, url) if licences else ()
    found += [Signal(name="rsl", says="unknown", value=link[:VALUE_CHARS], field=LINK) for link in links]
    return tuple(msgspec.structs.replace(signal, at=now) for signal in bounded(found))


def _writable(value: str) -> str:
    """Without lone surrogates, which tables can't hold."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def bounded(signals: Iterable[Signal]) -> list[Signal]:
    """The first `MOST_ALIKE` of each name and meaning: enough to decide, and no server fills our tables."""
    counts: Counter[tuple[str, str]] = Counter()
    kept = []
    for signal in signals:
        counts[signal.name, signal.says] += 1
        if counts[signal.name, signal.says] <= MOST_ALIKE:
            kept.append(signal)
    return kept


def first(values: Sequence[str]) -> str:
    """The first value that is not empty, without white space around it; else empty."""
    return next((value.strip() for value in values if value.strip()), "")
