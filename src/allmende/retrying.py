"""Failed URLs, asked for again: which parts hold them, and what has to be renewed then."""

import msgspec

from allmende.building import run_parts, run_steps, session
from allmende.dataset import Dataset
from allmende.engine import Engine
from allmende.errors import LakeError, RecipeError
from allmende.lake import Lake
from allmende.progress import Progress, Silent
from allmende.schema import Reason
from allmende.steps import list_screen
from allmende.steps.order import SAMPLES
from allmende.steps.release_manifest import check_beginning
from allmende.steps.samples import Retry


def retry(
    lake: Lake,
    reasons: list[str],
    statuses: list[int] | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Asks again for URLs that failed, and only for those; then renews the release.

    Args:
        lake: The dataset.
        reasons: Values of `Reason`; a prefix takes all that start so: `timeout` takes all four deadlines.
        statuses: HTTP statuses.
        engine: Where to run.
        progress: Who is told.

    Raises:
        RecipeError: if there is no such reason, or the dataset is of text.
    """
    recipe = Dataset(lake).recipe
    if recipe.dataset.kind == "text":
        raise RecipeError(
            f"{lake.root} is a dataset of text: nothing of it was requested, so nothing can be asked again."
        )
    engine, progress = engine or Engine(workers=recipe.run.workers), progress or Silent()
    again = Retry(tuple(matching_reasons(reasons)), tuple(statuses or ()))
    folder = lake.step("samples")
    with session(lake, engine, "retry"):
        list_screen.prepare(lake, recipe)
        check_beginning(lake, recipe)
        plan = folder.read_plan()
        if plan is None:
            raise LakeError(f"{lake.root} has no samples yet. Build it first: allmende build RECIPE")
        failed = {
            m.part for m in folder.manifests() if again.statuses or set(m.counts["sample"].dropped) & set(again.reasons)
        }
        parts = {name: part for name, part in plan.parts.items() if name in failed}
        extra = {"retry": msgspec.to_builtins(again)}
        run_parts(lake, SAMPLES, plan, parts, recipe, engine, progress, extra)
        return run_steps(lake, recipe, engine, progress)


def matching_reasons(names: list[str]) -> list[str]:
    """Reasons with one of these names, or starting with one of them and an underscore.

    Raises:
        RecipeError: if a name matches nothing that a retry could change.
    """
    found = []
    known = [str(reason) for reason in Reason if reason.stage in {"fetch", "image"} and reason != Reason.LISTED]
    for name in names:
        chosen = [reason for reason in known if reason == name or reason.startswith(f"{name}_")]
        if not chosen:
            raise RecipeError(f"No reason {name!r} that a retry could change. There are: {', '.join(known)}")
        found += chosen
    return found
