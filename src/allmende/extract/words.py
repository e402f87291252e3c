"""Words as they stand in a page, brought into one form: white space collapsed, character references decoded."""

import re
import unicodedata
from functools import cache
from html import unescape
from html.entities import html5

_REFERENCE = re.compile(
    r"&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|([A-Za-z][A-Za-z0-9]{1,31}(?:;|(?![=A-Za-z0-9;]))))"
)


def collapse(text: str) -> str:
    """`text` with white space (as Unicode has it) collapsed to single spaces, none around it; lone surrogates replaced.

    What is left can be encoded as UTF-8.
    """
    if text.isprintable():  # then the only white space is U+0020, and there is no surrogate
        return text.strip() if "  " not in text else " ".join(text.split())
    text = " ".join(text.split())
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


MARKS = 30
"""Most combining marks in a row (UAX #15, section 13: Stream-Safe Text Format); no language needs more than a few."""


def composed(text: str) -> str:
    """Unicode normalisation form C; of very long rows of combining marks the first `MARKS` stay.

    To put marks in order takes time that grows with the square of their number: 65,000 would take two seconds.
    """
    if len(text) > 1_000:
        text = _marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


@cache
def _marks() -> re.Pattern[str]:
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{MARKS}}})[{marks}]+")


def unescape_attribute(text: str) -> str:
    """Decode the character references in an HTML attribute's value, as written in the page.

    Without a semicolon, a name counts only if neither a letter, a digit nor = follows: `?a=1&copy=2` stays
    (HTML standard, "named character reference state").
    """
    return _REFERENCE.sub(_decoded, text) if "&" in text else text


def _decoded(reference: re.Match[str]) -> str:
    name = reference[1]
    return reference[0] if name and name not in html5 else unescape(reference[0])
