"""Which media are wanted: judged by the Content-Type and by the first bytes, because either alone is often wrong.

Images served as `application/octet-stream`, `text/plain` or without a type are common, and so are error pages served
with status 200. The first bytes decide; the Content-Type decides how a refusal is called.
"""

from typing import Protocol

from allmende.http_content import image_format
from allmende.permission.robots import PARSED_BYTES
from allmende.schema import Reason

START_BYTES = 64
"""A kind is judged as soon as this many bytes are there, or all of them."""


class Kind(Protocol):
    """A kind of media that a fetch may want."""

    accept: str
    """Value of the Accept header."""
    cut: int | None
    """A body is taken whatever it holds, as far as this many bytes; None: it is judged by its first bytes, and one
    larger than `fetch.max_bytes` is refused."""
    redirects: int
    """This many redirects are followed even if `fetch.max_redirects` is less."""

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """None if a body that starts like this is wanted.

        Args:
            content_type: The raw header.
            start: The first 64 bytes or more, or all there are; content encoding undone.
        """


class Images:
    """JPEG, PNG, GIF, WebP, AVIF, BMP and TIFF, whatever the server calls them."""

    accept = "image/*,*/*;q=0.8"
    cut: int | None = None
    redirects = 0

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""
        if image_format(start) is not None:
            return None
        declared = (content_type or "").partition(";")[0].strip().lower()
        if declared and not declared.startswith("image/") and declared not in _SAYS_NOTHING:
            return Reason.CONTENT_TYPE_REFUSED
        return Reason.IMAGE_FORMAT


IMAGES = Images()


class HostText:
    """robots.txt and its kin: text of any type and charset, of which the beginning is enough.

    RFC 9309 asks for five redirects at least (2.3.1.2) and for 500 KiB to be parsed at least (2.5). A byte more is read
    than is parsed, so that the parser knows of the rest.
    """

    accept = "text/plain,application/json,application/xml;q=0.9,*/*;q=0.5"
    cut: int | None = PARSED_BYTES + 1
    redirects = 5

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`: all is wanted."""


HOST_TEXT = HostText()

_SAYS_NOTHING = frozenset({"application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown"})
