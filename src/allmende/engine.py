"""The engine that spreads parts over processes: Daft, embedded or on Ray.

A step hands over a list of small JSON tasks and the class that does one; the engine keeps a pool of
processes (actors, on Ray), gives each free one the next task and yields results as they come. The rows
themselves, and above all media bytes, never pass through it: a task reads its input from the lake and commits its
parts there (`docs/decisions/0001-engine-runs-parts.md`).
"""

import atexit
import contextlib
import json
import logging
import os
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import msgspec

from allmende import errors
from allmende.errors import EngineError, MissingExtra, RecipeError

PARENT_SECONDS = 0.2

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
        import daft

        if self.kind == "local":
            with contextlib.suppress(daft.exceptions.DaftCoreException):  # it was set before
                daft.set_runner_native()  # else Daft imports Ray, where that is installed, to look whether it runs
        actor = daft.cls(_Actor, use_process=True, max_concurrency=min(self.worker_count(), len(lines)))(*begin)
        frame = daft.from_pydict({"task": lines})
        frame = frame.into_partitions(len(lines)) if self.kind == "ray" else frame.into_batches(1)
        rows = frame.select(actor.run(daft.col("task")).alias("result")).iter_rows()
        # Whoever stops halfway need not wait for the tasks under way. But a query that is still open when the interpreter
        # ends hangs or aborts it: Daft then waits for a thread that is gone. So it is closed just before.
        atexit.register(rows.close)  # type: ignore[attr-defined]
        yield from map(_result, self._answers(rows))
        atexit.unregister(rows.close)  # type: ignore[attr-defined]

    def _answers(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        import daft

        while True:
            try:
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

    def __init__(self, worker: str, settings: str, origin: int):
        import importlib

        if os.getpid() != origin:
            _die_with_parent()
        module, name = worker.split(":")
        self._worker: Worker = getattr(importlib.import_module(module), name)(json.loads(settings))

    def run(self, task: str) -> str:
        parsed = json.loads(task)
        try:
            return json.dumps({"summary": self._worker.run(parsed)})
        except errors.AllmendeError as error:
            return json.dumps({"error": type(error).__name__, "message": str(error), "task": parsed})
        except Exception:  # noqa: BLE001 - a bug must reach the operator whole, not as the engine's paraphrase
            return json.dumps({"bug": traceback.format_exc()})


def _die_with_parent() -> None:
    """Ends this process soon after the one that made it is gone, whatever it is doing.

    The kernel's own way (PR_SET_PDEATHSIG) would also strike when only the parent's thread ends.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
