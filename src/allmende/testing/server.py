"""A loopback web server that misbehaves on purpose, and counts what it is asked.

    with Server() as server:
        server.url("/ok/1")                     # http://127.0.0.1:PORT/ok/1
        server.url("/stall/1", host=2)          # the same server as another host, 127.0.0.2
        server.url("/ok/1", tls=True)           # with a self-signed certificate, `Server.certificate`
        server.hits, server.most_at_once        # by host

The behaviours are in `allmende.testing.behaviours`. From a shell, `python -m allmende.testing.server` prints its
addresses as a line of JSON and serves until its standard input is closed.
"""

import asyncio
import contextlib
import json
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from allmende.testing.behaviours import BEHAVIOURS
from allmende.testing.call import Call

_PEM = Path(__file__).with_name("localhost.pem")


class Server:
    """Serves until the `with` block ends, in a thread of its own.

    Args:
        hosts: On how many addresses it listens: 127.0.0.1, 127.0.0.2 and so on, all on the same ports.
        drip_seconds: Time between two bytes of a behaviour that drips.
    """

    certificate = str(_PEM)
    """File with the certificate (for localhost and 127.0.0.1) that the TLS port shows. Its key is in it: trust nobody
    who has it."""

    def __init__(self, hosts: int = 1, drip_seconds: float = 0.01):
        self.hosts = hosts
        self.drip_seconds = drip_seconds
        self.hits: Counter[str] = Counter()
        """Requests for each host, as its Host header says."""
        self.most_at_once: Counter[str] = Counter()
        """Most requests that a host had under way."""
        self.asked: list[tuple[str, str]] = []
        """Host and path of every request, in order."""
        self.user_agents: set[str] = set()
        self.connections = 0
        """Connections that brought at least one request."""
        self.port = self.tls_port = self.mute_port = 0
        self._now: Counter[str] = Counter()
        self._visits: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="misbehaving server", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def url(self, path: str, host: int | str = 1, *, tls: bool = False) -> str:
        """URL of a behaviour.

        Args:
            path: Such as /cut/7.
            host: Number of the address, or a name that leads to one.
            tls: Ask the TLS port.
        """
        name = f"127.0.0.{host}" if isinstance(host, int) else host
        return f"https://{name}:{self.tls_port}{path}" if tls else f"http://{name}:{self.port}{path}"

    @property
    def ports(self) -> tuple[int, ...]:
        """All of them: plain, TLS, and one that takes connections and breaks the TLS handshake."""
        return self.port, self.tls_port, self.mute_port

    def release(self) -> None:
        """Lets `/held` and its kin answer, from now on."""
        self._loop.call_soon_threadsafe(self.released.set)

    def visits(self, call: Call) -> int:
        """How often this URL has been asked for, this time included."""
        return self._visits[call.host + call.path]

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        self.released = asyncio.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_PEM)
        self.port = await self._listen(self._serve)
        self.tls_port = await self._listen(self._serve, ssl=context)
        self.mute_port = await self._listen(self._break_handshake)

    async def _listen(self, serve: Any, **options: Any) -> int:
        """Listens on the same free port of every address."""
        addresses = [f"127.0.0.{number}" for number in range(1, self.hosts + 1)]
        for _ in range(100):
            opened: list[asyncio.Server] = []
            port = 0
            try:
                for address in addresses:
                    opened.append(
                        await asyncio.start_server(self._track(serve), address, port, backlog=1024, **options)
                    )
                    port = opened[0].sockets[0].getsockname()[1]
            except OSError:  # another process has this port on one of the addresses
                for server in opened:
                    server.close()
            else:
                self._servers += opened
                return port
        raise OSError(f"no port is free on all of {addresses}")

    def _track(self, serve: Any) -> Any:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._attend(serve, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return connected

    async def _attend(self, serve: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
                await serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests, one after the other."""
        self.connections += 1
        stays = True
        while stays:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:] if line)}
            host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
            call = Call(self, reader, writer, host, lines[0].split(" ")[1], headers)
            behave = BEHAVIOURS.get((call.words or ["ok"])[0], BEHAVIOURS["missing"])
            self._count(call)
            try:
                stays = await behave(call)
            finally:
                self._now[host] -= 1

    def _count(self, call: Call) -> None:
        self.asked.append((call.host, call.path))
        self.user_agents.add(call.headers.get("user-agent", ""))
        self.hits[call.host] += 1
        self._visits[call.host + call.path] += 1
        self._now[call.host] += 1
        self.most_at_once[call.host] = max(self.most_at_once[call.host], self._now[call.host])

    async def _break_handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers a TLS hello with HTTP, as servers do whose port 443 is set up wrongly."""
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def main() -> None:
    """Serves until standard input is closed."""
    hosts = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with Server(hosts) as server:
        print(  # noqa: T201 - this line is the interface
            json.dumps({"url": server.url(""), "tls_url": server.url("", tls=True), "hosts": hosts}), flush=True
        )
        sys.stdin.read()


if __name__ == "__main__":
    main()
