"""The inside of an extractor process: pages in on standard input, which is a socket, and main texts out on the same.

    python -P -m allmende.extract.main_text.child

`allmende.extract.main_text.process` starts this. Each frame is four bytes of length and a MessagePack value. The first
holds the memory cap and the parent's process number and is answered with an empty one; each further one is a `Task`,
and is answered with a `MainText`, or with null if trafilatura failed on the page.
"""

import contextlib
import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import sys
import warnings
from typing import IO

import msgspec

from allmende.extract.extractor import MainText
from allmende.extract.main_text.careful import extract_careful

COLLECT_EVERY = 100
"""Pages between two searches for cycles of garbage; more often costs a twentieth of the time, and finds little."""

_PR_SET_PDEATHSIG = 1


class Greeting(msgspec.Struct, array_like=True):
    """The first frame."""

    parent: int
    memory: int
    """Bytes of data that this process may have."""


class Task(msgspec.Struct, array_like=True):
    """A page."""

    html: str
    cheap: str
    markdown: bool


def main() -> None:
    """Answer until the input ends."""
    with socket.socket(fileno=os.dup(0)) as channel, channel.makefile("rb") as frames:
        first = receive(frames)
        if first is None:
            return
        _confine(msgspec.msgpack.decode(first, type=Greeting))
        channel.sendall(framed(b""))
        encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Task).decode
        pages = 0
        while (frame := receive(frames)) is not None:
            channel.sendall(framed(encode(_answer(decode(frame)))))
            pages += 1
            if pages % COLLECT_EVERY == 0:
                gc.collect()


def _answer(task: Task) -> MainText | None:
    try:
        return extract_careful(task.html, task.cheap, markdown=task.markdown)
    except MemoryError:
        sys.exit("out of memory")  # what is left in this process is not to be trusted
    except Exception:  # noqa: BLE001 - whatever a library raises on a page is the fate of that page, and counted
        return None


def framed(body: bytes) -> bytes:
    """A frame."""
    return len(body).to_bytes(4, "little") + body


def receive(frames: IO[bytes]) -> bytes | None:
    """The next frame; None at the end."""
    head = frames.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "little")
    body = frames.read(length)
    return body if len(body) == length else None


def _confine(greeting: Greeting) -> None:
    """Caps this process, silences libraries, and ties its life to its parent's."""
    logging.disable(logging.CRITICAL)  # trafilatura says a line for each page without text
    warnings.simplefilter("ignore")
    gc.freeze()
    gc.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (greeting.memory, greeting.memory))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != greeting.parent:
            sys.exit("the parent died before this extractor was ready")


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError):  # the parent has gone: nobody is left to answer
        main()
