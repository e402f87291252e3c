"""One request and its response, phase by phase: connect, first byte, body. Every phase has its deadline.

The methods are libcurl's callbacks; `wire` calls them, and asks `overdue` now and then. None of them waits or raises:
what goes wrong becomes the exchange's `reason`.
"""

from collections.abc import Callable
from ipaddress import ip_address

from allmende.fetch.body import Body, Flow, Headers
from allmende.fetch.guard import Place
from allmende.fetch.outcome import status_reason
from allmende.recipe import Fetch
from allmende.schema import Reason

HEADER_BYTES = 32 * 1024
"""Most bytes of response headers, informational responses and trailers included."""


GO_ON = None
STOP = -1
"""A number of bytes taken that can't be: libcurl ends the transfer."""
PAUSE = 0x10000001
"""CURL_WRITEFUNC_PAUSE: libcurl keeps the bytes and offers them again later."""
CONNECTION_GOOD, CONNECTION_BAD = 0, 1
"""CURL_PREREQFUNC_OK and _ABORT."""


_BLANK = frozenset({b"\r\n", b"\n"})


class Exchange:
    """A request under way.

    Args:
        place: What is asked for.
        address: Where; judged already.
        body: Receives the response's body.
        judge: Says, from the headers of a good response, why its body is not wanted, or None.
        config: `fetch` of the recipe.
        seconds: What is left of `fetch.total_seconds`.
        clock: Seconds that only go forward.
    """

    __slots__ = (
        "_clock",
        "_deadlines",
        "_header_bytes",
        "_judge",
        "_lines",
        "_paused",
        "_phase",
        "_seconds",
        "_since",
        "address",
        "body",
        "first_byte",
        "headers",
        "place",
        "reason",
        "started",
        "status",
    )

    def __init__(
        self,
        place: Place,
        address: str,
        body: Body,
        judge: Callable[[str, Headers], Reason | None],
        config: Fetch,
        seconds: float,
        clock: Callable[[], float],
    ):
        self.place = place
        self.address = address
        self.body = body
        self._judge = judge
        self._deadlines = {
            Reason.TIMEOUT_CONNECT: config.connect_seconds,
            Reason.TIMEOUT_FIRST_BYTE: config.first_byte_seconds,
            Reason.TIMEOUT_IDLE: config.idle_seconds,
        }
        self._seconds = seconds
        self._clock = clock
        self._phase = Reason.TIMEOUT_CONNECT
        self._since = clock()
        self._paused: float | None = None
        self._lines: list[bytes] = []
        self._header_bytes = 0
        self.started = self._since
        self.first_byte = 0.0
        """Seconds from the request to the headers; 0 if there are none."""
        self.status: int | None = None
        """Of a final response (not 1xx) whose headers are whole."""
        self.headers: Headers = {}
        self.reason: Reason | None = None
        """Why there is no body."""

    def connected(self, address: str, _: str, __: int, ___: int) -> int:
        """The connection stands, or is used again, and leads to this address; the request goes out next."""
        if address != self.address and ip_address(address) != ip_address(self.address):
            self.reason = Reason.ADDRESS_REFUSED
            return CONNECTION_BAD
        self._enter(Reason.TIMEOUT_FIRST_BYTE)
        return CONNECTION_GOOD

    def header(self, line: bytes) -> int | None:
        """A line of the headers, its end included; the empty one ends them."""
        self._header_bytes += len(line)
        if self._header_bytes > HEADER_BYTES:
            return self._stop(Reason.HEADERS_TOO_LARGE)
        if self.status is not None:  # a trailer
            return GO_ON
        if line not in _BLANK:
            self._lines.append(line)
            return GO_ON
        lines, self._lines = self._lines, []
        status = _status(lines)
        if 100 <= status < 200:
            return GO_ON
        if not status:
            return self._stop(Reason.PROTOCOL_ERROR)
        return self._begin(status, lines[1:])

    def chunk(self, data: bytes) -> int | None:
        """Bytes of the body."""
        flow = self.body.feed(data)
        now = self._clock()
        if flow is Flow.WAIT:
            self._paused = now
            return PAUSE
        if self._paused is not None:  # the wait was ours, not the server's
            self._seconds += now - self._paused
            self._paused = None
        self._since = now
        return STOP if flow is Flow.STOP else GO_ON

    def overdue(self, now: float) -> Reason | None:
        """The deadline that has passed, if one has."""
        if self._paused is not None:
            return None
        if now - self._since > self._deadlines[self._phase]:
            return self._phase
        return Reason.TIMEOUT_TOTAL if now - self.started > self._seconds else None

    def ended(self, reason: Reason | None) -> bytes:
        """The exchange is over. Returns the body; if it is not to be had, `reason` tells why.

        Args:
            reason: What libcurl, or a deadline, ended it for; None if the response is whole.
        """
        self.reason = self.reason or self.body.reason or reason
        if self.reason is None and self.status is None:
            self.reason = Reason.CONNECTION_LOST  # closed in the middle of the headers, which libcurl lets pass
        if self.reason is not None:
            self.body.drop()
            return b""
        body = self.body.finish()
        self.reason = self.body.reason
        return body

    def _begin(self, status: int, lines: list[bytes]) -> int | None:
        self.status = status
        self.headers = _parse(lines)
        self.first_byte = self._clock() - self._since
        self._enter(Reason.TIMEOUT_IDLE)
        reason = status_reason(status) or self._judge(self.place.url, self.headers)
        return GO_ON if self.body.begin(self.headers, reason) else STOP

    def _enter(self, phase: Reason) -> None:
        self._phase = phase
        self._since = self._clock()

    def _stop(self, reason: Reason) -> int | None:
        self.reason = reason
        return STOP


def _status(lines: list[bytes]) -> int:
    """Status of a status line; 0 if it has none."""
    words = lines[0].split(None, 2) if lines else []
    return int(words[1]) if len(words) > 1 and words[1].isdigit() and len(words[1]) == 3 else 0


def _parse(lines: list[bytes]) -> Headers:
    headers: dict[str, list[str]] = {}
    for line in _text(b"".join(lines).strip()).split("\n"):
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers


def _text(raw: bytes) -> str:
    """UTF-8 if it is that, else ISO 8859-1, in which every byte is a character."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
