"""Domains and URLs on lists: which entries a URL hits, and how lists of them are written.

A domain on a list stands for itself and all hosts below it: `shop.example` for `www.shop.example`, not for
`myshop.example`. No list of public suffixes is asked: whoever lists `github.io` means all of it. A URL on a list stands
for itself and all below it, as squidGuard and the UT1 lists mean it: in lower case and without scheme, user, leading
`www.`, port and last slash, `a.example/x` stands for `https://www.a.example/X`, `a.example/x/1.jpg` and
`a.example/x?y=1`, not for `a.example/xy`.
"""

import re
from collections.abc import Callable, Iterator

import ada_url

_is_domain = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]").fullmatch
_is_ip4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}").fullmatch
_hosts_line = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?|fe80::1%lo0)\s+(\S+)").match
_adblock_domain = re.compile(r"\|\|([^\s/^$*|]+)\^?(?:\$(?:third-party|important|all|,)+)?").fullmatch
_has_scheme = re.compile(r"https?://", re.IGNORECASE).match
_LOCAL = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback"})
"""What hosts files have of their own."""

PREFIXES = 24
"""Folders of a URL that are looked up; nobody lists deeper ones."""


def host_forms(host: str) -> Iterator[str]:
    """The names that a listed domain may have to hit this host: itself and its parents, without the top level.

    Args:
        host: In lower case and punycode, as normalised URLs have it.
    """
    yield host
    if host.startswith("[") or _is_ip4(host):
        return
    while (host := host.partition(".")[2]) and "." in host:
        yield host


def host_of(url: str) -> str:
    """The host of a normalised URL, without user and port; an IPv6 address keeps its brackets. Empty if it has none."""
    host = url.partition("://")[2].split("/", 1)[0].rpartition("@")[2]
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].rstrip(".")


def url_forms(url: str) -> Iterator[str]:
    """The spellings that a listed URL may have to hit this one.

    Args:
        url: Normalised.

    Yields:
        The URL itself, with http and with https; as `url_entry` spells it; then without query, and folder by folder up
        to the host.
    """
    rest = url.partition("://")[2]
    yield f"https://{rest}"
    yield f"http://{rest}"
    bare = _bare(rest)
    yield bare
    path, mark, _ = bare.partition("?")
    if mark:
        yield path.rstrip("/")
    folders = path.rstrip("/").split("/")
    for length in range(min(len(folders) - 1, PREFIXES), 0, -1):
        yield "/".join(folders[:length])


def domain_entry(text: str) -> str:
    """A domain as it is looked up: lower case, punycode.

    Raises:
        ValueError: if it is none. A lone top level counts as none: it would block half the web.
    """
    name = text.strip().lower().rstrip(".").removeprefix("*.").lstrip(".")
    if not name.isascii():
        name = _host(name)
    if not _is_domain(name) and not _is_ip4(name):
        raise ValueError("no domain")
    return name


def url_entry(text: str) -> str:
    """A URL as it is looked up: see `url_forms`.

    Raises:
        ValueError: if it is none.
    """
    whole = text if _has_scheme(text) else f"http://{text}"
    try:
        normal: str = ada_url.normalize_url(whole)
    except (ValueError, UnicodeError):
        raise ValueError("no URL") from None
    bare = _bare(normal.partition("#")[0].partition("://")[2])
    if "." not in bare.split("/", 1)[0] and not bare.startswith("["):
        raise ValueError("no URL")
    return bare


def plain_entry(line: str) -> str | None:
    """The domain of a line of a plain list: alone, behind an address (hosts file), or as `||domain^` (Adblock).

    Returns:
        The domain; None for a line that is none of a list's business, such as `127.0.0.1 localhost`.

    Raises:
        ValueError: if the line is neither.
    """
    if line.startswith(("!", "[", "@@")):
        return None
    line = line.partition(" #")[0].partition("\t#")[0].strip()
    if line.startswith("||"):
        found = _adblock_domain(line)
        if found is None:
            return None  # a rule for a part of a site, or for some kinds of files
        return domain_entry(found[1])
    if hosts := _hosts_line(line):
        return None if hosts[1].lower() in _LOCAL or _is_ip4(hosts[1]) else domain_entry(hosts[1])
    if line.split()[-1].lower() in _LOCAL:
        return None
    return domain_entry(line)


Entry = Callable[[str], str | None]


def _bare(rest: str) -> str:
    """A URL without scheme, user, leading `www.`, port, and slashes at its end, in lower case."""
    _, slash, path = rest.partition("/")
    host = host_of(f"://{rest}").removeprefix("www.")
    return (host + slash + path).rstrip("/").lower()


def _host(name: str) -> str:
    try:
        found: str = ada_url.URL(f"http://{name}/").hostname
    except (ValueError, UnicodeError):
        raise ValueError("no domain") from None
    return found
