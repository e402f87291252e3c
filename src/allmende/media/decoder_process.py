"""The inside of a decoder, a `child_process`: bodies of images in, samples or Reasons out, as MessagePack.

`allmende.media.decoder` starts it, and first sends the options and the digests to make.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec

from allmende import child_process
from allmende.media.image import process
from allmende.media.sample import Digest
from allmende.reason import Reason
from allmende.recipe import Images

NICE = 5
"""Decoders yield to the processes that fetch, which have deadlines of others to keep."""


def answers(first: bytes, bodies: Iterator[bytes]) -> Iterator[bytes]:
    """Empty when the decoder is ready; then what becomes of each body."""
    options, digests = msgspec.msgpack.decode(first, type=tuple[Images, tuple[Digest, ...]])
    _hush()
    cv2.setNumThreads(1)
    os.nice(NICE)
    yield b""
    encode = msgspec.msgpack.Encoder().encode
    for body in bodies:
        outcome = process(body, options, digests)
        yield encode(outcome.value if isinstance(outcome, Reason) else outcome)


def _hush() -> None:
    """Let tracebacks through, but not what C libraries say about damaged files (libtiff does, on descriptor 2)."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)


if __name__ == "__main__":
    child_process.serve(answers)
