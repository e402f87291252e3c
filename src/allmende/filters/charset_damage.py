"""Traces of a wrong charset: told, measured, and undone where that is safe.

The replacement character stands where bytes were no characters of the charset that a page declared. "GrÃ¼n" is UTF-8 that
was read as Windows-1252, often long before, by some program that made the page; all of it is still there.
"""

import re

MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""A UTF-8 lead byte followed by a continuation byte (RFC 3629, section 3), both read as Latin-1 or Windows-1252."""

TRACES = re.compile(
    "\ufffd|[\u00c2\u00c3][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u201a-\u203a\u20ac\u2122]|\u00e2\u20ac"
)
"""The replacement character, and Latin letters and punctuation of UTF-8 read as Windows-1252: Ã¼, â€™. In undamaged text there are
none, while `MOJIBAKE` is in some (Polish óż, Czech áž)."""

_CP1252 = {chr(code): code for code in range(256)} | {
    char: code for code in range(128, 160) if (char := bytes([code]).decode("cp1252", "ignore"))
}
"""The byte that a character was, if read as Latin-1 or as Windows-1252."""


def undone(text: str) -> str:
    """Read the text as Windows-1252 bytes of UTF-8, if all of it can be; else leave it.

    Undamaged text practically never passes this round trip: each of its accented letters would have to stand before a
    sign such as ¼ or © that happens to continue it.
    """
    try:
        return bytes([_CP1252[char] for char in text]).decode()
    except (KeyError, UnicodeDecodeError):
        return text


def undone_lines(text: str) -> str:
    """The same line by line, for a text of which parts are damaged."""
    if text.isascii() or not MOJIBAKE.search(text):
        return text
    return "\n".join(undone(line) if MOJIBAKE.search(line) else line for line in text.split("\n"))


def damaged(text: str) -> float:
    """Share of the characters that are traces of a wrong charset: 0 to 1."""
    if text.isascii() or not text:
        return 0.0
    return sum(len(found[0]) for found in TRACES.finditer(text)) / len(text)
