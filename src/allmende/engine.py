"""The engine that spreads parts over processes: Daft, embedded or on Ray.

A step hands over a list of small JSON tasks and the class that does one; the engine keeps a pool of
processes (actors, on Ray), gives each free one the next task and yields results as they come. The rows
themselves, and above all media bytes, never pass through it: a task reads its input from the lake and commits its
parts there (`docs/decisions/0001-engine-runs-parts.md`).
"""

import atexit
import contextlib
import importlib
import json
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import msgspec

from allmende import errors
from allmende.errors import EngineError, MissingExtra, RecipeError

PARENT_SECONDS = 0.2

LEAVE_SECONDS, GRACE_SECONDS = 10, 0.05

_workers: set[int] = set()
"""Processes that Daft started for this one, and that may still be there."""

_own_ray: list[bool] = []
"""Whether this process started the Ray it uses."""


class Worker(Protocol):
    """Does a step's tasks, one after the other, in a process of its own.

    A worker is made once in each process, from the step's settings, and then gets tasks until none is left. It commits
    what it made to the lake itself and returns a short summary. It raises `AllmendeError` for what the operator
    must know; rows that fail are no errors.
    """

    def __init__(self, settings: dict[str, Any]) -> None: ...

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Does one task."""
        ...


class Failure(msgspec.Struct, frozen=True):
    """A task that raised an `AllmendeError` in its worker; other tasks went on."""

    task: dict[str, Any]
    error: errors.AllmendeError


class Engine(msgspec.Struct, frozen=True):
    """Where work runs.

    Args:
        kind: `local` or `ray`.
        address: Address of a running Ray cluster; empty starts one here.
        workers: Processes (actors) per step; 0 for one per core.
    """

    kind: str = "local"
    address: str = ""
    workers: int = 0

    def worker_count(self) -> int:
        """Number of worker processes."""
        if self.workers:
            return self.workers
        if self.kind == "ray":
            import ray

            return max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def start(self) -> None:
        """Switches usage reports off and connects to Ray if asked to.

        Raises:
            MissingExtra: if Ray is asked for and not installed.
            EngineError: if the cluster can't be reached.
        """
        os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
        os.environ["DO_NOT_TRACK"] = "true"
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
        if self.kind == "ray":
            self._start_ray()
        elif self.kind != "local":
            raise RecipeError(f"No engine named {self.kind!r}: choose local or ray.")

    def _start_ray(self) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtra("The engine ray needs Ray: pip install 'allmende[ray]'") from error
        import daft

        if not ray.is_initialized():
            try:
                ray.init(
                    address=self.address or None,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise EngineError(f"No Ray cluster at {self.address or 'this machine'}: {error}") from error
            _own_ray.append(True)
        daft.set_runner_ray(noop_if_initialized=True)

    def stop(self) -> None:
        """Stops a Ray that `start` started here."""
        if _own_ray:
            import ray

            _own_ray.clear()
            ray.shutdown()

    def run(
        self, worker: type[Worker], settings: dict[str, Any], tasks: Iterable[dict[str, Any]], *, here: bool = False
    ) -> Iterator[dict[str, Any] | Failure]:
        """Does all tasks and yields each one's summary, or `Failure`, in the order in which they end.

        Args:
            worker: What does a task.
            settings: Handed to each worker, as JSON.
            tasks: As JSON.
            here: On this machine, do them in this process, one by one, without Daft: a process costs a second to start.

        Raises:
            EngineError: if a worker process died or raised something unexpected.
        """
        lines = [json.dumps(task) for task in tasks]
        if not lines:
            return
        begin = (f"{worker.__module__}:{worker.__qualname__}", json.dumps(settings), os.getpid())
        if here and self.kind == "local":
            yield from (_result(json.loads(answer)) for answer in map(_Actor(*begin).run, lines))
            return
        with contextlib.ExitStack() as ends:
            atexit.register(ends.close)  # the traceback of what nobody caught holds this generator for too long
            ends.callback(atexit.unregister, ends.close)
            sign = tempfile.TemporaryDirectory(prefix="allmende-")
            rows = self._rows((*begin, sign.name if self.kind == "local" else ""), lines)
            ends.callback(rows.close)  # type: ignore[attr-defined]
            ends.enter_context(sign)  # goes first, and the workers with it: closing waits for tasks under way
            ends.callback(_note_workers, Path(sign.name))
            yield from map(_result, self._answers(rows))

    def _rows(self, begin: tuple[str | int, ...], lines: list[str]) -> Iterator[dict[str, Any]]:
        """Starts a query with a row for each task."""
        import daft

        if self.kind == "local":
            with contextlib.suppress(daft.exceptions.DaftCoreException):  # it was set before
                daft.set_runner_native()  # else Daft imports Ray, where that is installed, to look whether it runs
            logging.getLogger("daft_local_execution").setLevel(logging.CRITICAL)  # what it tells is raised as well
        actor = daft.cls(_Actor, use_process=True, max_concurrency=min(self.worker_count(), len(lines)))(*begin)
        frame = daft.from_pydict({"task": lines})
        frame = frame.into_partitions(len(lines)) if self.kind == "ray" else frame.into_batches(1)
        return frame.select(actor.run(daft.col("task")).alias("result")).iter_rows()

    def _answers(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        import daft

        while True:
            try:
                with daft.execution_config_ctx(maintain_order=False):  # else a free worker waits for the others
                    row = next(rows, None)
            except (RuntimeError, OSError, daft.exceptions.DaftCoreException) as error:
                raise EngineError(
                    f"A worker of the {self.kind} engine failed: {error}. Run the same command again to continue."
                ) from error
            if row is None:
                return
            yield json.loads(row["result"])


def _result(answer: dict[str, Any]) -> dict[str, Any] | Failure:
    if "error" in answer:
        return Failure(answer["task"], getattr(errors, answer["error"])(answer["message"]))
    if "bug" in answer:
        raise EngineError(f"A worker met a bug in Allmende; please report it:\n{answer['bug']}")
    summary: dict[str, Any] = answer["summary"]
    return summary


class _Actor:
    """A `Worker`, and JSON in and out: what Daft keeps alive in each process."""

    def __init__(self, worker: str, settings: str, origin: int, sign: str = ""):
        if os.getpid() != origin:
            _die_with_parent(sign)
            spare_pandas()
        self._name, self._settings = worker, settings

    @cached_property
    def _worker(self) -> Worker:
        """Made by the first task, so that what goes wrong is told as an error of that."""
        module, name = self._name.split(":")
        worker: Worker = getattr(importlib.import_module(module), name)(json.loads(self._settings))
        return worker

    def run(self, task: str) -> str:
        parsed = json.loads(task)
        try:
            return json.dumps({"summary": self._worker.run(parsed)})
        except errors.AllmendeError as error:
            return json.dumps({"error": type(error).__name__, "message": str(error), "task": parsed})
        except Exception:  # noqa: BLE001 - a bug must reach the operator whole, not as the engine's paraphrase
            return json.dumps({"bug": traceback.format_exc()})


def spare_pandas() -> None:
    """Lets Arrow find no pandas, for processes that are ours alone: 0.2 s and 35 MB each.

    Where pandas is installed, Arrow imports it at its first array, to know one of pandas if it saw it. It still does so
    when it's given or asked for a dataframe of pandas; until then a series is a plain sequence to it, whose NaN are not null.
    """
    import pyarrow as pa

    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([None])  # it looks once
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules that knows one which is not there."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


def _die_with_parent(sign: str) -> None:
    """Ends this process soon after the one that made it is gone or took the folder `sign` away, whatever it is doing.

    The kernel's own way (PR_SET_PDEATHSIG) would also strike when only the parent's thread ends.
    """
    parent = os.getppid()
    if sign:
        Path(sign, str(os.getpid())).touch()
        # Daft waits until its process is gone, and Python takes a while to clear up.
        atexit.register(os._exit, 0)

    def watch() -> None:
        while os.getppid() == parent and (not sign or Path(sign).exists()):
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def _note_workers(sign: Path) -> None:
    _workers.update(int(path.name) for path in sign.iterdir())


@atexit.register
def _let_daft_finish() -> None:
    """Waits until no thread of Daft wants the interpreter any more: it would crash if it came when that is ending.

    Such threads wait for workers to end, which they do soon after a query ended or was left halfway, or they are about to
    put away what belonged to it; nobody can see the latter, so they are given some time.
    """
    until = time.monotonic() + LEAVE_SECONDS
    while _workers and time.monotonic() < until:
        time.sleep(GRACE_SECONDS)
        if not any(map(_is_there, _workers)) and not any(map(_is_daft, sys._current_frames().values())):
            break


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:  # gone, or its number is now somebody else's
        return False
    return True


def _is_daft(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("daft."):
            return True
        frame = frame.f_back
    return False
