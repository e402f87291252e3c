"""Processes for what strangers' files may kill: how they start, what they may do, and what is said to them.

A child is a plain subprocess with one end of a socket pair as its standard input, so it works in daemonic processes, Ray
actors and threads, where `multiprocessing` may not have children. Frames go both ways: four bytes of length, then the
body. Each frame is answered by one, in the same order; the first one says what to do, and is answered when the child is
ready. Deadlines are the parent's: it kills a child that does not answer.
"""

import contextlib
import ctypes
import functools
import os
import re
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

START_SECONDS = 60.0
"""A child that has not said that it is ready by then does not work; it takes half a second on an idle machine."""

FAILED_STARTS = 3
"""After this many children in a row that did not start, no other is tried."""

TRIES = 2
"""A body that ends this many children gets no other: once, somebody else may have done it."""

_INHERITED = re.compile(r"(PATH|HOME|LANG|TMPDIR|VIRTUAL_ENV)$|(PYTHON|LC_|LD_|DYLD_)")
"""Environment variables that children see. Keys and passwords are none of theirs."""

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""There are as many children as cores."""

_SOCKET_BYTES = 1 << 20
"""Room for a body in the socket's buffers, as far as the system allows; most images and pages are smaller."""

_PR_SET_PDEATHSIG = 1


def command(module: str) -> list[str]:
    """How a module is started as a child; -P, so that a `random.py` in the user's folder is not imported."""
    return [sys.executable, "-P", "-m", module]


def start(command: Sequence[str], memory: int) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A child, and our end of its socket.

    Args:
        command: See `command`.
        memory: Bytes of data that it may have (on Linux).

    Raises:
        OSError: The system starts no process.
    """
    import subprocess  # not at the top: children do not need it

    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    inherited = {name: value for name, value in os.environ.items() if _INHERITED.match(name)}
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, str(os.getpid()), str(memory)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env=inherited | _ONE_THREAD,
            process_group=0,  # Ctrl-C is for the parent, which lets its children finish
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def did_not_start(what: str, command: Sequence[str]) -> str:
    """What to tell the operator after `FAILED_STARTS`."""
    return (
        f"the {what} did not start {FAILED_STARTS} times in a row; "
        f"`{sys.executable} -P -c 'import {command[-1]}'` may show why"
    )


def header(body: bytes) -> bytes:
    """What goes before a body to make it a frame."""
    return len(body).to_bytes(4, "little")


def serve(answers: Callable[[bytes, Iterator[bytes]], Iterator[bytes]]) -> None:
    """The child's side: confine this process, and answer until the input ends.

    Args:
        answers: Makes of the first body, and of those that come after, an answer to each.
    """
    parent, memory = map(int, sys.argv[-2:])  # which `start` adds
    _confine(parent, memory)
    with socket.socket(fileno=os.dup(0)) as channel, channel.makefile("rb") as stream:
        bodies = iter(functools.partial(_receive, stream), None)
        with contextlib.suppress(ConnectionError):  # the parent has gone: nobody is left to answer
            if (first := next(bodies, None)) is not None:
                for answer in answers(first, bodies):
                    channel.sendall(header(answer) + answer)


def _receive(stream: IO[bytes]) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "little")
    body = stream.read(length)
    return body if len(body) == length else None


def _confine(parent: int, memory: int) -> None:
    """Takes away what a hostile file could misuse, and ties this process's life to its parent's."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the parent died before this child was ready")
