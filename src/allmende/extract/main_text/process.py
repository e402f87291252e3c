"""One extractor process, seen from outside: give it a page, get a main text, or the Reason why there is none.

trafilatura has no deadline of its own, and some pages take it minutes or gigabytes. So it runs in a process that is
killed when it takes too long, and is replaced when it dies. It is a `child_process` as those for images are
(`allmende.media.decoder`), but gets one page at a time: a worker that waits for it has nothing else to do, and the
engine runs as many workers as there are cores.

Memory of long-lived processes grows, by what allocator and caches keep, so one is replaced after `PAGES` pages, or
when it holds `RESIDENT` bytes.
"""

import os
import socket
import subprocess
import time
import weakref
from pathlib import Path

import msgspec

from allmende import child_process
from allmende.errors import EngineError
from allmende.extract.extractor import MainText
from allmende.schema import Reason

PAGES = 5_000
"""Pages after which a process is replaced: starting one takes as long as ten pages."""

RESIDENT = 600_000_000
"""Bytes in memory after which a process is replaced before it gets another page; a fresh one holds 80 MB."""

_CHECK_EVERY = 50
"""Pages between two looks at the memory of a process."""

_BAD_ANSWER = 256_000_000
"""An answer that claims to have more bytes is none of ours."""

COMMAND = child_process.command("allmende.extract.main_text.child")

_answer = msgspec.msgpack.Decoder(MainText | None).decode
_encode = msgspec.msgpack.Encoder().encode


class _Died(Exception):
    """The process ended before it answered."""


class ExtractorProcess:
    """A process that is there when it is needed. Not for several threads at once.

    Args:
        seconds: Deadline for a page.
        memory: Bytes of data that the process may have (on Linux).
    """

    def __init__(self, seconds: float, memory: int):
        self._seconds = seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._end: weakref.finalize[[socket.socket, subprocess.Popen[bytes]], ExtractorProcess] | None = None
        """Ends the process when nobody has this object any more."""
        self._pages = 0

    def extract(self, html: str, cheap: str, *, markdown: bool) -> MainText | Reason:
        """What `extract_careful` makes of a page.

        Returns:
            The main text; or `EXTRACTION_TIMEOUT`, `EXTRACTION_CRASHED`.

        Raises:
            EngineError: No process starts.
        """
        task = _encode((html, cheap, markdown))
        for _ in range(child_process.TRIES):
            self._refresh()
            try:
                answer = _answer(self._ask(task, self._seconds))
            except TimeoutError:
                self.close()
                return Reason.EXTRACTION_TIMEOUT
            except (_Died, OSError, msgspec.DecodeError):
                self.close()
                continue
            self._pages += 1
            return Reason.EXTRACTION_CRASHED if answer is None else answer
        return Reason.EXTRACTION_CRASHED

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._end is not None:
            self._end()
        self._socket = self._process = self._end = None

    def _refresh(self) -> None:
        """Makes sure that there is a process, and that it is not worn out."""
        if self._process is not None and (
            self._pages >= PAGES or (self._pages % _CHECK_EVERY == 0 and resident(self._process.pid) > RESIDENT)
        ):
            self.close()
        for _ in range(child_process.FAILED_STARTS):
            if self._process is not None:
                return
            self._start()
        if self._process is None:
            raise EngineError(child_process.did_not_start("extractor", COMMAND))

    def _start(self) -> None:
        try:
            self._process, self._socket = child_process.start(COMMAND, self._memory)
        except OSError as error:
            raise EngineError(f"no process can be started for an extractor: {error}") from error
        self._pages = 0
        self._end = weakref.finalize(self, _end, self._socket, self._process)
        try:
            self._ask(b"", child_process.START_SECONDS)
        except (_Died, OSError):
            self.close()

    def _ask(self, body: bytes, seconds: float) -> bytes:
        """Sends a frame and waits for the answer; TimeoutError, _Died or OSError if there is none."""
        assert self._socket is not None
        deadline = time.monotonic() + seconds
        self._socket.settimeout(seconds)
        self._socket.sendall(child_process.header(body) + body)
        length = int.from_bytes(self._receive(4, deadline), "little")
        if length > _BAD_ANSWER:
            raise _Died
        return self._receive(length, deadline)

    def _receive(self, length: int, deadline: float) -> bytes:
        assert self._socket is not None
        received = bytearray()
        while len(received) < length:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            more = self._socket.recv(min(length - len(received), 1 << 20))
            if not more:
                raise _Died
            received += more
        return bytes(received)


def _end(channel: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    channel.close()
    process.kill()
    process.wait()


def resident(pid: int) -> int:
    """Bytes of a process in memory; 0 where the system does not tell (only Linux does)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
