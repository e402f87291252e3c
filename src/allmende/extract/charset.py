"""Pages decoded as browsers do it: byte order mark, HTTP header, <meta> in the first 1024 bytes, then a guess.

Labels mean what the WHATWG encoding standard says: `latin1` is windows-1252, `gb2312` is gb18030. The guess is
uchardet's (through Resiliparse), but for what is valid UTF-8.
"""

import re

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

PRESCAN = 1024
"""Bytes in which a <meta charset> counts (HTML standard, "prescan a byte stream")."""
FALLBACK = "cp1252"
"""What browsers take for most locales if nothing tells the charset."""
_GUESSED = 65_536
"""Bytes that the guess looks at."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WIDER = {"gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs", "iso8859-11": "cp874"}
"""Python's names of what browsers decode under these labels."""
_MISSING = {"x-mac-cyrillic": "mac_cyrillic", "x-mac-ukrainian": "mac_cyrillic", "x-user-defined": FALLBACK}
"""Labels that Resiliparse does not map."""
_in_header = re.compile(r"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))", re.IGNORECASE).search
_in_meta = re.compile(rb"<meta[\s/][^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE).search
_in_xml = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"'>]+)").match
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)


def decode_page(body: bytes, content_type: str) -> str:
    """The text of a page; what is no character in its charset becomes U+FFFD.

    Args:
        body: The page's bytes.
        content_type: Its Content-Type header, as it came.
    """
    for mark, marked in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(marked, "replace")
    charset = declared_charset(body, content_type)
    if charset:
        return body.decode(charset, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode(_guess(body), "replace")


def declared_charset(body: bytes, content_type: str) -> str | None:
    """Python's name of the charset that the header declares, else the page; None if neither names one that exists."""
    told = _in_header(content_type)
    if told and (found := by_label(told[1] or told[2] or told[3] or "")):
        return found
    start = body[:PRESCAN]
    meta = _in_meta(_COMMENT.sub(b"", start)) or _in_xml(start)
    found = by_label(meta[1].decode("latin-1")) if meta else None
    # A <meta> that could be read as ASCII does not stand in UTF-16.
    return "utf-8" if found and found.startswith("utf-16") else found


def by_label(label: str) -> str | None:
    """Python's name of the charset that the encoding standard gives a label; None if it knows no such label."""
    label = label.strip().lower()
    found: str | None = _MISSING.get(label)
    if found is None and label.isascii():
        found = map_encoding_to_html5(label, fallback_utf8=False)
    return _WIDER.get(found, found) if found else None


def _guess(body: bytes) -> str:
    found = by_label(detect_encoding(body, max_len=_GUESSED, html5_compatible=False) or "")
    # It is not UTF-8, or not only: then a guess of UTF-8 says that it nearly is.
    return found or FALLBACK
