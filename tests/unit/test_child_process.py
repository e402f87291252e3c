"""Children that echo: what is promised of every child, whatever it is for."""

import os
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from allmende import child_process

ECHO = """
from allmende import child_process

def answers(first, bodies):
    yield first
    for body in bodies:
        while body == b"hang":
            pass
        if body == b"hoard":
            bytearray(500_000_000)
        yield body

child_process.serve(answers)
"""
COMMAND = [sys.executable, "-c", ECHO]
MEMORY = 400_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and what only Linux can do")


@pytest.fixture
def child():
    """The process, and what sends a body and returns the answer."""
    process, channel = child_process.start(COMMAND, MEMORY)
    with process, channel, channel.makefile("rb") as answers:

        def ask(body):
            channel.sendall(child_process.header(body) + body)
            length = answers.read(4)
            return answers.read(int.from_bytes(length, "little")) if length else None

        yield process, ask
        process.kill()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=10):
    """Poll, for what happens in other processes."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()


def test_bodies_of_every_size_are_answered_one_by_one(child):
    _, ask = child
    for size in (3, 0, 1, 65_536, 20_000_000, 5):
        body = random.Random(size).randbytes(size)
        assert ask(body) == body


@pytest.mark.parametrize("rest", [b"", b"\x05\x00", b"\x05\x00\x00\x00half"])
def test_a_child_ends_when_its_input_does(rest):
    process, channel = child_process.start(COMMAND, MEMORY)
    with process:
        channel.sendall(child_process.header(b"hello") + b"hello" + rest)
        channel.close()
        assert process.wait(timeout=20) == 0


@linux
def test_children_see_no_secrets(monkeypatch, request):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("PATH_TO_KEYS", "hidden")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    process, ask = request.getfixturevalue("child")
    ask(b"")
    environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    assert b"LC_ALL=C.UTF-8" in environment
    assert b"OMP_NUM_THREADS=1" in environment
    assert not any(b"hidden" in variable for variable in environment)


@linux
def test_children_leave_no_core_and_have_their_own_group(child):
    process, ask = child
    ask(b"")
    assert re.search(r"Max core file size +0 ", Path(f"/proc/{process.pid}/limits").read_text())
    assert os.getpgid(process.pid) == process.pid


@linux
def test_memory_is_capped(child):
    process, ask = child
    ask(b"")
    assert ask(b"hoard") is None
    assert process.wait(timeout=20) != 0


PARENT = """
import sys
from allmende import child_process

process, channel = child_process.start([sys.executable, "-c", sys.argv[1]], 400_000_000)
for body in (b"", b"hang"):
    channel.sendall(child_process.header(body) + body)
channel.recv(4)
print(process.pid, flush=True)
process.wait()
"""


@linux
def test_a_child_dies_with_its_parent_even_when_busy():
    with subprocess.Popen([sys.executable, "-c", PARENT, ECHO], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert wait_until(lambda: not alive(pid))


@linux
def test_a_child_whose_parent_died_while_it_started_ends():
    command = [*COMMAND, str(os.getppid()), str(MEMORY)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "parent died" in done.stderr


def test_a_program_that_does_not_exist_is_an_error():
    with pytest.raises(FileNotFoundError):
        child_process.start(["/nowhere/python"], MEMORY)
