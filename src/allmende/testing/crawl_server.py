"""A loopback web server that plays Common Crawl, with faults on demand.

It serves a folder laid out as https://data.commoncrawl.org/ is (`lay_out` makes one), which is thereby also
a local mirror: `collinfo.json`, `crawl-data/CC-MAIN-…/wat.paths.gz`, the archives; with ETag, Range and
If-Range. A parent folder whose children are buckets is, for anonymous reads by path, an S3 endpoint too.

    with CrawlServer(folder) as server:
        server.fail(slow_down(retry_after="2"), times=3, path="*.wat.gz")
        server.fail(Cut(after=1000))
        ...  # ask server.url for things
        server.asked  # what was asked

Faults are used up in the order in which they were set, one a request.
"""

import contextlib
import gzip
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

CHUNK = 64 << 10


@dataclass(frozen=True, slots=True)
class Status:
    """Answers with this HTTP status instead of the file."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Cut:
    """Promises the whole body, closes the connection after some of it."""

    after: int
    """Bytes of the body that are sent; -1 closes before the status line."""
    reset: bool = False
    """Close with RST, as a crashed server or a firewall does, not with FIN."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Sends some of the body, then nothing, until the client leaves or the server stops."""

    after: int


@dataclass(frozen=True, slots=True)
class IgnoreRange:
    """Answers 200 with the whole file, whatever Range says."""


@dataclass(frozen=True, slots=True)
class WrongLength:
    """Content-Length is off by this many bytes; then the connection closes."""

    by: int


@dataclass(frozen=True, slots=True)
class WrongRange:
    """Answers a Range with bytes that begin this much later than asked, and says so in Content-Range."""

    by: int


@dataclass(frozen=True, slots=True)
class Chunked:
    """Sends the body with Transfer-Encoding: chunked and without a length."""

    cut: int | None = None
    """Close the connection after this many bytes of the body."""
    ignore_range: bool = False
    """Send the whole file, whatever Range says."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """Sends bytes that are not HTTP."""

    data: bytes = b"\x16\x03\x01 this is not HTTP\r\n\r\n"


Fault = Status | Cut | Stall | IgnoreRange | WrongLength | WrongRange | Chunked | Garbage


def s3_error(code: str, message: str) -> bytes:
    """Body of an S3 error answer."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()


def slow_down(*, retry_after: str = "") -> Status:
    """S3's and CloudFront's answer when the bucket is overloaded."""
    headers = {"Content-Type": "application/xml"} | ({"Retry-After": retry_after} if retry_after else {})
    return Status(503, headers, s3_error("SlowDown", "Please reduce your request rate."))


def too_many_requests(*, retry_after: str = "") -> Status:
    """The answer of a rate limit."""
    return Status(429, {"Retry-After": retry_after} if retry_after else {})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the server saw it."""

    method: str
    path: str
    range: str
    """Raw Range header, or empty."""
    if_range: str
    user_agent: str
    status: int
    """Status that was answered; 0 if none was."""


def lay_out(folder: Path, crawl: str, archives: Mapping[str, Mapping[str, bytes]]) -> dict[str, list[str]]:
    """Writes a crawl as Common Crawl lays it out, path lists and `collinfo.json` included.

    Args:
        folder: Root of the mirror; crawls that are there already stay.
        crawl: Its id, such as CC-MAIN-2026-43.
        archives: File names and contents by kind (wat, warc, wet, robotstxt, non200responses).

    Returns:
        The paths of the archives by kind, as in the path lists.
    """
    root = folder / "crawl-data" / crawl
    listed: dict[str, list[str]] = {}
    for kind, files in archives.items():
        inner = "crawldiagnostics" if kind == "non200responses" else kind
        segment = root / "segments" / "1700000000000.0" / inner
        segment.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (segment / name).write_bytes(content)
        listed[kind] = [(segment / name).relative_to(folder).as_posix() for name in files]
        lines = "".join(f"{path}\n" for path in listed[kind])
        (root / f"{kind}.paths.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    crawls = sorted((path.name for path in (folder / "crawl-data").iterdir()), reverse=True)
    (folder / "collinfo.json").write_text(json.dumps([_collection(name) for name in crawls], indent=1))
    return listed


def _collection(crawl: str) -> dict[str, str]:
    index = f"https://index.commoncrawl.org/{crawl}"
    return {
        "id": crawl,
        "name": f"{crawl} Index",
        "timegate": f"{index}/",
        "cdx-api": f"{index}-index",
        "from": "2026-10-05T04:12:34",
        "to": "2026-10-19T06:05:01",
    }


class CrawlServer:
    """Serves `root` on the loopback interface; a context manager."""

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        validators: Literal["strong", "weak", "date", "none"] = "strong",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Binds the port; `with` starts and stops serving.

        Args:
            root: The folder to serve; read at each request, so that files may change meanwhile.
            port: 0 takes a free one.
            validators: What answers say about the file's version: a strong or a weak ETag, only a date, or nothing.
            tls: Speaks https with this context.
        """
        self.root = root.resolve()
        self.validators = validators
        self.asked: list[Asked] = []
        self._faults: list[tuple[str, Fault]] = []
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._http = _Listener(("127.0.0.1", port), _Handler)
        self._http.crawl = self
        self._scheme = "https" if tls else "http"
        if tls:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def fail(self, fault: Fault, *, times: int = 1, path: str = "*") -> None:
        """Lets the next requests for `path` (a glob over the URL's path) meet a fault."""
        with self._guard:
            self._faults += [(path, fault)] * times

    def heal(self) -> None:
        """Forgets the faults that nobody met."""
        with self._guard:
            self._faults.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._thread.join()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._http.server_close()

    def _next_fault(self, path: str) -> Fault | None:
        with self._guard:
            for place, (pattern, fault) in enumerate(self._faults):
                if fnmatchcase(path, pattern):
                    del self._faults[place]
                    return fault
        return None


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # server_close() joins the handlers: nothing outlives the `with`
    crawl: CrawlServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        with self.server.crawl._guard:
            self.server.crawl._open.add(self.connection)

    def finish(self) -> None:
        with self.server.crawl._guard:
            self.server.crawl._open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client left, or didn't like our certificate
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: `asked` has it."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        fault = self.server.crawl._next_fault(path)
        file = self._file(path)
        match fault:
            case Status():
                self._answer(fault.code, fault.headers, fault.body)
            case Garbage():
                self._log(0)
                self.wfile.write(fault.data)
                self.close_connection = True
            case Cut(after=-1):
                self._log(0)
                self._hang_up(reset=fault.reset)
            case _ if file is None:
                headers = {"Content-Type": "application/xml"}
                self._answer(404, headers, s3_error("NoSuchKey", "The specified key does not exist."))
            case _:
                self._serve(file, fault)

    def _file(self, path: str) -> Path | None:
        file = (self.server.crawl.root / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self.server.crawl.root) and file.is_file() else None

    def _log(self, status: int) -> None:
        get = self.headers.get
        asked = Asked(self.command, self.path, get("Range", ""), get("If-Range", ""), get("User-Agent", ""), status)
        with self.server.crawl._guard:
            self.server.crawl.asked.append(asked)

    def _answer(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        self._log(code)
        self.send_response_only(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _serve(self, file: Path, fault: Fault | None) -> None:
        facts = file.stat()
        version = self._version(facts.st_size, facts.st_mtime_ns)
        deaf = isinstance(fault, IgnoreRange) or (isinstance(fault, Chunked) and fault.ignore_range)
        wanted = None if deaf else self._wanted(version, facts.st_size)
        start, stop = wanted or (0, facts.st_size)
        if wanted and start >= facts.st_size:
            self._answer(416, {"Content-Range": f"bytes */{facts.st_size}"}, b"")
            return
        if wanted and isinstance(fault, WrongRange):
            start += fault.by
        code = 206 if wanted else 200
        self._log(code)
        self.send_response_only(code)
        for name, value in version.items():
            self.send_header(name, value)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{facts.st_size}")
        self._send(file, start, stop, fault)

    def _send(self, file: Path, start: int, stop: int, fault: Fault | None) -> None:
        chunked = isinstance(fault, Chunked)
        length = stop - start + (fault.by if isinstance(fault, WrongLength) else 0)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in _pieces(file, start, _last_byte(fault, start, stop)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        match fault:
            case Cut(reset=reset):
                self._hang_up(reset=reset)
            case Stall():
                self._wait_for_the_end()
            case WrongLength() | Chunked(cut=int()):
                self.close_connection = True
            case Chunked():
                self.wfile.write(b"0\r\n\r\n")

    def _version(self, size: int, mtime_ns: int) -> dict[str, str]:
        tag = f'"{size:x}-{mtime_ns:x}"'
        date = {"Last-Modified": formatdate(mtime_ns // 10**9, usegmt=True)}
        return {
            "strong": {"ETag": tag} | date,
            "weak": {"ETag": f"W/{tag}"} | date,
            "date": date,
            "none": dict[str, str](),
        }[self.server.crawl.validators]

    def _wanted(self, version: Mapping[str, str], size: int) -> tuple[int, int] | None:
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip())
        if not asked or asked[0] == "bytes=-" or self.command == "HEAD":
            return None
        condition = self.headers.get("If-Range")
        strong = {value for value in version.values() if not value.startswith("W/")}
        if condition is not None and condition not in strong:
            return None
        if not asked[1]:
            return max(0, size - int(asked[2])), size
        return int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else size

    def _hang_up(self, *, reset: bool) -> None:
        if reset:  # SO_LINGER of zero seconds: close() sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True

    def _wait_for_the_end(self) -> None:
        self.close_connection = True
        self.connection.settimeout(0.05)
        while not self.server.crawl._stopping.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue


def _last_byte(fault: Fault | None, start: int, stop: int) -> int:
    match fault:
        case Cut(after=count) | Stall(after=count) | Chunked(cut=int(count)):
            return min(stop, start + count)
        case WrongLength(by=count) if count < 0:
            return stop + count
    return stop


def _pieces(file: Path, start: int, stop: int) -> Iterator[bytes]:
    with file.open("rb") as content:
        content.seek(start)
        while start < stop and (piece := content.read(min(CHUNK, stop - start))):
            start += len(piece)
            yield piece
