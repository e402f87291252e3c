"""One build at a time in a dataset folder.

On a local disk the lock is the kernel's (`flock`): it vanishes with the process, however that dies. In an
object store it is a small object, created only if absent, renewed while its owner lives, and free
once it was not renewed for `LEASE_SECONDS`.

Worker processes may outlive a build that was killed, by moments. On a local disk each of them holds a share of a second
lock while it lives, and a new build waits for the last one to be gone: nobody sweeps under anybody's feet.
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
from pathlib import Path
from typing import IO

from allmende.errors import LakeError, LakeLocked
from allmende.lake import Lake
from allmende.storage import store_errors

LEASE_SECONDS = 120
ORPHAN_SECONDS = 60
"""How long a new build waits for the workers of a dead one."""


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
        _outlive_orphans(lake, lake.local / ".workers")
        try:
            yield
        finally:
            leave(lake)


def _outlive_orphans(lake: Lake, path: Path) -> None:
    deadline = time.monotonic() + ORPHAN_SECONDS
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise LakeLocked(
                        f"{lake.root}: worker processes of a build that died are still running. Stop them."
                    ) from error
                time.sleep(0.1)
            else:
                return


def attend(lake: Lake) -> None:
    """Marks this process, until it ends, as a worker on the dataset."""
    if lake.local is not None and str(lake.local) not in _attended:
        file = (lake.local / ".workers").open("a")
        fcntl.flock(file, fcntl.LOCK_SH)
        _attended[str(lake.local)] = file


def leave(lake: Lake) -> None:
    """Ends what `attend` began, for a process that lives on."""
    if lake.local is not None and (file := _attended.pop(str(lake.local), None)) is not None:
        file.close()


_attended: dict[str, IO[str]] = {}


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
            raise _unwritable(lake, error) from error
        except store_errors() as error:
            raise _unwritable(lake, error) from error
        else:
            return
    raise _refusal(lake, "another process took the lock at the same moment")


def _unwritable(lake: Lake, error: Exception) -> LakeError:
    return LakeError(f"{lake.root}: can't be written ({error}). Check the bucket and your rights.")


def _lease_text(token: str) -> bytes:
    return json.dumps({"token": token, "holder": _holder(), "until": time.time() + LEASE_SECONDS}).encode()
