"""A request as a behaviour of the misbehaving server sees it, and what to answer it with."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from allmende.testing.server import Server

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@lru_cache(maxsize=256)
def picture_bytes(number: int, size: int = 0) -> bytes:
    """A JPEG, different for each number; padded behind its end to `size` bytes, which decoders overlook."""
    from allmende.testing.samples import picture

    data = picture(number)
    return data + bytes(max(0, size - len(data)))


@dataclass(slots=True)
class Call:
    """One request as a behaviour sees it."""

    server: "Server"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: str
    """Host header without port."""
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    """Of the request, names in lower case."""

    @property
    def words(self) -> list[str]:
        """The path's segments."""
        return [word for word in self.path.partition("?")[0].split("/") if word]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's pairs."""
        return parse_qsl(self.path.partition("?")[2], keep_blank_values=True)

    def option(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return dict(self.query).get(name, default)

    @property
    def picture(self) -> bytes:
        """The picture that the path names."""
        words = self.words
        number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        return picture_bytes(number, int(self.option("bytes", "0")))

    async def send(self, *parts: bytes) -> None:
        """Writes at once, and waits until the network has taken it."""
        self.writer.writelines(parts)
        await self.writer.drain()

    async def answer(self, body: bytes, status: int = 200, **headers: str) -> bool:
        """A well-formed response; keyword `content_type` is the header Content-Type."""
        headers = {"content_type": "image/jpeg", "content_length": str(len(body)), **headers}
        await self.send(head(status, [(n.replace("_", "-"), v) for n, v in headers.items() if v]), body)
        return True

    async def hang(self) -> bool:
        """Says nothing more until the client leaves."""
        await self.reader.read()
        return False

    def reset(self) -> bool:
        """Closes with RST instead of FIN."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        return False


def head(status: int, headers: list[tuple[str, str]]) -> bytes:
    """Status line and headers."""
    phrase = _PHRASES.get(status, "Odd")
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunked(body: bytes, size: int = 1_000) -> bytes:
    """The body in chunked transfer coding."""
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def compress(data: bytes, name: str) -> bytes:
    """The data in a content encoding; unknown ones leave them as they are."""
    import brotli
    import zstandard

    if name == "raw-deflate":
        return zlib.compress(data, wbits=-15)
    known: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": zstandard.compress,
    }
    return known[name](data) if name in known else data
