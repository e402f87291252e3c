"""Image links of a page, from what a WAT tells about it: <img src> with alt and title, and the images of its head.

A WAT has no srcset, no lazy-loading attributes, no figcaption, no JSON-LD and no text around the image.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from allmende.commoncrawl.records import Readable
from allmende.commoncrawl.wat import HeadLink, ImageLink, Meta, WatCapture, WatRecord, decode, read_wat_records
from allmende.extract.head import Reading, add_mentions, read_head, read_wanted
from allmende.extract.page import Link, Links, Page, parse_date
from allmende.extract.urls import base_url, normalise, place, resolver
from allmende.extract.words import collapse, unescape_attribute
from allmende.schema import Reason

if TYPE_CHECKING:
    from allmende.extract.wat_record import UsualRecord

try:
    from allmende.extract.wat_record import WatLinks, read_usual
except ImportError:  # no compiler was there when this was installed
    from allmende.extract.page import LinkList as WatLinks  # type: ignore[assignment]

    def read_usual(data: bytes | bytearray, block: int) -> "UsualRecord | None":
        """Leaves every record to the other way."""


def pages_from_wat(stream: Readable, max_url_chars: int = 2_000) -> Iterator[Page | Reason]:
    """What a WAT file tells: its pages, and a Reason for each capture that is none.

    The same as `page_from_wat` of all that `read_wat` finds, five times as fast where the compiled way could be built.
    """
    for item in read_wat_records(stream):
        if isinstance(item, Reason):
            yield item
        elif (page := usual_page(item, max_url_chars)) is not None:
            yield page
        elif (capture := decode(item)) is not None:
            yield capture if isinstance(capture, Reason) else page_from_wat(capture, max_url_chars)


def page_from_wat(capture: WatCapture, max_url_chars: int = 2_000) -> Page | Reason:
    """The page that a WAT tells about.

    Returns:
        The page; or `RECORD_HTTP_STATUS` (not 200), `RECORD_NOT_HTML`, `PAGE_URL_INVALID`.
    """
    if capture.status not in ("200", ""):
        return Reason.RECORD_HTTP_STATUS
    if not (capture.is_html or _is_said_to_be_html(capture)):
        return Reason.RECORD_NOT_HTML
    if isinstance(normalise(capture.url, "", 100_000), Reason):
        return Reason.PAGE_URL_INVALID
    if capture.escaped:
        capture = _unescaped(capture)
    base = base_url(capture.url, capture.head.base if capture.head else "")
    metas, links = (capture.head.metas, capture.head.links) if capture.head else ((), ())
    reading = read_head(metas, links, capture.headers, base, capture.license)
    return _page(capture, reading, base, _images(capture.images, base, max_url_chars), max_url_chars, capture.size)


def usual_page(item: WatRecord, longest: int) -> Page | None:
    """The page of a record of the usual form, without `WatCapture`; None if it has to be read in the other way."""
    if item.escaped:
        return None
    record = read_usual(item.record.data, item.record.block)
    if record is None or record.type != "response" or record.status not in ("200", ""):
        return None
    if len(record.url) > 10_000 or not place(record.url)[0]:  # too long even for a page, perhaps; or no http(s) URL
        return None
    base = base_url(record.url, record.base)
    found = record.images(base, *place(base), longest)
    if found is None:
        return None
    reading = read_wanted(record.metas, record.links, record.headers, base, record.license)
    return _page(record, reading, base, found, longest, item.record.size)


def _page(
    told: "WatCapture | UsualRecord",
    reading: Reading,
    base: str,
    found: tuple[Links, dict[Reason, int]],
    longest: int,
    size: int,
) -> Page:
    images, dropped = found
    if reading.mentions:
        add_mentions(images, dropped, reading.mentions, base, longest)
    return Page(
        url=told.url,
        facts=reading.facts,
        warc_file=told.warc_file,
        warc_offset=told.warc_offset,
        warc_length=told.warc_length,
        captured_at=parse_date(told.date),
        images=images,
        dropped=dropped,
        size=size,
    )


def _is_said_to_be_html(capture: WatCapture) -> bool:
    """Whether the headers say so: a page without head and links has no HTML-Metadata in some WATs."""
    types = [value for name, value in capture.headers.items() if name.lower() == "content-type"]
    return any("html" in str(value).lower() for value in types)


def _images(found: list[ImageLink], base: str, longest: int) -> tuple[Links, dict[Reason, int]]:
    images = WatLinks()
    reasons: list[Reason] = []
    wordless = 0
    resolve = resolver(base, longest)
    for image in found:
        alt, title = image.alt and collapse(image.alt), image.title and collapse(image.title)
        if alt:
            words = {"alt": alt, "title": title} if title else {"alt": alt}
        elif title:
            words = {"title": title}
        else:
            # Without words it is no candidate, whatever its URL: most such images are decoration.
            wordless += 1
            continue
        url = resolve(image.url)
        if isinstance(url, Reason):
            reasons.append(url)
        else:
            images.append(Link(url, "img", words))
    dropped: dict[Reason, int] = Counter(reasons)
    if wordless:
        dropped[Reason.NO_CAPTION] = wordless
    return images, dropped


def _unescaped(capture: WatCapture) -> WatCapture:
    """The capture with the character references in its attributes decoded."""
    decode = unescape_attribute
    head = capture.head and type(capture.head)(
        metas=[Meta(decode(m.name), decode(m.property), decode(m.content), m.http_equiv) for m in capture.head.metas],
        links=[HeadLink(decode(link.url), link.rel, link.type) for link in capture.head.links],
        base=decode(capture.head.base),
    )
    return replace(
        capture,
        head=head,
        images=[ImageLink(decode(i.url), decode(i.alt), decode(i.title)) for i in capture.images],
        license=decode(capture.license),
        is_html=True,
        escaped=False,
    )
