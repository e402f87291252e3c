"""How a web server can misbehave: one function for each behaviour, named as the path that asks for it.

`/cut/7?bytes=9000` is behaviour `cut`, of picture 7, with a body of 9,000 bytes. A behaviour writes raw bytes, so that
it can be as wrong as it likes; what it returns tells whether the connection may be used again.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache

from allmende.testing.call import Call, chunked, compress, head, picture_bytes

HTML = b"<!doctype html><title>Not here</title><p>" + b"This is a page, not a picture. " * 40
BOMB_BYTES = 50_000_000
"""What the compressed bombs grow to."""


Behaviour = Callable[[Call], Awaitable[bool]]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(function: Behaviour) -> Behaviour:
    """Registers a function under its name, with dashes."""
    BEHAVIOURS[function.__name__.replace("_", "-")] = function
    return function


# Good manners


@behaviour
async def ok(call: Call) -> bool:
    """The picture; `etag` and `last-modified` if asked for."""
    return await call.answer(call.picture, etag=call.option("etag"), last_modified=call.option("last-modified"))


@behaviour
async def chunks(call: Call) -> bool:
    """The picture without Content-Length, chunked."""
    await call.send(head(200, [("Transfer-Encoding", "chunked")]), chunked(call.picture))
    return True


@behaviour
async def until_close(call: Call) -> bool:
    """The picture without Content-Length; its end is the connection's."""
    await call.send(head(200, [("Content-Type", "image/jpeg"), ("Connection", "close")]), call.picture)
    return False


@behaviour
async def informed(call: Call) -> bool:
    """Two informational responses before the picture."""
    await call.send(head(103, [("Link", "</style.css>")]) * 2)
    return await call.answer(call.picture)


@behaviour
async def type(call: Call) -> bool:
    """The picture with the Content-Type of parameter `is`; without one if that is empty."""
    return await call.answer(call.picture, content_type=call.option("is"))


@behaviour
async def robots(call: Call) -> bool:
    """The picture with an X-Robots-Tag for each parameter `tag`."""
    tags = [("X-Robots-Tag", value) for name, value in call.query if name == "tag"]
    await call.send(head(200, [*tags, ("Content-Length", str(len(call.picture)))]), call.picture)
    return True


@behaviour
async def text(call: Call) -> bool:
    """Parameter `is`, as a text; `type` overwrites its Content-Type. What a robots.txt or a tdmrep.json says."""
    return await call.answer(call.option("is").encode(), content_type=call.option("type", "text/plain; charset=utf-8"))


@behaviour
async def file(call: Call) -> bool:
    """`/file/a`: that one of `Server.files`, as an image, or of type `type`; with the X-Robots-Tag of `tag`."""
    kind, tag = call.option("type", "image/jpeg"), call.option("tag")
    return await call.answer(call.server.files[call.words[1]], content_type=kind, x_robots_tag=tag)


@behaviour
async def held(call: Call) -> bool:
    """The picture, as soon as the test calls `Server.release`."""
    await call.server.released.wait()
    return await call.answer(call.picture)


# Not the picture


@behaviour
async def status(call: Call) -> bool:
    """`/status/404`: that status, with a page."""
    return await call.answer(HTML, int(call.words[1]), content_type="text/html")


@behaviour
async def html(call: Call) -> bool:
    """A page with status 200; `type` overwrites its Content-Type."""
    return await call.answer(HTML, content_type=call.option("type", "text/html; charset=utf-8"))


@behaviour
async def svg(call: Call) -> bool:
    """A vector image, which is none to us."""
    return await call.answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>" + b" " * 100, content_type="image/svg+xml")


@behaviour
async def missing(call: Call) -> bool:
    """What all unknown paths are."""
    return await call.answer(HTML, 404, content_type="text/html")


@behaviour
async def empty(call: Call) -> bool:
    """Status 200 and no body."""
    return await call.answer(b"")


@behaviour
async def no_content(call: Call) -> bool:
    """Status 204."""
    await call.send(head(204, []))
    return True


@behaviour
async def recovers(call: Call) -> bool:
    """`/recovers/429?times=2&after=1`: refuses so many requests for this URL, then gives the picture.

    `after` is sent as Retry-After; with `form=date` as a date.
    """
    if call.server.visits(call) > int(call.option("times", "1")):
        return await call.answer(picture_bytes(0))
    after = call.option("after")
    if after and call.option("form") == "date":
        after = format_datetime(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=float(after)), usegmt=True)
    return await call.answer(HTML, int(call.words[1]), content_type="text/html", retry_after=after)


# Elsewhere


@behaviour
async def redirect(call: Call) -> bool:
    """To parameter `to`, as it stands; status `status`."""
    return await call.answer(HTML, int(call.option("status", "302")), location=call.option("to"))


@behaviour
async def redirects(call: Call) -> bool:
    """`/redirects/3`: three of them, then the picture."""
    left = int(call.words[1])
    return await call.answer(b"", 301, location=f"/redirects/{left - 1}") if left else await call.answer(call.picture)


@behaviour
async def redirect_loop(call: Call) -> bool:
    """To itself."""
    return await call.answer(b"", 302, location=call.path)


@behaviour
async def redirect_bytes(call: Call) -> bool:
    """To a path with raw UTF-8 in it, as many servers write it."""
    await call.send("HTTP/1.1 302 Found\r\nLocation: /ok/ü\r\nContent-Length: 0\r\n\r\n".encode())
    return True


@behaviour
async def headers(call: Call) -> bool:
    """The picture with each parameter `header`, `Name:value`, as a header."""
    told = [value.partition(":")[::2] for name, value in call.query if name == "header"]
    await call.send(head(200, [*told, ("Content-Length", str(len(call.picture)))]), call.picture)
    return True


@behaviour
async def long_robots(call: Call) -> bool:
    """A robots.txt that disallows /ok/1 in its beginning and /ok/2 behind `bytes` of comments; `encoding` compresses it."""
    name = call.option("encoding", "identity")
    comments = b"# nothing here\n" * (int(call.option("bytes", "600000")) // 15)
    body = b"User-agent: *\nDisallow: /ok/1\n" + comments + b"Disallow: /ok/2\n"
    return await call.answer(compress(body, name), content_type="text/plain", content_encoding=name)


@behaviour
async def redirect_inside(call: Call) -> bool:
    """`/redirect-inside/3`: to the fourth of `INSIDE`, on the port of parameter `port`."""
    host = INSIDE[int(call.words[1]) % len(INSIDE)]
    return await call.answer(b"", 302, location=f"http://{host}:{call.option('port', '80')}/latest/meta-data/")


INSIDE = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.01",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:169.254.169.254]",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "10.0.0.1",
    "192.168.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to listen on
)
"""Loopback, link-local (the metadata services of clouds among it) and private addresses, in the spellings that URL
parsers know: dotted, short, decimal, hexadecimal, octal, IPv6, IPv4-mapped, NAT64."""


# Breaking off


@behaviour
async def close(call: Call) -> bool:
    """No answer at all."""
    return False


@behaviour
async def reset(call: Call) -> bool:
    """RST instead of an answer."""
    return call.reset()


@behaviour
async def cut_headers(call: Call) -> bool:
    """Ends in the middle of a header."""
    await call.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    return False


@behaviour
async def cut(call: Call) -> bool:
    """Half of what Content-Length promises."""
    data = call.picture
    await call.send(head(200, [("Content-Length", str(len(data)))]), data[: len(data) // 2])
    return False


@behaviour
async def cut_chunks(call: Call) -> bool:
    """Chunked, without the last chunks."""
    data = call.picture
    await call.send(head(200, [("Transfer-Encoding", "chunked")]), chunked(data)[: len(data) // 2])
    return False


@behaviour
async def reset_body(call: Call) -> bool:
    """RST in the middle of the body."""
    data = call.picture
    await call.send(head(200, [("Content-Length", str(2 * len(data)))]), data)
    return call.reset()


# Nonsense


@behaviour
async def garbage(call: Call) -> bool:
    """No HTTP."""
    await call.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    return False


@behaviour
async def bad_status(call: Call) -> bool:
    """A status that is no number of three digits."""
    await call.send(b"HTTP/1.1 9999 Odd\r\nContent-Length: 0\r\n\r\n")
    return False


@behaviour
async def bad_length(call: Call) -> bool:
    """A Content-Length that is no number."""
    await call.send(head(200, [("Content-Length", "many")]), call.picture)
    return False


@behaviour
async def two_lengths(call: Call) -> bool:
    """Two that contradict each other: the stuff of request smuggling."""
    await call.send(head(200, [("Content-Length", "10"), ("Content-Length", "20")]), call.picture)
    return False


@behaviour
async def too_much(call: Call) -> bool:
    """More bytes than Content-Length promises."""
    await call.send(head(200, [("Content-Length", str(len(call.picture)))]), call.picture, b"HTTP/1.1 200 OK\r\n")
    return False


@behaviour
async def negative_length(call: Call) -> bool:
    """A Content-Length below zero."""
    await call.send(head(200, [("Content-Length", "-1")]), call.picture)
    return False


@behaviour
async def huge_length(call: Call) -> bool:
    """A Content-Length of a terabyte, and then silence."""
    await call.send(head(200, [("Content-Length", str(2**40))]), call.picture)
    return await call.hang()


@behaviour
async def bad_chunks(call: Call) -> bool:
    """`/bad-chunks/1?how=negative`: chunks that are none; `how` is one of `_BAD_CHUNKS`."""
    await call.send(head(200, [("Transfer-Encoding", "chunked")]), _BAD_CHUNKS[call.option("how", "letters")])
    return False


_BAD_CHUNKS = {
    "letters": b"zz\r\nabc\r\n0\r\n\r\n",
    "negative": b"-3\r\nabc\r\n0\r\n\r\n",
    "overflow": b"1" + b"0" * 16 + b"3\r\nabc\r\n0\r\n\r\n",
    "longer": b"3\r\nabcdef\r\n0\r\n\r\n",
    "endless-size": b"0" * 1_000_000,
}


@behaviour
async def huge_chunk(call: Call) -> bool:
    """A chunk that is said to have a terabyte, and begins like a picture."""
    await call.send(head(200, [("Transfer-Encoding", "chunked")]), b"10000000000\r\n", call.picture)
    return await call.hang()


@behaviour
async def endless_trailer(call: Call) -> bool:
    """The picture, chunked, and trailer fields without end."""
    data = chunked(call.picture)
    await call.send(head(200, [("Transfer-Encoding", "chunked")]), data[: -len(b"\r\n")])
    while not call.writer.is_closing():
        await call.send(b"X-Trailer: and on and on\r\n" * 100)
    return False


@behaviour
async def huge_headers(call: Call) -> bool:
    """64 KiB of headers, in many lines; parameter `bytes` says how many."""
    lines = int(call.option("bytes", "65536")) // 1_024
    await call.send(head(200, [(f"X-{i}", "a" * 1_000) for i in range(lines)]), call.picture)
    return False


@behaviour
async def huge_header(call: Call) -> bool:
    """A header of 64 KiB, or of `bytes`."""
    await call.send(head(200, [("X-Long", "a" * int(call.option("bytes", "65536")))]), call.picture)
    return False


@behaviour
async def endless_informed(call: Call) -> bool:
    """Informational responses without end."""
    while not call.writer.is_closing():
        await call.send(head(103, [("Link", "</style.css>")]) * 20)
    return False


# Too slow


@behaviour
async def silent(call: Call) -> bool:
    """Takes the request and never answers."""
    return await call.hang()


@behaviour
async def drip_headers(call: Call) -> bool:
    """A byte of the headers now and then, without end."""
    return await _drip(call, b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")


@behaviour
async def drip(call: Call) -> bool:
    """The headers, then a byte of the picture now and then, without end."""
    return await _drip(call, head(200, [("Content-Length", "1000000")]) + call.picture, b"\0")


@behaviour
async def stall(call: Call) -> bool:
    """Half the picture, then nothing."""
    data = call.picture
    await call.send(head(200, [("Content-Length", str(2 * len(data)))]), data)
    return await call.hang()


async def _drip(call: Call, start: bytes, byte: bytes) -> bool:
    await call.send(start)
    while not call.writer.is_closing():
        await call.send(byte)
        await asyncio.sleep(call.server.drip_seconds)
    return False


# Compressed


@behaviour
async def encoded(call: Call) -> bool:
    """`/encoded/br`: the picture in that content encoding, asked for or not; several are applied in order."""
    names = call.words[1].split(",")
    data = picture_bytes(0, int(call.option("bytes", "0")))
    for name in names:
        data = compress(data, name)
    return await call.answer(data, content_encoding=", ".join(names))


@behaviour
async def bomb(call: Call) -> bool:
    """`/bomb/gzip`: 50 MB of picture in a few kilobytes."""
    name = call.words[1]
    return await call.answer(bomb_bytes(name), content_encoding=name)


@behaviour
async def image_bomb(call: Call) -> bool:
    """`/image-bomb/png`: a small file that wants much memory or time; a name of `allmende.testing.bombs.BOMBS`."""
    from allmende.testing.bombs import bomb_file

    data, content_type = bomb_file(call.words[1])
    return await call.answer(data, content_type=content_type)


@behaviour
async def encoding(call: Call) -> bool:
    """The picture as it is, with the Content-Encoding of parameter `is`, which is a lie."""
    return await call.answer(call.picture, content_encoding=call.option("is"))


@behaviour
async def broken_encoding(call: Call) -> bool:
    """`/broken-encoding/gzip`: damaged in the middle."""
    name = call.words[1]
    data = bytearray(compress(picture_bytes(0), name))
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    return await call.answer(bytes(data), content_encoding=name)


@behaviour
async def encoded_html(call: Call) -> bool:
    """A page, compressed."""
    return await call.answer(gzip.compress(HTML), content_type="text/html", content_encoding="gzip")


@lru_cache(maxsize=8)
def bomb_bytes(name: str) -> bytes:
    """`BOMB_BYTES` of picture in that content encoding."""
    return compress(picture_bytes(0, BOMB_BYTES), name)
