"""Inputs for the archive benchmarks: WARC and WAT files that look like Common Crawl's, from real pages.

The pages come from the test sets of Python packages (saved news, blog and shop pages) and from Debian's
documentation packages, fetched by package name into a cache folder. Each page is captured many times, under
ever new hosts, with the numbers in its image URLs and half of its captions changed, so that nothing gains by
remembering; four captures of five are web pages, one is documentation. A capture has the three records that
Common Crawl writes (request, response, metadata), the WAT a record for each of them.
"""

import json
import random
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from allmende.testing.archives import DATE, Archive, http_response, warc_record
from allmende.testing.wat import container, envelope, html_metadata

SDISTS = ("trafilatura==0.5.2", "htmldate==0.9.0", "newspaper4k==0.9.6")
DEBS = ("gimp-help-de", "debian-handbook", "installation-guide-amd64")
DOCUMENTATION_PAGES = 300
"""Documentation pages taken, drawn with the seed; all web pages are taken."""

HEADERS = (
    ("Date", "Wed, 21 Oct 2026 12:00:00 GMT"),
    ("Server", "nginx"),
    ("Connection", "keep-alive"),
    ("Vary", "Accept-Encoding"),
    ("Set-Cookie", "PHPSESSID=0f3a9c2be17d4c55; path=/; secure; HttpOnly; SameSite=Lax"),
    ("Expires", "Thu, 19 Nov 1981 08:52:00 GMT"),
    ("Cache-Control", "no-store, no-cache, must-revalidate"),
    ("Link", '<https://www.example.org/wp-json/>; rel="https://api.w.org/"'),
    ("X-Crawler-Content-Encoding", "gzip"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-XSS-Protection", "1; mode=block"),
)

_HOST = re.compile(r"https?://([A-Za-z0-9.-]+)")
_IMAGE = re.compile(r'("path":"IMG@/src","url":")((?:[^"\\]|\\.)*)"(?:,"alt":"((?:[^"\\]|\\.)*)")?')
_NUMBER = re.compile(r"\d{3,}")
_WORDS = ("Haus", "Garten", "summer", "bicycle", "Straße", "vue", "mercado", "paesaggio", "morning", "Fluss", "blau")


@dataclass(frozen=True, slots=True)
class Source:
    """A page to capture again and again."""

    html: bytes
    host: str
    """The host that its own links name most; each capture gets another one."""
    metadata: str
    """What a WAT says about it (`HTML-Metadata`), as JSON."""
    documentation: bool


def sources(cache: Path, seed: int = 0) -> list[Source]:
    """All pages, fetched by package name where the cache lacks them."""
    web, documentation = _unpacked(cache)
    drawn = random.Random(seed).sample(documentation, min(DOCUMENTATION_PAGES, len(documentation)))
    return [_source(path, path in set(drawn)) for path in [*web, *sorted(drawn)]]


def write_wats(folder: Path, pages: list[Source], files: int, megabytes: int) -> list[Path]:
    """`files` WAT files of about `megabytes` MB uncompressed each; those that exist are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"CC-MAIN-20261021120000-20261021150000-{n:05}.warc.wat.gz" for n in range(files)]
    for number, path in enumerate(paths):
        if not path.exists():
            _write(path, _wat_records(pages, random.Random(f"wat-{number}"), path.name, megabytes * 1_000_000))
    return paths


def write_warc(folder: Path, pages: list[Source], megabytes: int) -> Path:
    """A WARC file with about `megabytes` MB of HTML; kept if it exists."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "CC-MAIN-20261021120000-20261021150000-00000.warc.gz"
    if not path.exists():
        _write(path, _warc_records(pages, random.Random("warc"), path.name, megabytes * 1_000_000))
    return path


def _unpacked(cache: Path) -> tuple[list[Path], list[Path]]:
    web, docs = cache / "web", cache / "documentation"
    if not web.exists():
        web.mkdir(parents=True)
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(web)]
        subprocess.run([*download, *SDISTS], check=True)
        for sdist in web.glob("*.tar.gz"):
            with tarfile.open(sdist) as tar:
                tar.extractall(web, filter="data")
    if not docs.exists():
        docs.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-q", *DEBS], check=True, cwd=docs)
        for deb in docs.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb.name, "."], check=True, cwd=docs)
    pages = sorted(path for path in web.glob("*/tests/**/*.html") if path.stat().st_size > 2_000)
    return pages, sorted(docs.rglob("*.html"))


def _source(path: Path, documentation: bool) -> Source:
    html = path.read_bytes()
    metadata = json.dumps(html_metadata(html), ensure_ascii=False, separators=(",", ":"))
    hosts = _HOST.findall(metadata) or ["localhost"]
    return Source(html, max(set(hosts), key=lambda host: (hosts.count(host), host)), metadata, documentation)


def _write(path: Path, records: Iterator[bytes]) -> None:
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        file.writelines(records)
    aside.rename(path)


def _draw(pages: list[Source], dice: random.Random) -> Source:
    documentation = dice.random() < 0.2
    return dice.choice([page for page in pages if page.documentation == documentation])


def _wat_records(pages: list[Source], dice: random.Random, name: str, size: int) -> Iterator[bytes]:
    warc_name = name.replace(".wat.gz", ".gz")
    yield warc_record("warcinfo", b"Software-Info: ia-web-commons.1.1.11-SNAPSHOT-20261001120000\r\n\r\n")
    written = offset = 0
    while written < size:
        page, host = _draw(pages, dice), f"www.{dice.getrandbits(40):x}.example"
        url = f"https://{host}/{dice.choice(_WORDS)}/{dice.getrandbits(24)}.html"
        for kind, block in _blocks(url, host, page.html):
            record, lines = _record(kind, block, url)
            stored = len(record) // 5
            told = {
                "Container": container(warc_name, offset, stored, record, compressed=True),
                "Envelope": envelope(lines, record, block),
            }
            offset += stored
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            if kind == "response":
                text = text.replace(
                    '"Entity-Trailing-Slop-Length":"0"',
                    f'"HTML-Metadata":{_varied(page, host, dice)},"Entity-Trailing-Slop-Length":"0"',
                    1,
                )
            data = text.encode("utf-8", "replace")
            written += len(data)
            headers = [("WARC-Refers-To", lines["WARC-Record-ID"]), ("Content-Type", "application/json")]
            yield warc_record("metadata", data, url=url, headers=headers)


def _record(kind: str, block: bytes, url: str) -> tuple[bytes, dict[str, str]]:
    kinds = {"request": "application/http; msgtype=request", "response": "application/http; msgtype=response"}
    record = warc_record(kind, block, url=url, gzip=False)  # type: ignore[arg-type]
    lines = dict(line.split(": ", 1) for line in record.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:])
    lines["Content-Type"] = kinds.get(kind, "application/warc-fields")
    if kind == "response":
        lines |= {"WARC-IP-Address": "192.0.2.7", "WARC-Identified-Payload-Type": "text/html"}
    return record, lines


def _blocks(url: str, host: str, html: bytes) -> list[tuple[str, bytes]]:
    path = url.partition(host)[2]
    request = (
        f"GET {path} HTTP/1.1\r\nUser-Agent: CCBot/2.0 (https://commoncrawl.org/faq/)\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
        f"Accept-Encoding: br,gzip\r\nHost: {host}\r\nConnection: Keep-Alive\r\n\r\n"
    )
    # The HTML is told by `metadata`; its bytes are only needed for length and digest here.
    response = http_response(html, headers=HEADERS, content_type="text/plain")
    metadata = (
        b'fetchTimeMs: 314\r\ncharset-detected: UTF-8\r\nlanguages-cld2: {"reliable":true,"text-bytes":6811}\r\n\r\n'
    )
    return [("request", request.encode()), ("response", response), ("metadata", metadata)]


def _varied(page: Source, host: str, dice: random.Random) -> str:
    def vary(match: re.Match[str]) -> str:
        path, url, alt = match.groups()
        url = _NUMBER.sub(lambda number: str(dice.getrandbits(30))[: len(number[0])], url)
        if not alt:
            return f'{path}{url}"' + ("" if alt is None else ',"alt":""')
        return f'{path}{url}","alt":"{alt if dice.random() < 0.5 else f"{dice.choice(_WORDS)} {alt} {dice.choice(_WORDS)}"}"'

    return _IMAGE.sub(vary, page.metadata.replace(page.host, host))


def _warc_records(pages: list[Source], dice: random.Random, name: str, size: int) -> Iterator[bytes]:
    yield Archive(name).to_bytes()
    written = 0
    while written < size:
        page, host = _draw(pages, dice), f"www.{dice.getrandbits(40):x}.example"
        url = f"https://{host}/{dice.choice(_WORDS)}/{dice.getrandbits(24)}.html"
        html = page.html.replace(page.host.encode(), host.encode())
        written += len(html)
        capture = Archive(name, info=False)
        capture.request(url)
        capture.page(url, html, headers=HEADERS, content_type="text/html", date=DATE)
        capture.metadata(url)
        yield capture.to_bytes()
