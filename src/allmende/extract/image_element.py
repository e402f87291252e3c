"""Which URL an <img> stands for: the largest of its srcset, of the <picture> around it, or what a script would load."""

import re
from collections.abc import Iterator, Mapping, Sequence

from allmende.extract.srcset import Candidate, is_unreadable, largest

Attributes = Mapping[str, str | None]
"""Attributes of an element; None where one is empty."""

LAZY = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-orig-file",
    "data-large-file",
    "data-full-src",
    "data-hi-res-src",
    "data-original-src",
    "data-actualsrc",
    "data-echo",
    "data-cfsrc",
    "data-pagespeed-lazy-src",
    "nitro-lazy-src",
)
"""Attributes in which scripts find the image to load later (lazysizes, vanilla-lazyload, jQuery.lazyload, WP Rocket,
Jetpack, echo.js, Mirage, PageSpeed, NitroPack); the first that has a URL counts."""

LAZY_SRCSET = ("data-srcset", "data-lazy-srcset", "data-original-set", "nitro-lazy-srcset")
"""The same for srcset."""

_TYPES = frozenset({f"image/{kind}" for kind in ("jpeg", "jpg", "png", "webp", "gif", "avif", "bmp", "tiff")})
"""Types of <source> that the decoder reads."""

_no_link = re.compile(r"[\s{}<>\[\]]").search


def image_url(image: Attributes, sources: Sequence[Attributes] = ()) -> tuple[str, str]:
    """The URL of an image, as it stands there, and where: img, srcset, picture or lazy. Both empty if there is none.

    Chosen is the largest image that the page offers, of kinds that may be read. `src` counts as one of density 1, and
    goes first among equals: an image without srcset, sources or lazy loading has the URL that a WAT gives. So it has if
    nothing that it offers may be read.

    Args:
        image: Attributes of the <img>.
        sources: Of the <source> elements before it in its <picture>.
    """
    src = (image.get("src") or "").strip()
    lazy = _lazy(image, sources)
    if lazy and lazy != src:
        return lazy, "lazy"
    best, found_in = Candidate(src, 0, 1.0), "img" if src else ""
    if not src or is_unreadable(src):
        best = Candidate(src, 0, 0.0)
    for text, place in _srcsets(image, sources):
        candidate = largest(text)
        if candidate and candidate.size > best.size and _is_link(candidate.url):
            best, found_in = candidate, place if candidate.url != src else "img"
    return best.url, found_in


def _srcsets(image: Attributes, sources: Sequence[Attributes]) -> Iterator[tuple[str, str]]:
    if text := image.get("srcset"):
        yield text, "srcset"
    for source in sources:
        if (text := source.get("srcset")) and _is_readable(source):
            yield text, "picture"


def _lazy(image: Attributes, sources: Sequence[Attributes]) -> str:
    """What a script would load: the largest of a lazy srcset, else the first lazy URL; empty if there is none."""
    sets = [text for name in LAZY_SRCSET if (text := image.get(name))]
    sets += [text for source in sources if _is_readable(source) for name in LAZY_SRCSET if (text := source.get(name))]
    found = [one for text in sets if (one := largest(text)) and _is_link(one.url)]
    if found:
        best = max(found, key=lambda one: one.size)
        if best.size > (0, 1.0):
            return best.url
    for name in LAZY:
        text = (image.get(name) or "").strip()
        if text and _is_link(text) and text[:5].lower() != "data:":
            return text
    return found[0].url if found else ""


def _is_link(text: str) -> bool:
    """Whether a script's attribute holds a URL, and no number, switch, JSON or template (`photo_{width}x.jpg`)."""
    return ("/" in text or "." in text) and not _no_link(text)


def _is_readable(source: Attributes) -> bool:
    kind = (source.get("type") or "").partition(";")[0].strip().lower()
    return not kind or kind in _TYPES
