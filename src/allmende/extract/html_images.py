"""Images of a page, from its HTML: <img> with all that loads it, links to image files, JSON-LD, and the head's.

The page is parsed by Lexbor, as browsers parse it with scripts off, so what stands in <noscript> is part of it.

The same capture gives the same candidates (`uid`) as its WAT, as long as an image has neither srcset nor <picture>
nor lazy loading: of those, the largest image counts here, and `src` there. What a WAT does not have (figcaption,
aria-label, link text, JSON-LD, links to files) comes in addition, and an image that only repeats another for browsers
without scripts does not count twice.
"""

import re

from selectolax.lexbor import LexborHTMLParser

from allmende.commoncrawl.warc import WarcCapture, content_type, header
from allmende.extract.charset import decode_page
from allmende.extract.head import Mention, add_mentions, read_head
from allmende.extract.html_walk import Found, Walk
from allmende.extract.image_element import LAZY
from allmende.extract.json_ld import read_json_ld
from allmende.extract.nesting import flattened
from allmende.extract.page import Link, LinkList, Page, parse_date
from allmende.extract.urls import base_url, normalise
from allmende.http_content import image_format
from allmende.schema import Reason

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_VAGUE = frozenset(
    {"", "text/plain", "text/xml", "application/xml", "application/octet-stream", "unknown/unknown", "*/*"}
)
"""Types under which pages are served, too; their first bytes decide."""
_begins_as_html = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]{0,200}>\s*+)?+(?:<!--.{0,500}?-->\s*+)*+<(?:!doctype\s+html|html|head|body)[\s>/]",
    re.IGNORECASE | re.DOTALL,
).match
"""WHATWG MIME Sniffing, section 7.1, without the tags that may stand in any text; and the XML declaration."""


def page_from_html(
    capture: WarcCapture, warc_file: str, context_chars: int = 200, max_url_chars: int = 2_000
) -> Page | Reason:
    """The page of a capture.

    Args:
        capture: From `read_warc`.
        warc_file: Name of the archive that holds it.
        context_chars: Most characters of text to keep before and after each image.
        max_url_chars: Longest image URL.

    Returns:
        The page; or `RECORD_NOT_HTML`, `PAGE_URL_INVALID`.
    """
    if not is_html(capture):
        return Reason.RECORD_NOT_HTML
    if isinstance(normalise(capture.url, "", 100_000), Reason):
        return Reason.PAGE_URL_INVALID
    html = decode_page(capture.body, header(capture.headers, "content-type"))
    walk = Walk(LexborHTMLParser(flattened(html)))
    base = base_url(capture.url, walk.base)
    pictures, license_url = _read_scripts(walk)
    reading = read_head(walk.metas, walk.links, capture.headers, base, license_url, walk.rsl)
    images, dropped = _links(walk, base, context_chars, max_url_chars)
    add_mentions(images, dropped, [*reading.mentions, *pictures], base, max_url_chars)
    return Page(
        url=capture.url,
        facts=reading.facts,
        warc_file=warc_file,
        warc_offset=capture.offset,
        warc_length=capture.length,
        captured_at=parse_date(capture.date),
        images=images,
        dropped=dropped,
        size=len(capture.body),
    )


def is_html(capture: WarcCapture) -> bool:
    """Whether a capture is an HTML page: by its Content-Type; where that says little or is wrong, by its first bytes."""
    declared = content_type(capture.headers)
    if declared in _HTML:
        return image_format(capture.body[:64]) is None and not capture.body.startswith(b"%PDF-")
    return declared in _VAGUE and _begins_as_html(capture.body[:4096]) is not None


def _read_scripts(walk: Walk) -> tuple[list[Mention], str]:
    """Images that JSON-LD describes, and the page's licence: rel=license, else that of schema.org."""
    pictures: list[Mention] = []
    license_url = walk.license or walk.schema_license
    for script in walk.scripts:
        found, told = read_json_ld(script)
        pictures += found
        license_url = license_url or told
    return pictures, license_url


def _links(walk: Walk, base: str, context_chars: int, longest: int) -> tuple[LinkList, dict[Reason, int]]:
    images: list[Link] = []
    dropped: dict[Reason, int] = {}
    repeated = _repeated(walk.images)
    text = walk.text
    for number, found in enumerate(walk.images):
        if number in repeated:
            continue
        url, found_in = _url(found, base, longest) if found.words else (Reason.NO_CAPTION, "")
        if isinstance(url, Reason):
            dropped[url] = dropped.get(url, 0) + 1
            continue
        before, after = text.before(found.place, context_chars), text.after(found.place, context_chars)
        images.append(Link(url, found_in, found.words, before, after))
    return _merged(images), dropped


def _merged(images: list[Link]) -> LinkList:
    """The images, where a link to a file that the page shows as well is no image of its own, but words of that one."""
    shown = {link.url: link for link in reversed(images) if link.found_in != "a"}
    merged = LinkList()
    for link in images:
        if link.found_in != "a" or link.url not in shown:
            merged.append(link)
        elif text := link.words.get("link_text"):
            shown[link.url].words.setdefault("link_text", text)
    return merged


def _url(found: Found, base: str, longest: int) -> tuple[str | Reason, str]:
    """The URL of an image, and where it stood; if the larger one that was chosen is none, that of `src`."""
    url = normalise(found.url, base, longest)
    src = found.attributes.get("src")
    if isinstance(url, Reason) and src and src != found.url:
        return normalise(src, base, longest), "img"
    return url, found.found_in


def _repeated(images: list[Found]) -> set[int]:
    """Numbers of the images in <noscript> that a script shows as well, with the same alt text."""
    inside = [number for number, found in enumerate(images) if found.in_noscript]
    if not inside:
        return set()
    shown = {
        (url.strip(), found.words.get("alt"))
        for found in images
        if not found.in_noscript
        for url in (found.url, *(found.attributes.get(name) for name in ("src", *LAZY)))
        if url
    }
    return {
        number
        for number in inside
        if any(
            url and (url.strip(), images[number].words.get("alt")) in shown
            for url in (images[number].url, images[number].attributes.get("src"))
        )
    }
