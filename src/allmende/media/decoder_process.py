"""The inside of a decoder: frames in on standard input, which is a socket, and answers out on the same.

    python -m allmende.media.decoder_process

`allmende.media.decoder` starts this and describes the frames. The first frame holds the options and the parent's process
number, and is answered with an empty one.
"""

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import IO

import cv2
import msgspec

from allmende.media.image import process
from allmende.media.sample import Digest
from allmende.recipe import Images
from allmende.schema import Reason

NICE = 5
"""Decoders yield to the processes that fetch, which have deadlines of others to keep."""

_PR_SET_PDEATHSIG = 1


class Greeting(msgspec.Struct):
    """The first frame."""

    parent: int
    options: Images
    digests: tuple[Digest, ...] = ()


def main() -> None:
    """Answer until the input ends."""
    with socket.socket(fileno=os.dup(0)) as channel, channel.makefile("rb") as frames:
        first = _frame(frames)
        if first is None:
            return
        greeting = msgspec.msgpack.decode(first, type=Greeting)
        _confine(greeting)
        _send(channel, b"")
        encode = msgspec.msgpack.Encoder().encode
        while (body := _frame(frames)) is not None:
            outcome = process(body, greeting.options, greeting.digests)
            _send(channel, encode(outcome.value if isinstance(outcome, Reason) else outcome))


def _frame(frames: IO[bytes]) -> bytes | None:
    head = frames.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "little")
    body = frames.read(length)
    return body if len(body) == length else None


def _send(channel: socket.socket, frame: bytes) -> None:
    channel.sendall(len(frame).to_bytes(4, "little") + frame)


def _confine(greeting: Greeting) -> None:
    """Take away what a hostile file could misuse, and tie this process's life to its parent's."""
    _hush()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        cap = greeting.options.decode_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (cap, cap))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != greeting.parent:
            sys.exit("the parent died before this decoder was ready")


def _hush() -> None:
    """Let tracebacks through, but not what C libraries say about damaged files (libtiff does, on descriptor 2)."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError):  # the parent has gone: nobody is left to answer
        main()
