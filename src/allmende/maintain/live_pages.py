"""Documents and the pages that stand at their URLs today: whether the text is still there, and what the page reserves.

A document is known by a sample of its runs of five words, those with the smallest hashes, which is a random one (Broder 1997).
How many of them all the visible text of a page has tells how much of the document is there, whatever stands around it, and
whichever extractor took it off. Of the demo's 420 pages, each compared with the documents made of it, the least had 72 %
(placeholders, lines that rules took out, inner links); of another page of the same site the most was 36 %.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from resiliparse.extract.html2text import extract_plain_text

from allmende.commoncrawl.warc import WarcCapture
from allmende.dedup.simplify import run_hashes, word_hashes
from allmende.extract.document import Body, kind_of, read_body, read_facts
from allmende.fetch.client import Fetched
from allmende.identity import key64
from allmende.maintain.findings import Fate, Seen
from allmende.permission.page import page_rsl_urls, page_signals
from allmende.permission.policy import Policy
from allmende.schema import Reason
from allmende.steps.page_reader import page_columns

RUN = 5
"""Words in a run, as for near-duplicates."""

SAMPLED = 64
"""Runs of a document that are looked for, at most: a share is off by 6 points or less in two of three cases."""

SAME, PART = 0.7, 0.4
"""Shares from which on a text is still there, or some of it."""


class PageKind:
    """Takes pages and plain texts: see `fetch.kind.Kind`."""

    accept = "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.1"
    cut: int | None = None
    redirects = 0

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""
        return None if kind_of(_capture("", content_type, start, "")) else Reason.CONTENT_TYPE_REFUSED


def sample(text: str) -> bytes:
    """What a document is known by: hashes of at most `SAMPLED` runs, or of words if it has no run; 8 bytes each."""
    words = word_hashes(text)
    runs = run_hashes(words, RUN)
    return np.unique(runs if len(runs) else words)[:SAMPLED].tobytes()


def share(known: bytes, text: str) -> float:
    """How much of a document, by its `sample`, a text has: 0..1."""
    wanted = np.frombuffer(known, np.uint64)
    words = word_hashes(text)
    return float(np.isin(wanted, np.concatenate((words, run_hashes(words, RUN)))).mean()) if len(wanted) else 0.0


def read_page(fetched: Fetched, known: Iterable[bytes], policy: Policy) -> Seen | Reason:
    """A page as it is today.

    Args:
        fetched: What came.
        known: Samples of the documents that were made of this URL; the one that most is left of counts.
        policy: Whose signals are read.

    Returns:
        The page; `RECORD_NOT_TEXT` or `PAGE_URL_INVALID` if it is none.
    """
    url, facts = fetched.facts.final_url or fetched.url, fetched.facts
    at = facts.fetched_at or datetime.now(UTC)
    capture = _capture(url, facts.content_type, fetched.body, at.isoformat())
    body = read_body(capture)
    if isinstance(body, Reason):
        return body
    text = _visible(body)
    left = max((share(one, text) for one in known), default=0.0)
    row = page_columns(read_facts(body, capture)) | {"page_url": url, "captured_at": at}
    return Seen(
        fate=_fate(left, moved=_place(url) != _place(fetched.url)),
        answer=key64(text),
        signals=tuple(s for s in page_signals(row, bears="document", agents=policy.ai_agents) if policy.heeds(s.name)),
        licences=page_rsl_urls(row) if policy.heeds("rsl") else (),
    )


def _fate(left: float, *, moved: bool) -> Fate:
    if left >= SAME:
        return Fate.MOVED if moved else Fate.SAME
    return Fate.CHANGED if left >= PART else Fate.PAGE


def _place(url: str) -> str:
    """A URL without its scheme: https instead of http is no move."""
    return url.partition("://")[2]


def _capture(url: str, content_type: str | None, body: bytes, date: str) -> WarcCapture:
    """A response of today in the form in which archives have them; other headers were read when they came."""
    headers = {"content-type": content_type} if content_type else {}
    return WarcCapture(url=url, date=date, status="200", headers=dict(headers), body=body, offset=0, length=None)


def _visible(body: Body) -> str:
    """All text of a page, navigation and all."""
    return str(extract_plain_text(body.content, main_content=False)) if body.kind == "html" else body.content
