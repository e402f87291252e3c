"""What is read off a captured page, whether from a WAT or from its HTML: facts about it, and its images."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Protocol

import msgspec
import pyarrow as pa
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


class Links(Protocol):
    """The images of a page; from a WAT and where it could be built, `allmende.extract.wat_record.WatLinks`, else `LinkList`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Link]: ...

    def append(self, link: Link, /) -> None:
        """Adds one."""
        ...

    def add_named(self, named: Sequence[tuple[str, str, str]]) -> int:
        """Adds the images that the page's head or JSON-LD names.

        One that is there already gets those words in addition, unless it has some. One without words is not added.

        Args:
            named: URL, normalised; `found_in`; words, perhaps empty.

        Returns:
            How many were left out for want of words.
        """
        ...

    @staticmethod
    def columns(pages: Sequence[Any]) -> dict[str, pa.Array]:
        """The links of several pages, all of this class, a row each.

        Columns are `url`, `found_in`, and what else any link has, by its name in `schema.CANDIDATES`; null in a link without.
        """
        ...


class LinkList(list[Link]):
    """`Links` in Python."""

    def add_named(self, named: Sequence[tuple[str, str, str]]) -> int:
        """See `Links`."""
        wordless = 0
        known = {link.url: link for link in reversed(self)}
        for url, found_in, words in named:
            place = "json_ld" if found_in == "json-ld" else "og"
            if url in known:
                if words:
                    known[url].words.setdefault(place, words)
            elif words:
                known[url] = Link(url, found_in, {place: words})
                self.append(known[url])
            else:
                wordless += 1
        return wordless

    @staticmethod
    def columns(pages: Iterable[Iterable[Link]]) -> dict[str, pa.Array]:
        """See `Links`; these may be of any kind."""
        links = list(chain.from_iterable(pages))
        told: dict[str, list[str | None]] = {name: list(map(attrgetter(name), links)) for name in ("url", "found_in")}
        for name in ("text_before", "text_after"):
            texts = list(map(attrgetter(name), links))
            if any(texts):  # in no WAT
                told[name] = [text or None for text in texts]
        for name in set().union(*map(attrgetter("words"), links)):
            told[name] = [link.words.get(name) for link in links]
        return {name: pa.array(values, pa.string()) for name, values in told.items()}


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
    images: Links = field(default_factory=LinkList)
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
