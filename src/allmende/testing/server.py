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
from collections.abc import Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from allmende.testing.behaviours import BEHAVIOURS
from allmende.testing.broken_tls import HANDSHAKES
from allmende.testing.call import Call

_PEM = Path(__file__).with_name("localhost.pem")


class Server:
    """Serves until the `with` block ends, in a thread of its own.

    Args:
        hosts: On how many addresses it listens: 127.0.0.1, 127.0.0.2 and so on, all on the same ports.
        drip_seconds: Time between two bytes of a behaviour that drips.
        answers: Paths that a host answers as if another had been asked for: `{("127.0.0.2", "/robots.txt"):
            "/status/500"}`. An empty host stands for all. What is not listed is missing, robots.txt included.
    """

    certificate = str(_PEM)
    """File with the certificate (for localhost and 127.0.0.1) that the TLS port shows. Its key is in it: trust nobody
    who has it."""

    def __init__(
        self, hosts: int = 1, drip_seconds: float = 0.01, answers: Mapping[tuple[str, str], str] | None = None
    ):
        self.hosts = hosts
        self.drip_seconds = drip_seconds
        self.answers = dict(answers or {})
        """May be changed while it serves."""
        self.files: dict[str, bytes] = {}
        """What `/file/NAME` answers with."""
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
        self.broken_tls: dict[str, int] = {}
        """Ports whose TLS handshake goes wrong, by what they do: see `allmende.testing.broken_tls`."""
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
        """All of them: plain, TLS, and those that take connections and break the TLS handshake."""
        return self.port, self.tls_port, *self.broken_tls.values()

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
        for name, serve in HANDSHAKES.items():
            self.broken_tls[name] = await self._listen(serve)
        self.mute_port = self.broken_tls["plain"]

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
            asked = lines[0].split(" ")[1]
            call = Call(self, reader, writer, host, self._instead(host, asked), headers)
            behave = BEHAVIOURS.get((call.words or ["ok"])[0], BEHAVIOURS["missing"])
            self._count(call, asked)
            try:
                stays = await behave(call)
            finally:
                self._now[host] -= 1

    def _instead(self, host: str, path: str) -> str:
        """The path that is answered."""
        bare = path.partition("?")[0]
        return self.answers.get((host, bare)) or self.answers.get(("", bare)) or path

    def _count(self, call: Call, path: str) -> None:
        self.asked.append((call.host, path))
        self.user_agents.add(call.headers.get("user-agent", ""))
        self.hits[call.host] += 1
        self._visits[call.host + call.path] += 1
        self._now[call.host] += 1
        self.most_at_once[call.host] = max(self.most_at_once[call.host], self._now[call.host])

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
