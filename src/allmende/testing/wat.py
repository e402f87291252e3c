"""What Common Crawl's WAT files say about a page, rebuilt for tests and the demo.

The form (names, order, strings for numbers) follows the files themselves and their generator, the
`ExtractingParseObserver` of ia-web-commons: it hears the tags of a page as a stream, so that an image
inside a link comes before the link, and what stands in `<noscript>` counts like the rest.
Words of links are cut at 128 characters, `alt` and `title` are not; `srcset`, `data-src`, `figcaption`
and JSON-LD are not in a WAT at all.
"""

import gzip
import re
import zlib
from base64 import b32encode
from collections.abc import Iterator
from hashlib import sha1
from html.parser import HTMLParser
from typing import Any, Literal

import brotli
import zstandard

Form = Literal["current", "2019", "2013"]
"""Key orders of the years: since August 2019, before that (hash order), and the first WATs (Container last)."""

HEADER_END = b"\r\n\r\n"
"""The empty line after the headers of WARC and HTTP."""

_LINK_TEXT_CHARS = 128

_LINKED = {
    "area": ("href",),
    "audio": ("src",),
    "embed": ("src",),
    "frame": ("src",),
    "iframe": ("src",),
    "input": ("src", "formaction"),
    "object": ("codebase", "cdata", "data"),
    "source": ("src",),
    "track": ("src",),
    "video": ("src", "poster"),
}
"""Elements whose attributes become a link with nothing but path and url."""

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s*[\"']?([^)\"'\s]{1,8000})[\"']?\s*\)")


def html_metadata(html: bytes, content_type: str = "") -> dict[str, Any]:
    """The `HTML-Metadata` of a page: `{"Head": {"Metas", "Title", "Link", "Base"}, "Links": [...]}`, empty parts left out."""
    observer = _PageObserver()
    observer.feed(_decode(html, content_type))
    observer.close()
    head = {key: value for key, value in observer.head.items() if value not in ([], None)}
    parts = {"Head": head, "Links": observer.links}
    return {key: value for key, value in parts.items() if value}


def header_lines(head: bytes) -> dict[str, str]:
    """Header lines as a dict, the first line (status, version) left out; the last of several of a name counts."""
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines()[1:] if line)
    return {name.strip(): value.strip() for name, _, value in lines}


def digest(data: bytes) -> str:
    """SHA-1 in base 32, as WARC files give digests."""
    return "sha1:" + b32encode(sha1(data, usedforsecurity=False).digest()).decode()


def container(name: str, offset: int, stored: int, record: bytes, *, compressed: bool) -> dict[str, Any]:
    """The `Container` of a record that lies at `offset` in file `name` and takes `stored` bytes there."""
    told: dict[str, Any] = {"Filename": name, "Compressed": compressed, "Offset": str(offset)}
    if compressed:
        crc = zlib.crc32(record)
        numbers = {"Deflate-Length": stored, "Header-Length": 10, "Footer-Length": 8}
        numbers |= {"Inflated-CRC": crc - (1 << 32) if crc >> 31 else crc, "Inflated-Length": len(record)}
        told["Gzip-Metadata"] = {key: str(value) for key, value in numbers.items()}
    return told


def envelope(lines: dict[str, str], record: bytes, block: bytes) -> dict[str, Any]:
    """The `Envelope` of a record: its WARC header lines, and what its block says."""
    head_length = len(record.partition(HEADER_END)[0]) + 4
    payload = {"Actual-Content-Type": lines["Content-Type"], **_payload(lines, block)}
    payload |= {
        "Actual-Content-Length": str(len(block)),
        "Block-Digest": digest(block),
        "Trailing-Slop-Length": str(len(record) - head_length - len(block)),
    }
    return {
        "Payload-Metadata": payload,
        "Format": "WARC",
        "WARC-Header-Length": str(head_length),
        "WARC-Header-Metadata": lines,
    }


def _payload(lines: dict[str, str], block: bytes) -> dict[str, Any]:
    kind = lines["WARC-Type"]
    if kind == "warcinfo":
        return {"WARC-Info-Metadata": header_lines(b"\r\n" + block)}
    if kind == "metadata":
        pairs = header_lines(b"\r\n" + block).items()
        return {"WARC-Metadata-Metadata": {"Metadata-Records": [{"Name": k, "Value": v} for k, v in pairs]}}
    return _http_payload(kind, block)


def _http_payload(kind: str, block: bytes) -> dict[str, Any]:
    head, _, entity = block.partition(HEADER_END)
    first, *_ = head.decode("utf-8", "replace").splitlines() or [""]
    words = [*first.split(" ", 2), "", "", ""][:3]
    headers = header_lines(head)
    told: dict[str, Any] = {
        "Headers-Length": str(len(head) + 4),
        "Headers": headers,
        "Entity-Length": str(len(entity)),
        "Entity-Digest": digest(entity),
        "Entity-Trailing-Slop-Length": "0",
    }
    if kind == "request":
        message = dict(zip(("Method", "Path", "Version"), words, strict=True))
        return {"HTTP-Request-Metadata": {"Request-Message": message, **told}}
    told = {"Response-Message": dict(zip(("Version", "Status", "Reason"), words, strict=True)), **told}
    content_type = headers.get("Content-Type", "")
    if "html" in content_type and (page := html_metadata(plain_body(headers, entity), content_type)):
        told["HTML-Metadata"] = page
    return {"HTTP-Response-Metadata": told}


def plain_body(headers: dict[str, str], body: bytes) -> bytes:
    """The page itself: transfer and content encoding undone, as Common Crawl's crawler does before it writes."""
    if headers.get("Transfer-Encoding") == "chunked":
        body = b"".join(_chunks(body))
    encoding = headers.get("Content-Encoding", "")
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "br":
        return bytes(brotli.decompress(body))
    return zstandard.decompress(body) if encoding == "zstd" else body


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        yield rest[:length]
        body = rest[length + 2 :] if length else b""


def reordered(value: Any, form: Form) -> Any:
    """A WAT record (nested dicts) with the key order of `form`; the values stay as they are."""
    if form == "current":
        return value
    record = _sorted(value)
    first, second = ("Container", "Envelope") if form == "2019" else ("Envelope", "Container")
    return {first: record[first], second: record[second]}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def _decode(html: bytes, content_type: str) -> str:
    declared = re.search(r"charset\s*=\s*[\"']?([\w:.-]+)", content_type, re.IGNORECASE)
    meta = _META_CHARSET.search(html[:4096])
    names = [declared[1]] if declared else []
    names += [meta[1].decode("ascii")] if meta else []
    for name in [*names, "utf-8"]:
        try:
            return html.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return html.decode("cp1252", "replace")


class _PageObserver(HTMLParser):
    """Hears a page's tags in order and notes what the WAT generator notes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.head: dict[str, Any] = {"Metas": [], "Title": None, "Scripts": [], "Link": [], "Base": None}
        self.links: list[dict[str, str]] = []
        self._anchors: list[tuple[dict[str, str], list[str]]] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in reversed(attrs)}
        if tag in ("title", "style"):
            self._inside = tag
        elif tag == "html":
            self.head["Metas"] += [
                {"name": f"HTML@/{name}", "content": found[name]} for name in ("lang", "xml:lang") if name in found
            ]
        elif tag == "meta":
            names = ("name", "rel", "content", "http-equiv", "property")
            self.head["Metas"] += [kept] if (kept := {n: found[n] for n in names if n in found}) else []
        elif tag == "base":
            self.head["Base"] = found.get("href", self.head["Base"])
        elif tag == "link":
            self.head["Link"] += self._link(tag, found, "href", "rel", "type")
        elif tag == "script":
            self.head["Scripts"] += self._link(tag, found, "src", "type")
        else:
            self._body_tag(tag, found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._anchors:
            link, words = self._anchors.pop()
            text = " ".join("".join(words).split())[:_LINK_TEXT_CHARS].strip()
            self.links += [link | ({"text": text} if text else {})] if link else []
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.head["Title"] = " ".join(data.split())[:_LINK_TEXT_CHARS]
        elif self._inside == "style":
            self.links += [{"path": "STYLE/#text", "href": url} for url in _CSS_URL.findall(data)]
        for _, words in self._anchors:
            words.append(data)

    def _body_tag(self, tag: str, found: dict[str, str]) -> None:
        if tag == "a":
            link = self._link(tag, found, "href", "target", "alt", "title", "rel", "hreflang", "type")
            self._anchors.append((link[0] if link else {}, []))
        elif tag == "img":
            self.links += self._link(tag, found, "src", "alt", "title") + self._link(tag, found, "longdesc")
        elif tag == "form":
            self.links += self._link(tag, found, "action", "target", "method")
        for attribute in _LINKED.get(tag, ()):
            self.links += self._link(tag, found, attribute)

    @staticmethod
    def _link(tag: str, found: dict[str, str], url: str, *others: str) -> list[dict[str, str]]:
        if url not in found:
            return []
        link = {"path": f"{tag.upper()}@/{url}", "url": found[url]}
        return [link | {name: found[name] for name in others if name in found}]
