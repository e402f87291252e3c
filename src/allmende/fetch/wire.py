"""libcurl on the event loop: connections, TLS and HTTP/1.1; nothing of politeness, nothing of media.

Chosen over aiohttp for a third less CPU with TLS, a pool of connections that has a bound, and a closed list of errors;
`docs/decisions/0004-http-client.md` has the numbers. libcurl gets the address with the URL (CURLOPT_CONNECT_TO), so
it never resolves a name, and its own reading of the URL can't lead it elsewhere.
"""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable
from functools import partial

import certifi
import pycurl

from allmende.errors import EngineError, RecipeError
from allmende.fetch.exchange import Exchange
from allmende.recipe import Fetch
from allmende.schema import Reason

CHUNK_BYTES = 64 * 1024
"""Largest piece of a body that libcurl hands over: what a connection may hold beyond the budget."""

SWEEP_SHARE = 1 / 10
"""Deadlines are looked at this often, as a share of the shortest one, but at most four times a second."""

SPARE_FILES = 64
"""Open files left to everybody else in the process."""

_E_SSL_CLIENTCERT = 98
_E_TOO_LARGE = 100

REASONS: dict[int, Reason] = {
    pycurl.E_UNSUPPORTED_PROTOCOL: Reason.PROTOCOL_ERROR,  # HTTP/0.9
    pycurl.E_URL_MALFORMAT: Reason.URL_INVALID,
    pycurl.E_COULDNT_CONNECT: Reason.CONNECT_FAILED,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: Reason.PROTOCOL_ERROR,
    pycurl.E_HTTP2: Reason.PROTOCOL_ERROR,
    pycurl.E_PARTIAL_FILE: Reason.BODY_TRUNCATED,
    pycurl.E_OPERATION_TIMEDOUT: Reason.TIMEOUT_CONNECT,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS_FAILED,
    pycurl.E_GOT_NOTHING: Reason.CONNECTION_LOST,
    pycurl.E_SEND_ERROR: Reason.CONNECTION_LOST,
    pycurl.E_RECV_ERROR: Reason.CONNECTION_LOST,
    pycurl.E_SSL_CERTPROBLEM: Reason.TLS_FAILED,
    pycurl.E_SSL_CIPHER: Reason.TLS_FAILED,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS_FAILED,
    pycurl.E_BAD_CONTENT_ENCODING: Reason.BODY_ENCODING_BROKEN,
    pycurl.E_FILESIZE_EXCEEDED: Reason.BODY_TOO_LARGE,
    pycurl.E_USE_SSL_FAILED: Reason.TLS_FAILED,
    pycurl.E_SSL_SHUTDOWN_FAILED: Reason.TLS_FAILED,
    pycurl.E_SSL_ISSUER_ERROR: Reason.TLS_FAILED,
    pycurl.E_SSL_PINNEDPUBKEYNOTMATCH: Reason.TLS_FAILED,
    pycurl.E_SSL_INVALIDCERTSTATUS: Reason.TLS_FAILED,
    _E_SSL_CLIENTCERT: Reason.TLS_FAILED,
    _E_TOO_LARGE: Reason.HEADERS_TOO_LARGE,
}
"""What a server can make libcurl fail with (libcurl-errors(3)). Any other code means that something is wrong here."""

_LOCAL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""Failures to connect that are not the server's."""

Done = Callable[[Exchange, bytes], None]
"""What to call with an exchange that is over, and its body."""


class Wire:
    """Runs exchanges. Belongs to one event loop; close it.

    Args:
        config: `fetch` of the recipe.
        user_agent: Header of every request.
        broken: Called with an error that is not a server's, but ours.

    Raises:
        RecipeError: The process may not open enough files for `fetch.concurrency`.
    """

    def __init__(self, config: Fetch, user_agent: str, broken: Callable[[EngineError], None]):
        _allow_files(3 * config.concurrency + SPARE_FILES)
        self._config = config
        self._user_agent = user_agent
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, 2 * config.concurrency)
        self._free: list[pycurl.Curl] = []
        self._running: dict[Exchange, pycurl.Curl] = {}
        self._futures: dict[Exchange, asyncio.Future[pycurl.Curl]] = {}
        shortest = min(config.connect_seconds, config.first_byte_seconds, config.idle_seconds, config.total_seconds)
        self._sweep_seconds = min(0.25, shortest * SWEEP_SHARE)
        self._sweeper: asyncio.TimerHandle | None = None

    def start(self, exchange: Exchange, accept: str, done: Done) -> None:
        """Sends a request; `done` is called when it is over, never before this returns."""
        curl = self._free.pop() if self._free else self._new_handle()
        host = f"[{exchange.address}]" if ":" in exchange.address else exchange.address
        curl.setopt(pycurl.URL, exchange.place.url)
        curl.setopt(pycurl.CONNECT_TO, [f"::{host}:"])
        curl.setopt(pycurl.HTTPHEADER, [f"Accept: {accept}", "Accept-Encoding: identity"])
        curl.setopt(pycurl.PREREQFUNCTION, exchange.connected)
        curl.setopt(pycurl.HEADERFUNCTION, exchange.header)
        curl.setopt(pycurl.WRITEFUNCTION, exchange.chunk)
        self._running[exchange] = curl
        future = self._futures[exchange] = self._multi.add_handle(curl)
        future.add_done_callback(partial(self._ended, exchange, done))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self._sweep_seconds, self._sweep)

    def resume(self, exchange: Exchange) -> None:
        """Lets a paused exchange go on. May be called from anywhere, and for an exchange that is over."""
        self._loop.call_soon(self._go_on, exchange)

    def stop(self, exchange: Exchange, reason: Reason | None) -> None:
        """Ends an exchange early. Not to be called from within its callbacks."""
        curl = self._running.get(exchange)
        if curl is not None and not self._futures[exchange].done():  # over, but `_ended` has not been called yet
            exchange.reason = exchange.reason or reason
            self._multi.remove_handle(curl)

    async def close(self) -> None:
        """Ends all exchanges and closes all connections."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._multi.aclose()
        for curl in self._free:
            curl.close()
        self._free.clear()

    def _new_handle(self) -> pycurl.Curl:
        curl = pycurl.Curl()
        curl.setopt(pycurl.USERAGENT, self._user_agent)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.PROXY, "")  # proxies of the environment would undo the guard
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PATH_AS_IS, 1)
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        curl.setopt(pycurl.BUFFERSIZE, CHUNK_BYTES)
        curl.setopt(pycurl.CAINFO, os.environ.get("SSL_CERT_FILE") or certifi.where())
        curl.setopt(pycurl.SSL_VERIFYPEER, int(self._config.verify_tls))
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if self._config.verify_tls else 0)
        return curl

    def _ended(self, exchange: Exchange, done: Done, future: "asyncio.Future[pycurl.Curl]") -> None:
        curl = self._running.pop(exchange)
        del self._futures[exchange]
        reason: Reason | None = exchange.reason
        error = None if future.cancelled() else future.exception()
        if error is not None and not exchange.body.complete:  # else we stopped it: there is all we want
            reason = reason or self._reason(exchange, curl, error)
        self._free.append(curl)
        done(exchange, exchange.ended(reason))

    def _reason(self, exchange: Exchange, curl: pycurl.Curl, error: BaseException) -> Reason:
        """What libcurl's error is called here."""
        code, message = error.args[:2]
        if exchange.body.reason is not None and code in (pycurl.E_WRITE_ERROR, pycurl.E_ABORTED_BY_CALLBACK):
            return exchange.body.reason
        number = curl.getinfo(pycurl.OS_ERRNO)
        reason = REASONS.get(code)
        number = number or (_socket_error() if reason is Reason.CONNECT_FAILED else 0)
        if reason is None or number in _LOCAL:
            message = f"{message}; {os.strerror(number)}" if number else message
            self._broken(EngineError(f"libcurl can't ask for {exchange.place.url}: {message} (error {code})"))
            return Reason.CONNECT_FAILED
        if code == pycurl.E_RECV_ERROR and not number and "SSL" not in message:
            return Reason.PROTOCOL_ERROR  # chunked encoding that isn't
        if code == pycurl.E_PARTIAL_FILE and "content-length" not in exchange.headers:
            return Reason.CONNECTION_LOST
        return reason

    def _go_on(self, exchange: Exchange) -> None:
        curl = self._running.get(exchange)
        if curl is None:
            return
        try:
            curl.pause(pycurl.PAUSE_CONT)
        except pycurl.error as error:  # the waiting bytes were offered again at once, and refused
            self.stop(exchange, None if exchange.body.complete else self._reason(exchange, curl, error))

    def _sweep(self) -> None:
        now = self._loop.time()
        for exchange in list(self._running):
            if reason := exchange.overdue(now):
                self.stop(exchange, reason)
        self._sweeper = self._loop.call_later(self._sweep_seconds, self._sweep) if self._running else None


def _socket_error() -> int:
    """Why this process can't open a socket: libcurl does not tell. 0 if it can."""
    try:
        socket.socket().close()
    except OSError as error:
        return error.errno or 0
    return 0


def _allow_files(needed: int) -> None:
    """Raises the soft limit of open files, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise RecipeError(
                f"fetch.concurrency needs {needed} open files, but this system allows {hard}. "
                f"Set it to {max(1, (hard - SPARE_FILES) // 3)} or less, or raise the limit (ulimit -Hn)."
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
