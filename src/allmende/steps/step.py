"""What every step is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import msgspec

from allmende.engine import Worker
from allmende.errors import RecipeChanged
from allmende.lake import Lake
from allmende.lock import attend
from allmende.recipe import Recipe

Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker process needs to know, beside its tasks."""

    lake: Lake
    recipe: Recipe
    plan: str
    cores: int
    """Processor cores that this worker may keep busy."""

    @classmethod
    def of_worker(cls, raw: dict[str, Any]) -> "Settings":
        """From what went through the engine as JSON; marks this process as a worker on the dataset."""
        lake = Lake(raw["root"])
        attend(lake)
        return cls(lake, msgspec.convert(raw["recipe"], Recipe), raw["plan"], raw["cores"])

    @staticmethod
    def encode(lake: Lake, recipe: Recipe, plan: str, cores: int) -> dict[str, Any]:
        """As JSON-ready values."""
        return {"root": lake.root, "recipe": msgspec.to_builtins(recipe), "plan": plan, "cores": cores}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build."""

    name: str
    """Its folder in the dataset."""
    unit: str
    """What it counts, for progress: candidate, sample, ..."""
    module: str
    """Where its `plan` and its `Worker` are, and `tasks` if it groups parts in its own way. It is imported when the step's
    turn comes, so that a build of images does not wait for what text needs."""
    keys: dict[str, frozenset[str]]
    """Sections of the recipe that decide the result, each without the keys that don't."""
    cores_per_worker: int = 1
    small: int = 0
    """Rows upstream up to which the build's own process does the step, without starting others; 0 for never. A first step
    has nothing upstream: there it is enough that it is one part."""
    asynchronous: bool = False
    """Runs an event loop, so not in a thread that has one already."""
    upstream: tuple[str, ...] = ()
    """Steps whose finished parts it reads; if they change (a retry), this one is done anew."""
    minds_rounds: bool = True
    """False if parts that were written again change nothing for it: documents of which a take-down leaves a blank row."""

    def plan(self, recipe: Recipe, lake: Lake) -> Parts:
        """All parts, by id, and what each reads; called once, before the step starts."""
        parts: Parts = import_module(self.module).plan(recipe, lake)
        return parts

    @property
    def worker(self) -> type[Worker]:
        """Makes parts: `run({"parts": {id: part, ...}})`."""
        worker: type[Worker] = import_module(self.module).Worker
        return worker

    def tasks(self, parts: Parts, workers: int) -> list[Parts]:
        """Groups pending parts for that many workers: each free worker gets a group at once, by default a part."""
        own = getattr(import_module(self.module), "tasks", None)
        grouped: list[Parts] = own(parts, workers) if own else [{name: part} for name, part in parts.items()]
        return grouped


def clear(lake: Lake, difference: str, names: Iterable[str], *, redo: bool) -> None:
    """Throws away what steps made of other inputs than there are now.

    Args:
        lake: The dataset.
        difference: What to say of the inputs; empty if they are the same, and nothing is to be done.
        names: Of the steps, in their order.
        redo: Whether the operator wants it.

    Raises:
        RecipeChanged: with the difference, unless `redo`.
    """
    if not difference:
        return
    if not redo:
        raise RecipeChanged(difference)
    for name in reversed(tuple(names)):
        lake.step(name).discard()
