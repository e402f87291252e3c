"""The srcset attribute, read as the HTML standard says ("parse a srcset attribute"), and which candidate is largest."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SPACE = " \t\n\f\r"
_before_url = re.compile(r"[ \t\n\f\r,]*").match
_url = re.compile(r"[^ \t\n\f\r]*").match
_descriptors = re.compile(r"[ \t\n\f\r]*((?:[^,(]|\([^)]*(?:\)|$))*)").match
_width = re.compile(r"0*[1-9][0-9]*w").fullmatch
_density = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?x").fullmatch
_height = re.compile(r"0*[1-9][0-9]*h").fullmatch
_unreadable = re.compile(
    r"(?:data|blob):|[^?#]*\.(?:svgz?|pdf|e?ps|ico|cur|swf|jxl|jp2|heic|heif|psd|mp4|webm|html?)(?:[?#]|\Z)",
    re.IGNORECASE,
).match

LONGEST = 100_000
"""Characters of a srcset that are read."""


class Candidate(NamedTuple):
    """One image of a srcset."""

    url: str
    """As it stands there."""
    width: int
    """Pixels; 0 if there is no width descriptor."""
    density: float
    """Pixels per CSS pixel; 1 if there is no density descriptor."""

    @property
    def size(self) -> tuple[int, float]:
        """Compares candidates: by width, else by density. A width is more than none."""
        return self.width, self.density


def parse_srcset(text: str) -> Iterator[Candidate]:
    """The image candidates of a srcset attribute, in order; what has wrong descriptors is left out, as by browsers.

    A comma ends a URL only where white space follows, or the next candidate: `a,b.jpg 2x` is one URL, and so is a
    `data:` URL.
    """
    text = text[:LONGEST]
    at = 0
    while True:
        at = _end(_before_url(text, at))
        end = _end(_url(text, at))
        url = text[at:end]
        if not url:
            return
        at, written = end, ""
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            found = _descriptors(text, end)
            if found:
                at, written = found.end(), found[1]
        candidate = _candidate(url, written.split())
        if candidate:
            yield candidate


def largest(text: str) -> Candidate | None:
    """The largest image of a srcset that may be read, the first of equals; see `is_unreadable`."""
    found = [one for one in parse_srcset(text) if not is_unreadable(one.url)]
    return max(found, key=lambda one: one.size, default=None)


def is_unreadable(url: str) -> bool:
    """Whether a URL is no picture to fetch: embedded in the page, or by its extension of a kind that the decoder does not read."""
    return _unreadable(url) is not None


def _end(match: re.Match[str] | None) -> int:
    assert match  # these patterns match the empty string
    return match.end()


def _candidate(url: str, descriptors: list[str]) -> Candidate | None:
    width, density, height = 0, 0.0, 0
    for descriptor in descriptors:
        if _width(descriptor) and not width and not density and len(descriptor) < 12:
            width = int(descriptor[:-1])
        elif _density(descriptor) and not (width or density or height):
            density = float(descriptor[:-1])
        elif _height(descriptor) and not height and not density:
            height = 1
        else:
            return None
    if height and not width:
        return None
    return Candidate(url, width, density or 1.0)
