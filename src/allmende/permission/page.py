"""Everything that a page says about an image that it shows, or about itself, from the facts stored in a row.

What binds what (each with its source in the module that reads it):

| on a page | binds the images it shows | binds the page's text |
|---|---|---|
| noai, noml | yes | yes |
| noimageai, noimageindex | yes | no |
| noindex, none, unavailable_after | no | yes |
| tdm-reservation: meta tag, header | no | yes |
| Content-Usage header | no | yes |
| RSL licence linked from it, or in it | yes, where the licence's patterns cover the image | yes |

The last: an RSL association in the head covers the document and what is in it (RSL 1.0, section 4.6), and a licence names
by patterns what it is about. One that was not fetched is unknown.

The time of a page's statements is that of its capture, and `unavailable_after` is compared with that, so that a build
gives the same rows whenever it runs. To judge by today's date, pass `now`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allmende.permission import content_usage, meta_robots, rsl, tdmrep, x_robots_tag
from allmende.permission.headers import bounded
from allmende.permission.signal import VALUE_CHARS, Signal
from allmende.permission.x_robots_tag import Agents, Bears

COLUMNS = (
    "page_robots",
    "page_x_robots_tag",
    "page_tdm_reservation",
    "page_tdm_policy",
    "page_content_usage",
    "page_rsl",
)
"""Raw statements of a page in `schema.CANDIDATES`; several of a kind are parted by line breaks."""

ROW = (*COLUMNS, "page_url", "captured_at")
"""Columns that are read."""

LINK = "page:rsl"
SCRIPT = "script:application/rsl+xml"
"""Fields of the signals for RSL: a link of the page, by header or element; XML in the page."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def page_signals(
    row: Mapping[str, Any],
    *,
    bears: Bears = "shown image",
    agents: Agents = None,
    now: datetime | None = None,
) -> tuple[Signal, ...]:
    """What the page of a row says.

    Args:
        row: With columns of `ROW`; those that lack are null.
        bears: For what it is asked: `shown image` or `document`.
        agents: Whose rules bind us.
        now: With a time zone; None for the time of capture.
    """
    raw = tuple(row.get(name) for name in COLUMNS)
    if not any(raw):
        return ()
    at = row.get("captured_at")
    # Few pages name a date: for all others one reading of the same words serves all rows.
    dated = any(text and "unavailable" in text.lower() for text in raw[:2])
    moment = (now or at or _EPOCH) if dated else _EPOCH
    image_url = row.get("url") or "" if bears == "shown image" else row.get("page_url") or ""
    found = _read(raw, bears, None if agents is None else frozenset(agents), moment)
    found += _licences(raw[5], image_url) if raw[5] else ()
    url = row.get("page_url") or ""
    return tuple(msgspec.structs.replace(signal, url=url, at=at) for signal in bounded(found))


@lru_cache(maxsize=65_536)
def _read(
    raw: tuple[str | None, ...], bears: Bears, agents: frozenset[str] | None, now: datetime
) -> tuple[Signal, ...]:
    robots, header, reservation, policy, usage, _ = raw
    found: list[Signal] = []
    if header:
        found += x_robots_tag.signals(header.split("\n"), now=now, agents=agents, bears=bears)
    if robots:
        found += meta_robots.signals(robots, now=now, agents=agents, bears=bears)
    if bears == "document":
        # Which of both it was is not stored: a meta tag goes before a header, and its own value was chosen then.
        told = tdmrep.value_signal(reservation or "", tdmrep.META, policy=policy or "")
        found += [told] if told else []
        found += content_usage.header(usage.split("\n"), "") if usage else ()
    return tuple(found)


def _licences(stored: str, url: str) -> tuple[Signal, ...]:
    """Of links, that there is a licence; of XML in the page, what it says about the file."""
    found = []
    for line in stored.split("\n"):
        if not line.startswith("<"):
            found.append(Signal(name="rsl", says="unknown", value=line[:VALUE_CHARS], field=LINK))
        elif told := rsl.signal(rsl.read(line), url, "", SCRIPT):
            found.append(told)
    return tuple(found)


def page_rsl_urls(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The RSL documents that the page of a row links to."""
    return tuple(line for line in (row.get("page_rsl") or "").split("\n") if line.startswith(("http://", "https://")))


def page_signals_column(
    table: pa.Table | pa.RecordBatch,
    *,
    bears: Bears = "shown image",
    agents: Agents = None,
    now: datetime | None = None,
) -> list[tuple[Signal, ...]]:
    """`page_signals` of every row, in order. Rows whose page says nothing cost nothing.

    Args:
        table: With columns of `ROW`; those that lack are null.
        bears: As for `page_signals`.
        agents: As for `page_signals`.
        now: As for `page_signals`.
    """
    present = [name for name in (*ROW, "url") if name in table.schema.names]
    speaks = np.zeros(table.num_rows, bool)
    for name in COLUMNS:
        if name in present:
            speaks |= np.asarray(pc.is_valid(table[name]))
    places = np.flatnonzero(speaks)
    rows = table.select(present).take(pa.array(places)).to_pylist()
    found: list[tuple[Signal, ...]] = [()] * table.num_rows
    if agents is not None:
        agents = frozenset(agents)
    for place, row in zip(places.tolist(), rows, strict=True):
        found[place] = page_signals(row, bears=bears, agents=agents, now=now)
    return found
