"""The loopback web server of the demo: it plays Common Crawl and every web host of the demo crawl at once.

`127.0.0.1` and `localhost` are Common Crawl: the files of `data/`, with Range. Every other Host is the web: what was
recorded of it (`replay`). The hosts are called NAME.localhost, because that name leads to the own machine in every
resolver that follows RFC 6761 (c-ares and browsers among them), without asking anybody; so the pages can be
looked at, too: http://bauwerke.localhost:8087/.

Runs in a process of its own, so that it takes no time from the build's interpreter, and ends when its standard input does:

    python -m allmende.demo.server

Measured: see docs/reference/demo-data.md.
"""

import asyncio
import contextlib
import os
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from allmende.demo.replay import PORT, Web, moved
from allmende.testing.archives import http_response, wat_from_warc
from allmende.testing.wat import HEADER_END, header_lines

DATA = Path(__file__).parent / "data"
"""The crawl as it ships."""

HOST_FILES: dict[str, tuple[str, str]] = {
    "bauwerke/robots.txt": (
        "text/plain",
        "User-agent: *\nDisallow: /img/\nDisallow: /*?print=\n\nSitemap: http://bauwerke.localhost/sitemap.xml\n",
    ),
    "molens/robots.txt": (
        "text/plain",
        "# Zoekmachines zijn welkom, AI niet.\nUser-agent: GPTBot\nUser-agent: CCBot\nUser-agent: Google-Extended\n"
        "Disallow: /\n\nUser-agent: *\nAllow: /\n",
    ),
    "landmarks/robots.txt": ("text/plain", "User-agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /\n"),
    "pesci/.well-known/tdmrep.json": (
        "application/json",
        '[{"location": "/bilder/*", "tdm-reservation": 1, "tdm-policy": "http://pesci.localhost/licenza.json"}]',
    ),
    "objects/ai.txt": ("text/plain", "User-Agent: *\nDisallow: *.jpg\nDisallow: *.png\nDisallow: *.webp\n"),
}
"""What hosts say about mining, in their own files: host and path -> type and text. All other hosts have no such files."""

OTHER_PORTS = range(8101, 9000, 2)
"""Ports to try when `PORT`, or the one after it, is taken."""

_LONGEST_REQUEST = 32_768
"""Bytes of request headers; whoever sends more is cut off."""


@dataclass(slots=True)
class Library:
    """Everything the server can answer."""

    files: dict[str, bytes]
    """Common Crawl's part: path without leading slash -> content."""
    web: Web
    asked: Counter[str] = field(default_factory=Counter)
    """Requests so far, by URL."""

    def answer(self, request: bytes) -> tuple[bytes, bool, float]:
        """The bytes to send, whether the connection may be used again, and the seconds to wait before."""
        first, _, _ = request.partition(b"\r\n")
        method, target, *_ = [*first.decode("latin-1").split(" "), "", ""]
        headers = {name.lower(): value for name, value in header_lines(request).items()}
        host = headers.get("host", "")
        if method not in ("GET", "HEAD"):
            return http_response(b"", status=405), False, 0
        if host.partition(":")[0] in ("127.0.0.1", "localhost", ""):
            message, again, delay = self._file(target, headers.get("range", "")), True, 0.0
        else:
            message, again, delay = self._recorded(f"http://{host}{target}")
        if method == "HEAD":
            message = message.partition(HEADER_END)[0] + HEADER_END
        return message, again and headers.get("connection", "").lower() != "close", delay

    def _recorded(self, url: str) -> tuple[bytes, bool, float]:
        name, _, path = url.removeprefix("http://").partition("/")
        if told := HOST_FILES.get(f"{name.partition('.')[0]}/{path}"):
            return http_response(told[1].encode(), content_type=told[0]), True, 0
        answers = self.web.answers.get(url) or self.web.answers.get(url.partition("?")[0])
        if not answers:
            return http_response(b"<h1>Not found</h1>", status=404), True, 0
        chosen = answers[min(self.asked[url], len(answers) - 1)]
        self.asked[url] += 1
        return chosen.message, chosen.whole, self.web.delays.get(url, 0)

    def _file(self, target: str, wanted: str) -> bytes:
        path = target.partition("?")[0].lstrip("/")
        content = self.files.get(path)
        if content is None:
            return self._index() if not path else http_response(b"<h1>Not found</h1>", status=404)
        kind = "application/json" if path.endswith(".json") else "application/gzip"
        tag = ("ETag", f'"{blake2b(content, digest_size=8).hexdigest()}"')
        headers = [tag, ("Accept-Ranges", "bytes")]
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        if not part:
            return http_response(content, content_type=kind, headers=headers)
        start, end = int(part[1]), min(int(part[2] or len(content) - 1), len(content) - 1)
        if start > end:
            return http_response(b"", status=416, headers=[("Content-Range", f"bytes */{len(content)}")])
        headers.append(("Content-Range", f"bytes {start}-{end}/{len(content)}"))
        return http_response(content[start : end + 1], status=206, content_type=kind, headers=headers)

    def _index(self) -> bytes:
        hosts = sorted({url.split("/")[2] for url, kept in self.web.answers.items() if b"text/html" in kept[0].message})
        links = "".join(f'<li><a href="http://{host}/">{host}</a>' for host in hosts)
        return http_response(f"<!doctype html><title>Demo crawl</title><ul>{links}</ul>".encode())


def library(port: int, data: Path = DATA) -> Library:
    """Reads the crawl below `data`, all its links leading to `port`."""
    files = {path.relative_to(data).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    recorded = moved(files.pop("web.warc.gz"), port)
    web = Web()
    web.add(recorded)
    for path in [path for path in files if path.endswith(".warc.gz")]:
        warc = files[path] = moved(files[path], port)
        web.add(warc)
        wat = path.replace("/warc/", "/wat/").replace(".warc.gz", ".warc.wat.gz")
        if port != PORT:
            files[wat] = wat_from_warc(warc, path.rpartition("/")[2])
    return Library(files, web)


class _Connection(asyncio.Protocol):
    """One client: takes a request at a time, as clients without pipelining send them. Stands in `others` while it is open."""

    def __init__(self, answer: Callable[[bytes], tuple[bytes, bool, float]], others: set[asyncio.Transport]) -> None:
        self._answer = answer
        self._others = others
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._others.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        del error
        assert self._transport is not None
        self._others.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(HEADER_END)
        if end >= 0:
            request = bytes(self._received[: end + 2])
            del self._received[: end + 4]
            message, again, delay = self._answer(request)
            if delay:
                asyncio.get_running_loop().call_later(delay, self._send, message, again)
            else:
                self._send(message, again)
        elif len(self._received) > _LONGEST_REQUEST and self._transport:
            self._transport.close()

    def _send(self, message: bytes, again: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(message)
        if not again:
            self._transport.close()


def listen(ports: list[int]) -> tuple[int, list[socket.socket], list[socket.socket]]:
    """Binds the first of `ports` that is free together with the one after it.

    Returns:
        The port; the sockets to serve on, of 127.0.0.1 and, where there is IPv6, ::1; sockets that hold the next
        port without listening, so that whoever connects there is refused.
    """
    addresses = ["127.0.0.1"]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        addresses.append("::1")
    for port in ports:
        bound: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                bound += [_bind(address, number) for address in addresses]
        except OSError:
            for taken in bound:
                taken.close()
            continue
        return port, bound[: len(addresses)], bound[len(addresses) :]
    raise OSError(f"no free port among {ports[0]} to {ports[-1]}")


def _bind(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


async def _serve(port: int, sockets: list[socket.socket]) -> None:
    loop = asyncio.get_running_loop()
    answer = library(port).answer
    connections: set[asyncio.Transport] = set()
    servers = [await loop.create_server(lambda: _Connection(answer, connections), sock=each) for each in sockets]
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    threading.Thread(target=_read_to_end, args=(lambda: loop.call_soon_threadsafe(ended.set),), daemon=True).start()
    await ended.wait()
    for server in servers:
        server.close()
    for connection in connections:
        connection.abort()
    await asyncio.sleep(0)  # then they are closed


def _read_to_end(then: Callable[[], object]) -> None:
    """Waits for the end of standard input, without Python's lock on it, which would outlast Ctrl-C."""
    while os.read(0, 65_536):
        pass
    then()


def main() -> None:
    """Serves until standard input ends or Ctrl-C; writes the port to standard output once it answers."""
    port, sockets, held = listen([PORT, *OTHER_PORTS])
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(port, sockets))
    finally:
        for each in [*sockets, *held]:
            each.close()


if __name__ == "__main__":
    main()
