"""How a build tells how far it is: it watches the step's folder, where finished parts appear.

No worker reports to anybody, so the same code serves one process, many, and a cluster. On a local disk workers whose parts
take long also leave a number beside them, twice a second: the rows that are done in parts that are not finished.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from allmende.parts import Plan, StepFolder, Tally

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
    underway: int
    """Rows done in parts that are not finished, as far as workers tell."""
    rows: int
    """Rows in all parts that were to be made when this run began; 0 if the plan does not tell."""
    seconds: float
    """Since this run of the step began."""
    done_before: int
    """Parts that existed when it began."""

    @property
    def rate(self) -> float:
        """Rows per second."""
        return (self.seen + self.underway) / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace of rows, or else from that of parts; None before the first one."""
        if self.rows:
            return max(0.0, (self.rows - self.seen - self.underway) / self.rate) if self.rate else None
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
        self._left_behind = set(_notes(folder))  # by workers that were killed
        pending = () if rewriting else (part for name, part in plan.parts.items() if name not in self._known)
        self._rows = sum(part.get("end", 0) - part.get("begin", 0) for part in pending)
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
            underway=sum(_read(note) for note in _notes(self._folder) if note not in self._left_behind),
            rows=self._rows,
            seconds=time.monotonic() - self._began,
            done_before=self._before,
        )

    @contextmanager
    def running(self, show: "Show") -> Iterator[None]:
        """Looks every now and then until the work is over, and once more at the end."""
        over = threading.Event()
        pause = LOCAL_SECONDS if self._folder.storage.local is not None else REMOTE_SECONDS

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


class Underway:
    """What a worker has done of parts that are not finished: `with Underway(folder) as underway: underway.tell(rows)`.

    Nothing depends on it: what can't be written is left out.
    """

    def __init__(self, folder: StepFolder):
        local = folder.storage.local
        self._note = local / folder.name / f"{_NOTE}{os.getpid()}" / "rows" if local is not None else None
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._note is not None:
            shutil.rmtree(self._note.parent, ignore_errors=True)

    @property
    def due(self) -> bool:
        """Whether it is time to tell."""
        return self._note is not None and time.monotonic() >= self._next

    def tell(self, rows: int) -> None:
        """Notes how many rows are done."""
        self._next = time.monotonic() + LOCAL_SECONDS
        if self._note is not None:
            with suppress(OSError):
                self._note.parent.mkdir(parents=True, exist_ok=True)
                aside = self._note.with_suffix(".new")
                aside.write_text(str(rows))
                aside.replace(self._note)


_NOTE = ".rows-"
"""How folders of notes begin; a process id follows. The next build sweeps them away."""


def _notes(folder: StepFolder) -> list[Path]:
    local = folder.storage.local
    return sorted((local / folder.name).glob(f"{_NOTE}*/rows")) if local is not None else []


def _read(note: Path) -> int:
    try:
        return int(note.read_text())
    except (OSError, ValueError):  # its worker ended just now
        return 0


class Show(Protocol):
    """Displays a state."""

    def __call__(self, state: State) -> None:
        """Called from a thread of its own."""
