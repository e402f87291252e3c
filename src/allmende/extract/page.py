"""What is read off a captured page, whether from a WAT or from its HTML: facts about it, and its images."""

from datetime import UTC, datetime

import msgspec
from msgspec import field

from allmende.schema import Reason


class Link(msgspec.Struct, frozen=True, gc=False):
    """One image on a page."""

    url: str
    """Normalised (`allmende.extract.urls.normalise`)."""
    found_in: str
    """Where the link stood: see column `found_in` of `schema.CANDIDATES`."""
    words: dict[str, str]
    """The places of `schema.WORDS` that have words, white space collapsed."""
    text_before: str = ""
    """Visible text before the image, white space collapsed; empty if the source is a WAT."""
    text_after: str = ""
    """The same, after the image."""


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What a page says about itself, raw; None where it says nothing."""

    language: str | None = None
    """<html lang>, else Content-Language."""
    license: str | None = None
    """Target of rel=license, resolved; else the schema.org licence."""
    robots: str | None = None
    """Content of meta robots, a line each; of metas that name an agent, `agent: content`."""
    x_robots_tag: str | None = None
    """X-Robots-Tag headers; several joined by a newline."""
    tdm_reservation: str | None = None
    """tdm-reservation: meta tag, else header; a value other than 0 and 1 only if there is no better."""
    tdm_policy: str | None = None
    """tdm-policy: meta tag, else header."""
    content_usage: str | None = None
    """Content-Usage headers; several joined by a newline."""
    rsl: str | None = None
    """RSL licences, a line each: URLs, resolved, or XML that stands in the page."""


class Page(msgspec.Struct, frozen=True, gc=False):
    """A captured page."""

    url: str
    facts: Facts
    warc_file: str | None
    warc_offset: int | None
    warc_length: int | None
    captured_at: datetime | None
    images: list[Link] = field(default_factory=list)
    """Images with words, in the order of the page; those that only the head names come last."""
    dropped: dict[Reason, int] = field(default_factory=dict)
    """Images that are no links: `URL_INVALID`, `URL_SCHEME`, `URL_TOO_LONG`; or without any words: `NO_CAPTION`."""
    size: int = 0
    """Bytes of the record that it was read from, uncompressed; 0 if that is not known."""

    def bytes_of_links(self) -> int:
        """About how much memory its links take in a table, which has the words and facts that they share once for each.

        Pages tell of few links, or of short words. But 3,000 links under one title of a megabyte are three gigabytes.
        """
        facts = sum(len(fact) for fact in msgspec.structs.astuple(self.facts) if fact)
        return sum(
            len(link.url) + len(link.text_before) + len(link.text_after) + sum(map(len, link.words.values())) + facts
            for link in self.images
        )


def parse_date(text: str) -> datetime | None:
    """A WARC-Date (ISO 8601 in UTC, WARC/1.1 with fractions) or the 14 digits of an ARC; None if it is neither."""
    try:
        if len(text) == 14 and text.isdecimal():
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
