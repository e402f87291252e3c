"""One build at a time in a dataset folder.

On a local disk the lock is the kernel's (`flock`): it vanishes with the process, however that dies. In an
object store it is a small object, created only if absent, renewed while its owner lives, and free
once it was not renewed for `LEASE_SECONDS`.
"""

import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from allmende.errors import LakeError, LakeLocked
from allmende.lake import Lake

LEASE_SECONDS = 120


@contextmanager
def locked(lake: Lake) -> Iterator[None]:
    """Holds the dataset's lock.

    Raises:
        LakeLocked: if another process holds it; the message says which.
    """
    with _flock(lake) if lake.local is not None else _lease(lake):
        yield


def _holder() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}"


def _refusal(lake: Lake, holder: str) -> LakeLocked:
    return LakeLocked(
        f"{lake.root}: another build works on this dataset ({holder or 'unknown'}). Wait for it, or stop it."
    )


@contextmanager
def _flock(lake: Lake) -> Iterator[None]:
    assert lake.local is not None
    path = lake.local / ".lock"
    try:
        lake.local.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise LakeError(
            f"{lake.root}: can't be written ({error}). Choose another output, or fix its rights."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise _refusal(lake, file.read()) from error
        file.truncate(0)
        file.write(_holder())
        file.flush()
        yield


@contextmanager
def _lease(lake: Lake) -> Iterator[None]:
    path, token = lake.at(".lock"), uuid.uuid4().hex
    _take(lake, path, token)
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(LEASE_SECONDS / 4):
            lake.fs.pipe_file(path, _lease_text(token))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        lake.fs.rm_file(path)


def _take(lake: Lake, path: str, token: str) -> None:
    for _ in range(2):
        try:
            lake.fs.pipe_file(path, _lease_text(token), mode="create")
        except FileExistsError:
            lease = json.loads(lake.fs.cat_file(path))
            if lease["until"] > time.time():
                raise _refusal(lake, lease["holder"]) from None
            lake.fs.rm_file(path)
        except OSError as error:
            raise LakeError(f"{lake.root}: can't be written ({error}). Check the bucket and your rights.") from error
        else:
            return
    raise _refusal(lake, "another process took the lock at the same moment")


def _lease_text(token: str) -> bytes:
    return json.dumps({"token": token, "holder": _holder(), "until": time.time() + LEASE_SECONDS}).encode()
