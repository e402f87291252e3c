"""How a TLS handshake can go wrong: one function for each way. All take the connection and wait for the client's hello."""

import asyncio
from collections.abc import Awaitable, Callable

Handshake = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with HTTP, as servers do whose port 443 is set up wrongly."""
    await _answer(reader, writer, b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes without a word."""
    await _answer(reader, writer, b"")


async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses with a fatal alert, handshake_failure (RFC 8446, section 6)."""
    await _answer(reader, writer, b"\x15\x03\x03\x00\x02\x02\x28")


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A handshake record full of rubbish."""
    await _answer(reader, writer, b"\x16\x03\x03\x40\x00" + bytes(range(256)) * 64)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Empty records without end."""
    await reader.read(1)
    while not writer.is_closing():
        writer.write(b"\x16\x03\x03\x00\x00" * 1_000)
        await writer.drain()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
    await reader.read(1)
    writer.write(answer)
    await writer.drain()


HANDSHAKES: dict[str, Handshake] = {
    "plain": plain,
    "cut": cut,
    "alert": alert,
    "nonsense": nonsense,
    "endless": endless,
}
"""By name."""
