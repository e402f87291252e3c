"""Web archives: WARC, and its two digests WAT and WET."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from allmende.commoncrawl.records import Readable, Record, read_records
from allmende.inspect.finding import Finding, examples, shown
from allmende.schema import Reason

_KINDS = {
    "WAT": "WAT archive: links and metadata of pages",
    "WET": "WET archive: plain text of pages",
    "WARC": "WARC archive: pages and files as servers sent them",
}
_TOP = 12
_NO_PAGE = "no HTML"  # two of three WAT records tell of requests and the like: no examples to learn from


def archive(stream: Readable, rows: int, limit: int) -> Finding:
    """Counts records by type, responses by status and content type, and shows the first ones.

    Args:
        stream: The file's bytes as stored.
        rows: Examples to show; the leading warcinfo record is told as facts.
        limit: Records to read; 0 for all.
    """
    types: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    contents: Counter[str] = Counter()
    damage: Counter[Reason] = Counter()
    finding = Finding(kind="", facts={})
    first: list[dict[str, Any]] = []
    links = 0
    for item in _some(read_records(stream), limit, finding):
        if isinstance(item, Reason):
            damage[item] += 1
            continue
        headers = _headers(bytes(item.data[: item.block]))
        kind = headers.get("warc-type", "(none)")
        types[shown(kind)] += 1
        if kind == "warcinfo":
            finding.facts |= _info(item)
            continue
        if kind == "response":
            status, content = _http(item)
            statuses[status] += 1
            contents[content] += 1
        links += item.data.count(b'"IMG@/src"') if kind == "metadata" else 0
        if len(first) < rows and (example := _example(kind, headers, item)).get("page") != _NO_PAGE:
            first.append(example)
    kind = _kind(types, first)
    finding.kind = _KINDS[kind]
    finding.facts |= {"records": types.total()} | ({"image links": links} if kind == "WAT" else {})
    finding.counts = _nonempty({"Records": types, "HTTP status": statuses, "Content-Type": contents})
    finding.examples = examples(first)
    finding.problems = tuple(f"{count} x {reason}: {reason.explanation}" for reason, count in damage.items())
    return finding


def _some(items: Iterator[Record | Reason], limit: int, finding: Finding) -> Iterator[Record | Reason]:
    if not limit:
        yield from items
        return
    yield from islice(items, limit)
    finding.complete = next(items, None) is None


def _kind(types: Counter[str], first: list[dict[str, Any]]) -> str:
    if types["conversion"]:
        return "WET"
    return "WAT" if any("page" in one for one in first) and not types["response"] else "WARC"


def _headers(head: bytes) -> dict[str, str]:
    """Header lines of a WARC record, names in lower case; the version line and odd ones left out."""
    pairs = (line.partition(":") for line in head.decode("utf-8", "replace").splitlines()[1:])
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _info(record: Record) -> dict[str, int | str]:
    """What the file's first record says about it: who made it, with what, for which crawl."""
    fields = _headers(b"\n" + bytes(record.data[record.block : record.block + 4096]))
    wanted = ("ispartof", "publisher", "software", "software-info", "description", "robots", "format")
    return {name: shown(fields[name]) for name in wanted if name in fields}


def _http(record: Record) -> tuple[str, str]:
    """Status and content type of a response record's HTTP message."""
    head, _, _ = bytes(record.data[record.block : record.block + 65_536]).partition(b"\r\n\r\n")
    words = head.partition(b"\r\n")[0].decode("latin-1").split()
    status = words[1] if len(words) > 1 and words[0].startswith("HTTP/") else "(no HTTP)"
    content = _headers(head).get("content-type", "(none)").partition(";")[0].strip().lower()
    return shown(status), shown(content)[:60]


def _example(kind: str, headers: dict[str, str], record: Record) -> dict[str, Any]:
    known = {
        "type": kind,
        "url": headers.get("warc-target-uri"),
        "date": headers.get("warc-date"),
        "offset": f"{record.offset:,}",
        "length": f"{record.length:,} bytes stored" if record.length else "shares a gzip member",
    }
    block = bytes(record.data[record.block : record.block + 1_000_000])
    if kind == "response":
        status, content = _http(record)
        return known | {"http": f"{status} {content}"}
    if kind == "conversion":
        return known | {"text": block.decode("utf-8", "replace")}
    return known | (_wat(block) if block.startswith(b"{") else {})


class _Html(msgspec.Struct):
    head: Any = msgspec.field(name="Head", default=None)
    links: list[dict[str, Any]] = msgspec.field(name="Links", default_factory=list)


class _Http(msgspec.Struct):
    html: _Html | None = msgspec.field(name="HTML-Metadata", default=None)


class _Payload(msgspec.Struct):
    http: _Http | None = msgspec.field(name="HTTP-Response-Metadata", default=None)


class _Envelope(msgspec.Struct):
    payload: _Payload | None = msgspec.field(name="Payload-Metadata", default=None)


class _Wat(msgspec.Struct):
    envelope: _Envelope = msgspec.field(name="Envelope")


def _wat(block: bytes) -> dict[str, Any]:
    """Number of links and first image with words of a WAT record; empty for other JSON."""
    try:
        payload = msgspec.json.decode(block, type=_Wat).envelope.payload
    except (msgspec.DecodeError, RecursionError):
        return {}
    html = payload.http.html if payload and payload.http else None
    if html is None:
        return {"page": _NO_PAGE}
    images = [link for link in html.links if link.get("path") == "IMG@/src"]
    title = html.head.get("Title") if isinstance(html.head, dict) else None
    words = next((f"{link.get('url')} · {link['alt']}" for link in images if link.get("alt")), None)
    return {"page": title or "untitled", "links": len(html.links), "images": len(images), "first image": words}


def _nonempty(counts: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {heading: _top(counter) for heading, counter in counts.items() if counter}


def _top(counter: Counter[str]) -> dict[str, int]:
    top = dict(counter.most_common(_TOP))
    rest = counter.total() - sum(top.values())
    return top | ({f"{len(counter) - _TOP} others": rest} if rest else {})
