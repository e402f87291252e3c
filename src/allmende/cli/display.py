"""Progress on a terminal (a live line), or in a log (a plain line now and then)."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from allmende.parts import Plan, StepFolder
from allmende.progress import Progress, State, Watch

PLAIN_SECONDS = 10.0


def display(*, quiet: bool = False) -> Progress:
    """What suits the place where we run."""
    if quiet:
        return Plain(every=float("inf"))
    return Live() if sys.stderr.isatty() else Plain()


class Plain:
    """A line for each step's beginning and end, and one every so many seconds between."""

    def __init__(self, every: float = PLAIN_SECONDS):
        self._every = every

    def note(self, text: str) -> None:
        """Prints it, unless nobody listens."""
        if self._every != float("inf"):
            click.echo(text, err=True)

    @contextmanager
    def step(self, folder: StepFolder, unit: str, plan: Plan, rewriting: set[str]) -> Iterator[None]:
        """Prints lines while the step runs."""
        watch, last = Watch(folder, unit, plan, rewriting), time.monotonic()

        def show(state: State) -> None:
            nonlocal last
            if state.done < state.parts and time.monotonic() - last >= self._every:
                last = time.monotonic()
                self.note(_line(state))

        with watch.running(show):
            yield
        self.note(_line(watch.look()))


class Live:
    """One bar for each step, with rate and time left."""

    def note(self, text: str) -> None:
        """Prints it above the bar."""
        click.secho(text, err=True, dim=True)

    @contextmanager
    def step(self, folder: StepFolder, unit: str, plan: Plan, rewriting: set[str]) -> Iterator[None]:
        """Shows a bar while the step runs."""
        from rich import progress
        from rich.console import Console

        watch = Watch(folder, unit, plan, rewriting)
        columns = (
            progress.TextColumn("{task.description:<15}"),
            progress.BarColumn(bar_width=None),
            progress.MofNCompleteColumn(),
            progress.TextColumn("parts"),
            progress.TextColumn("{task.fields[rows]}"),
            progress.TextColumn("{task.fields[left]}"),
        )
        with progress.Progress(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(folder.name, total=len(plan.parts), rows="", left="")

            def show(state: State) -> None:
                bars.update(task, completed=state.done, rows=_rows(state), left=_left(state))

            with watch.running(show):
                yield


def _line(state: State) -> str:
    return f"{state.step}: {state.done}/{state.parts} parts{_rows(state)}{_left(state)}"


def _rows(state: State) -> str:
    """Rows seen, of a step that counts any."""
    rows = state.seen + state.underway
    if not rows:
        return ""
    share = f" · {state.kept / state.seen:.0%} kept" if state.seen else ""
    return f" · {rows:,} {state.unit}s · {state.rate:,.0f}/s{share}"


def _left(state: State) -> str:
    seconds = state.seconds_left
    if seconds is None or state.done >= state.parts:
        return ""
    hours, rest = divmod(int(seconds), 3600)
    return f" · {hours}:{rest // 60:02d}:{rest % 60:02d} left"
