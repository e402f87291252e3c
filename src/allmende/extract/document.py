"""A capture read as a document: whether it is a page or plain text, its characters, and what it says about itself."""

from typing import Literal

import msgspec
from selectolax.lexbor import LexborHTMLParser

from allmende.commoncrawl.warc import WarcCapture, content_type, header
from allmende.extract.charset import decode_page
from allmende.extract.head import read_head
from allmende.extract.html_images import is_html
from allmende.extract.html_walk import Walk
from allmende.extract.json_ld import read_json_ld
from allmende.extract.nesting import flattened
from allmende.extract.page import Facts
from allmende.extract.urls import base_url, normalise
from allmende.http_content import image_format
from allmende.schema import Reason

Kind = Literal["html", "plain", "wet"]


class Body(msgspec.Struct, frozen=True, gc=False):
    """The body of a capture, decoded."""

    kind: Kind
    """HTML, a text file, or the text that a WET file has of a page."""
    url: str
    """Normalised."""
    content: str
    """HTML, nested no deeper than browsers nest; or text, its lines ended by line feeds."""


def kind_of(capture: WarcCapture) -> Kind | None:
    """What a capture is; None if it is neither a page nor text. A text file with NUL bytes is none."""
    if not capture.status:
        return "wet"
    if is_html(capture):
        return "html"
    is_plain = content_type(capture.headers) == "text/plain"
    return "plain" if is_plain and image_format(capture.body[:64]) is None and b"\0" not in capture.body else None


def read_body(capture: WarcCapture) -> Body | Reason:
    """The body of a capture.

    Returns:
        The body; or `RECORD_NOT_TEXT`, `PAGE_URL_INVALID`.
    """
    kind = kind_of(capture)
    if kind is None:
        return Reason.RECORD_NOT_TEXT
    url = normalise(capture.url, "", 100_000)
    if isinstance(url, Reason):
        return Reason.PAGE_URL_INVALID
    content = decode_page(capture.body, header(capture.headers, "content-type"))
    if kind == "html":
        return Body(kind, url, flattened(content))
    return Body(kind, url, "\n".join(content.splitlines()))


def read_facts(body: Body, capture: WarcCapture) -> Facts:
    """What page and headers say about the document: language, licence, reservations; as for a page with images."""
    if body.kind != "html":
        return read_head((), (), capture.headers, body.url, "").facts
    walk = Walk(LexborHTMLParser(body.content))
    license_url = walk.license or walk.schema_license
    for script in walk.scripts:
        license_url = license_url or read_json_ld(script)[1]
    base = base_url(body.url, walk.base)
    return read_head(walk.metas, walk.links, capture.headers, base, license_url, walk.rsl).facts
