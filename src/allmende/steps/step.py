"""What every step is made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from allmende.engine import Worker
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


def one_part_a_task(parts: Parts, workers: int) -> list[Parts]:
    """The usual way to spread parts: each free worker takes the next one."""
    del workers
    return [{name: part} for name, part in parts.items()]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build."""

    name: str
    """Its folder in the dataset."""
    unit: str
    """What it counts, for progress: candidate, sample, ..."""
    plan: Callable[[Recipe, Lake], Parts]
    """All parts, by id, and what each reads; called once, before the step starts."""
    worker: type[Worker]
    """Makes parts: `run({"parts": {id: part, ...}})`."""
    keys: dict[str, frozenset[str]]
    """Sections of the recipe that decide the result, each without the keys that don't."""
    tasks: Callable[[Parts, int], list[Parts]] = one_part_a_task
    """Groups pending parts for the given number of workers: a worker gets a group at once."""
    cores_per_worker: int = 1
    light: bool = False
    """Reads nothing but tables: a small job may be done without processes of its own."""
    upstream: tuple[str, ...] = field(default=())
    """Steps whose finished parts it reads; if they change (a retry), this one is done anew."""
    minds_rounds: bool = True
    """False if parts that were written again change nothing for it: documents of which a take-down leaves a blank row."""
