"""Which contents earlier datasets had when a build began to compare itself with them: others at the same path are noticed.

What decides is what a dataset was made of. Take-downs and retries, which change its files, leave that as it is: a build that
is finished is not refused because of them.
"""

from hashlib import sha256

import msgspec

from allmende.dataset import Dataset
from allmende.lake import Lake
from allmende.publish import manifest as form
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.recipe import Recipe
from allmende.steps.step import clear
from allmende.storage import explained

RECORD = "earlier.json"
"""Digest of the contents of each earlier dataset, by its path."""
AFTER = {
    "images": ("unique", "frequent", "samples", "release/shards"),
    "text": ("earlier", "unique", "near", "release/shards"),
}
"""Steps that depend on earlier datasets, by kind of the dataset."""


def prepare(lake: Lake, recipe: Recipe, *, redo: bool = False) -> None:
    """Before a build: notes what earlier datasets hold.

    Args:
        lake: The dataset.
        recipe: Of the build.
        redo: If they held something else before: throw away what was compared with it.

    Raises:
        RecipeChanged: if the dataset was compared with other contents, and not `redo`.
    """
    before, now = _contents(lake, recipe)
    clear(lake, _other(lake, recipe, before, now), AFTER[recipe.dataset.kind], redo=redo)
    if now:
        lake.write(RECORD, msgspec.json.format(msgspec.json.encode(now), indent=1))
    elif before:
        lake.remove([RECORD])


def changed(lake: Lake, recipe: Recipe) -> str:
    """What to say if the dataset was compared with other contents; empty if it was not."""
    return _other(lake, recipe, *_contents(lake, recipe))


def _contents(lake: Lake, recipe: Recipe) -> tuple[dict[str, str], dict[str, str]]:
    """Digests by path: as they were noted, and as they are."""
    advice = "Delete it: earlier datasets are then taken as they are now."
    before = lake.decode(RECORD, dict[str, str], advice) if lake.exists(RECORD) else {}
    # One that is gone is missed where it is needed: a finished build does without.
    return before, {root: content(root) or before.get(root, "") for root in recipe.dedup.earlier}


def _other(lake: Lake, recipe: Recipe, before: dict[str, str], now: dict[str, str]) -> str:
    begun = any(lake.step(name).read_plan() is not None for name in AFTER[recipe.dataset.kind])
    other = [root for root, digest in now.items() if before.get(root, digest) != digest]
    if not begun or not other:
        return ""
    return (
        f"{lake.root} was compared with other contents of earlier datasets: {', '.join(other)}.\n"
        "Choose another folder for the new one, or compare anew: allmende build --redo RECIPE, or allmende fetch --redo"
    )


def content(root: str) -> str:
    """Digest of what a dataset was made of; empty if nothing is there.

    A build's folder has plans, and parts that are finished. A release has what its manifest says of its data, and the names of its files.
    """
    lake = Lake(root)
    if lake.step("unique").read_plan() is not None:
        steps = [lake.step(name) for name in Dataset(lake).steps()[:-1]]  # a take-down plans the shards anew
        made_of: object = [(step.read_plan(), step.finished()) for step in steps]
    else:
        with explained("Listing", root):
            names = sorted(str(path).removeprefix(lake.path) for path in lake.fs.find(lake.path))
        if not names:
            return ""
        made_of = (_manifest(lake), [name for name in names if name.endswith((".parquet", JSONL))])
    return sha256(msgspec.json.encode(made_of)).hexdigest()


def _manifest(lake: Lake) -> tuple[str, str] | None:
    for name in (form.NAME, f"release/{form.NAME}"):
        if lake.exists(name):
            found = form.decode(lake.read(name), lake.url(name))
            return found.dataset, found.data
    return None
