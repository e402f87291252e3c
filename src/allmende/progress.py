"""How a build tells how far it is: it watches the step's folder, where finished parts appear.

No worker reports anything, so the same code serves one process, many, and a cluster, and a second terminal could
watch just as well.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import msgspec

from allmende.lake import Plan, StepFolder, Tally

LOCAL_SECONDS, REMOTE_SECONDS = 0.5, 5.0
"""Pauses between two looks: listing an object store costs money."""


class State(msgspec.Struct, frozen=True):
    """How far a step is."""

    step: str
    unit: str
    parts: int
    """Parts of the plan."""
    done: int
    """Parts that exist."""
    seen: int
    """Rows (of `unit`) seen in the parts finished since this run began."""
    kept: int
    seconds: float
    """Since this run of the step began."""
    done_before: int
    """Parts that existed when it began."""

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.seen / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace of parts; None before the first one."""
        fresh = self.done - self.done_before
        return (self.parts - self.done) * self.seconds / fresh if fresh else None


class Progress(Protocol):
    """Whoever wants to know."""

    def note(self, text: str) -> None:
        """Something happened that is worth a line."""

    def step(self, folder: StepFolder, unit: str, plan: Plan, rewriting: set[str]) -> AbstractContextManager[object]:
        """Around the work on a step; parts in `rewriting` exist already and count once they have a new round."""


class Silent:
    """Nobody wants to know."""

    def note(self, text: str) -> None:
        """Ignores it."""

    @contextmanager
    def step(self, folder: StepFolder, unit: str, plan: Plan, rewriting: set[str]) -> Iterator[None]:
        """Does nothing."""
        del folder, unit, plan, rewriting
        yield


class Watch:
    """Looks after a step's folder in a thread and hands each new `State` to `show`."""

    def __init__(self, folder: StepFolder, unit: str, plan: Plan, rewriting: set[str]):
        self._folder, self._unit, self._plan = folder, unit, plan
        self._known = set(folder.finished()) - rewriting
        self._rounds = {part: folder.manifest(part).round for part in rewriting}
        self._before = len(self._known)
        self._total = Tally()
        self._began = time.monotonic()

    def look(self) -> State:
        """Counts what appeared since the last look."""
        for part in self._folder.finished():
            if part in self._known:
                continue
            manifest = self._folder.manifest(part)
            if manifest.round == self._rounds.get(part, -1):
                continue
            self._known.add(part)
            self._total.add(manifest.counts.get(self._unit, Tally()))
        return State(
            step=self._folder.name,
            unit=self._unit,
            parts=len(self._plan.parts),
            done=len(self._known),
            seen=self._total.seen,
            kept=self._total.kept,
            seconds=time.monotonic() - self._began,
            done_before=self._before,
        )

    @contextmanager
    def running(self, show: "Show") -> Iterator[None]:
        """Looks every now and then until the work is over, and once more at the end."""
        over = threading.Event()
        pause = LOCAL_SECONDS if self._folder.lake.local is not None else REMOTE_SECONDS

        def watch() -> None:
            while not over.wait(pause):
                show(self.look())

        thread = threading.Thread(target=watch, name="progress", daemon=True)
        show(self.look())
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            show(self.look())


class Show(Protocol):
    """Displays a state."""

    def __call__(self, state: State) -> None:
        """Called from a thread of its own."""
