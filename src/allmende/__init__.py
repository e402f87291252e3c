"""Allmende turns snapshots of the open web into open, documented training datasets.

Importing this package costs next to nothing; what a name needs is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allmende.api import (
        apply_patch,
        download,
        init,
        recheck,
        report,
        status,
        train_classifier,
        tune,
        verify,
        verify_patch,
    )
    from allmende.building import build, outlook
    from allmende.commoncrawl.crawls import list_crawls as crawls
    from allmende.dataset import Dataset
    from allmende.demo import build_demo
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
    from allmende.frame import candidates
    from allmende.identity import uid
    from allmende.inspect import inspect as describe
    from allmende.maintain.diff import compare as diff
    from allmende.maintain.takedown import take_down as takedown
    from allmende.maintain.targets import Targets
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
    "Targets",
    "__version__",
    "apply_patch",
    "build",
    "build_demo",
    "candidates",
    "crawls",
    "describe",
    "diff",
    "download",
    "init",
    "load",
    "loads",
    "outlook",
    "recheck",
    "report",
    "retry",
    "status",
    "takedown",
    "train_classifier",
    "tune",
    "uid",
    "verify",
    "verify_patch",
]

_HOMES = {
    "api": (
        "apply_patch",
        "download",
        "init",
        "recheck",
        "report",
        "status",
        "train_classifier",
        "tune",
        "verify",
        "verify_patch",
    ),
    "building": ("build", "outlook"),
    "commoncrawl.crawls": ("crawls",),
    "dataset": ("Dataset",),
    "demo": ("build_demo",),
    "engine": ("Engine",),
    "frame": ("candidates",),
    "identity": ("uid",),
    "inspect": ("describe",),
    "maintain.diff": ("diff",),
    "maintain.takedown": ("takedown",),
    "maintain.targets": ("Targets",),
    "recipe": ("Recipe",),
    "recipe_file": ("load", "loads"),
    "retrying": ("retry",),
    "schema": ("Reason",),
}
_THERE = {"crawls": "list_crawls", "describe": "inspect", "diff": "compare", "takedown": "take_down"}
"""What a name is called at home, where it is another."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'allmende' has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "errors")
    value = getattr(importlib.import_module(f"allmende.{home}"), _THERE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
