"""Pages of manuals, as Debian ships them: bytes from packages, at addresses on made-up hosts."""

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demo_crawl.packages import unpack, version

BY_LANGUAGE = ("libreoffice-help", "ubuntu-packaging-guide-html")
"""Those that have a package for each language."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as its server sends it."""

    url: str
    body: bytes
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
    encoding: str = ""
    status: int = 200
    package: str = ""
    """Debian package and version; empty for what was written for the demo."""
    path: str = ""
    """Path in the package."""
    licence: str = "CC0-1.0"
    change: str = ""
    """What was done to the original."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known about a manual."""

    title: str
    creator: str
    licence: str
    source: str
    packages: tuple[str, ...]


def load(folder: Path) -> tuple[list[Page], list[Terms]]:
    """All pages of `manuals.toml`, out of packages that are kept in `folder`; and whose they are."""
    table = tomllib.loads((Path(__file__).parent / "manuals.toml").read_text())
    needed = sorted({_package(m["package"], language) for m in table["manual"] for language in m["languages"]})
    roots = unpack(folder, needed)
    versions = {name: f"{name} {version(folder, name)}" for name in needed}
    pages = []
    for manual in table["manual"]:
        terms = table["package"][manual["package"]]
        for language in manual["languages"]:
            name = _package(manual["package"], language)
            for page in manual["pages"]:
                inside = f"{terms['folder'].format(language=language)}/{page}"
                raw = Page(
                    url=f"https://{manual.get('host', terms['host'])}{terms['path'].format(language=language, page=page)}",
                    body=(roots[name] / inside).read_bytes(),
                    package=versions[name],
                    path=inside,
                    licence=terms["licence"],
                )
                pages.append(_sent(raw, manual))
    return pages, [_terms(name, terms, versions) for name, terms in table["package"].items()]


def _terms(name: str, terms: dict[str, str], versions: dict[str, str]) -> Terms:
    packages = tuple(told for package, told in versions.items() if package.startswith(name))
    return Terms(terms["title"], terms["creator"], terms["licence"], terms["source"], packages)


def _package(package: str, language: str) -> str:
    return f"{package}-{language}" if package in BY_LANGUAGE else package


def _sent(page: Page, manual: dict[str, Any]) -> Page:
    """The page as the server of this manual sends it: edited, in its encoding, with its header."""
    changes = []
    for old, new in manual.get("edits", ()):
        page = replace(page, body=page.body.replace(old.encode(), new.encode()))
        changes = ["names and years changed"]
    charset, told = manual.get("charset", ""), manual.get("told", "utf-8")
    if charset:
        page = replace(page, body=_encoded(page.body, charset if told == "meta" else ""))
        page = replace(page, body=page.body.decode().encode(charset, "xmlcharrefreplace"))
        changes.append(f"re-encoded as {charset}")
    declared = {"meta": "", "": "", "header": charset}.get(told, told)
    kind = f"text/html; charset={declared}" if declared else "text/html"
    return replace(page, content_type=kind, change="; ".join(changes))


def _encoded(html: bytes, charset: str) -> bytes:
    """Says that a UTF-8 page is in `charset`; empty says nothing."""
    html = re.sub(rb'<meta http-equiv="Content-Type"[^>]*>', _meta(charset), html, count=1, flags=re.IGNORECASE)
    return re.sub(rb'<\?xml version="1.0" encoding="[^"]*"', b'<?xml version="1.0"', html, count=1)


def _meta(charset: str) -> bytes:
    return b'<meta http-equiv="Content-Type" content="text/html; charset=%s">' % charset.encode() if charset else b""
