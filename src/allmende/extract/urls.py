"""URLs as browsers read them (WHATWG URL standard), in one spelling for each.

`normalise` resolves a link against its page and gives the URL that a browser would ask for:

- white space and control characters around it go, tabs and line breaks inside it too;
- relative and protocol-relative links are resolved; `.` and `..` segments and backslashes too;
- scheme and host are lower-cased, the host in punycode, the scheme's own port left out;
- what must not stand in a path or query is percent-encoded (UTF-8; a browser uses the page's charset for the
  query of a page that is not UTF-8, which a WAT does not know); existing escapes stay as they are;
- the fragment goes. Nothing else does: no parameter is removed, no slash is added or taken.

ada-url does the work, the URL parser of Node.js. A call of it costs 1.4 µs, so URLs that it would leave as they
are (three of four in web pages) are recognised by a regular expression in 0.3 µs; a property test compares the two.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import ada_url

from allmende.schema import Reason

_SAFE = "[A-Za-z0-9_~!$&()*+,;=:@/-]"
"""What stays as it is anywhere in a path."""
_PATH = rf"{_SAFE}*+(?:(?:(?<!/)\.|%(?!2[eE])){_SAFE}*+)*+"
"""A path in which no segment begins with a dot, and none has an escaped one: so there is no `.` or `..` to resolve."""
_QUERY = r"(?:\?[A-Za-z0-9_~!$&()*+,;=./:?@%-]*+)?"
_HOST = r"(?:[a-z0-9]++[.-])++[a-z]{2,}+"
"""Lower-case names. Not `xn--`, whose validity is for the library to check, and no number at the end (IPv4)."""

_is_plain = re.compile(rf"https?://{_HOST}/{_PATH}{_QUERY}").fullmatch
_is_plain_path = re.compile(rf"/(?!/){_PATH}{_QUERY}").fullmatch
_is_plain_relative = re.compile(rf"(?![^/?]*:)[A-Za-z0-9_]{_PATH}{_QUERY}").fullmatch
_IGNORED = "".join(map(chr, range(33)))
_is_other_scheme = re.compile(r"[\x00-\x20]*(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE).match


def normalise(url: str, base: str, max_chars: int = 2_000) -> str | Reason:
    """The absolute http(s) URL that `url`, found on a page, means there.

    Args:
        url: The link as it stands in the page, character references decoded.
        base: The page's URL, or what its `<base>` makes of it (`base_url`); empty if there is no page,
            so that `url` must be absolute.
        max_chars: Longest URL to accept, in characters of the result.

    Returns:
        The URL; or `URL_INVALID` (also if it is empty or only a fragment: the page itself is no image),
        `URL_SCHEME` or `URL_TOO_LONG`.
    """
    if _is_plain(url):
        return url if len(url) <= max_chars else Reason.URL_TOO_LONG
    whole = _joined(url, base)
    if not whole:
        # A data: URL may be megabytes: its scheme is looked at before it is copied anywhere.
        if _is_other_scheme(url):
            return Reason.URL_SCHEME
        whole = _resolved(url, base)
    if not whole.startswith(("https://", "http://")):
        return Reason.URL_SCHEME if whole else Reason.URL_INVALID
    return whole if len(whole) <= max_chars else Reason.URL_TOO_LONG


def resolver(base: str, max_chars: int) -> Callable[[str], str | Reason]:
    """`normalise` for the many links of one page: the same answers, sooner."""
    origin, folder = place(base)

    def resolve(url: str) -> str | Reason:
        if _is_plain(url):
            whole = url
        elif origin and _is_plain_path(url):
            whole = origin + url
        elif origin and _is_plain_relative(url):
            whole = origin + folder + url
        else:
            return normalise(url, base, max_chars)
        return whole if len(whole) <= max_chars else Reason.URL_TOO_LONG

    return resolve


def base_url(page_url: str, base: str) -> str:
    """What links of a page are relative to: its `<base href>`, if that is an http(s) URL, else the page's URL."""
    if not base:
        return page_url
    found = normalise(base, page_url, max_chars=100_000)
    return page_url if isinstance(found, Reason) else found


def split_host(url: str) -> str:
    """The host of a normalised URL, without user and port; an IPv6 address keeps its brackets."""
    host = url.split("/", 3)[2].rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _joined(url: str, base: str) -> str:
    """The URL, if joining strings makes it: something normal without a scheme, and a base. Else empty."""
    origin, folder = place(base)
    if not origin:
        return ""
    if _is_plain_path(url):
        return origin + url
    if _is_plain_relative(url):
        return origin + folder + url
    whole = origin.partition("//")[0] + url
    return whole if url.startswith("//") and _is_plain(whole) else ""


@lru_cache(maxsize=256)
def place(base: str) -> tuple[str, str]:
    """Origin and folder of a base: `https://a.example`, `/b/`; empty if it is no http(s) URL."""
    whole = (base if _is_plain(base) else _resolved(base, "")).partition("?")[0]
    if not whole.startswith(("https://", "http://")):
        return "", ""
    path = whole.index("/", 8)
    return whole[:path], whole[path : whole.rindex("/") + 1]


def _resolved(url: str, base: str) -> str:
    try:
        text = url if url.isascii() else url.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if text.lstrip(_IGNORED)[:1] in ("", "#"):
            return ""
        whole: str = ada_url.join_url(base, text) if base else ada_url.normalize_url(text)
    except ValueError:
        return ""
    return whole.partition("#")[0]
