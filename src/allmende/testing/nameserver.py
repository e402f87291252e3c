"""A loopback name server that answers what a test tells it to, one answer after the other.

    with Nameserver({"pictures.test": [["127.0.0.2"], ["127.0.0.3"]]}) as names:
        ...  # ask names.address: the first time 127.0.0.2, from then on 127.0.0.3

An answer is a list of addresses, or one of the failures below. Names that are not listed do not exist.
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from ipaddress import ip_address
from types import TracebackType
from typing import Self


class Failure(Enum):
    """Answers without addresses; the value is the DNS response code (RFC 1035, section 4.1.1)."""

    BROKEN = 2
    ABSENT = 3
    REFUSED = 5
    SILENT = -1
    """No answer at all."""


Answers = Sequence[Sequence[str] | Failure]

_TYPES = {4: 1, 6: 28}
"""IP version to record type: A and AAAA."""


class Nameserver:
    """Answers over UDP until the `with` block ends, in a thread of its own.

    Args:
        zone: Names, each with its answers; the last one is repeated for ever.
        ttl: Seconds that answers may be cached.
    """

    def __init__(self, zone: Mapping[str, Answers], ttl: int = 60):
        self.zone = {name.lower(): list(answers) for name, answers in zone.items()}
        self.ttl = ttl
        self.asked: Counter[str] = Counter()
        """Questions for A records, by name."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, name="name server", daemon=True)

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> str:
        """Where it listens, as `address:port`."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def _serve(self) -> None:
        while True:
            question, sender = self._socket.recvfrom(4096)
            if not question:
                return
            if answer := self._answer(question):
                self._socket.sendto(answer, sender)

    def _answer(self, message: bytes) -> bytes | None:
        name, end = _read_name(message, 12)
        kind = int.from_bytes(message[end : end + 2])
        answer = self._next(name, first=kind == _TYPES[4])
        if answer is Failure.SILENT:
            return None
        code = answer.value if isinstance(answer, Failure) else 0
        addresses = [] if isinstance(answer, Failure) else [ip_address(address) for address in answer]
        records = [
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, self.ttl, len(address.packed)) + address.packed
            for address in addresses
            if _TYPES[address.version] == kind
        ]
        header = message[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        return header + message[12 : end + 4] + b"".join(records)

    def _next(self, name: str, *, first: bool) -> Sequence[str] | Failure:
        """The answer whose turn it is. Only questions for A records, which come first, use one up."""
        answers = self.zone.get(name, [Failure.ABSENT])
        at = self.asked[name] - (not first)
        self.asked[name] += first
        return answers[min(max(at, 0), len(answers) - 1)]


def _read_name(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels), at + 1
