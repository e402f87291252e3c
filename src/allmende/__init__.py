"""Allmende turns snapshots of the open web into open, documented training datasets.

Importing this package costs next to nothing; what a name needs is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allmende.api import candidates, download
    from allmende.building import build, outlook
    from allmende.dataset import Dataset
    from allmende.engine import Engine
    from allmende.errors import (
        AllmendeError,
        EngineError,
        LakeError,
        LakeLocked,
        LakeTooNew,
        MissingExtra,
        RecipeChanged,
        RecipeError,
        SourceError,
        SourceMissing,
    )
    from allmende.identity import uid
    from allmende.recipe import Recipe
    from allmende.recipe_file import load, loads
    from allmende.retrying import retry
    from allmende.schema import Reason

__version__ = "0.1.0"
__url__ = "https://allmende.example"
"""Home of the project; part of every User-Agent, so that a server's operator can see who asks.

A placeholder, for the project has no public address yet: it is the recipe's `dataset.contact` that leads to somebody.
"""

__all__ = [
    "AllmendeError",
    "Dataset",
    "Engine",
    "EngineError",
    "LakeError",
    "LakeLocked",
    "LakeTooNew",
    "MissingExtra",
    "Reason",
    "Recipe",
    "RecipeChanged",
    "RecipeError",
    "SourceError",
    "SourceMissing",
    "__version__",
    "build",
    "candidates",
    "download",
    "load",
    "loads",
    "outlook",
    "retry",
    "uid",
]

_HOMES = {
    "api": ("candidates", "download"),
    "building": ("build", "outlook"),
    "dataset": ("Dataset",),
    "engine": ("Engine",),
    "identity": ("uid",),
    "recipe": ("Recipe",),
    "recipe_file": ("load", "loads"),
    "retrying": ("retry",),
    "schema": ("Reason",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'allmende' has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "errors")
    value = getattr(importlib.import_module(f"allmende.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
