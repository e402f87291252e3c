"""Failed URLs, asked for again: which parts hold them, and what has to be renewed then."""

import os

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.building import is_finished, run_parts, run_steps, session
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
    dataset: Lake | str | os.PathLike[str],
    reasons: list[str],
    statuses: list[int] | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Asks again for URLs that failed, and only for those; then renews the release. If none failed so, nothing changes.

    Args:
        dataset: The dataset, or its path or URL.
        reasons: Values of `Reason`; a prefix takes all that start so: `timeout` takes all four deadlines.
        statuses: HTTP statuses.
        engine: Where to run.
        progress: Who is told.

    Raises:
        RecipeError: if there is no such reason, or the dataset is of text.
    """
    opened = Dataset(dataset)
    lake, recipe = opened.lake, opened.recipe
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
        urls = _failed(lake, again)
        lake.event("retry", urls=sum(urls.values()))
        if urls:
            progress.note(f"retry: {sum(urls.values()):,} URLs are asked again")
            parts = {name: part for name, part in plan.parts.items() if name in urls}
            extra = {"retry": msgspec.to_builtins(again)}
            run_parts(lake, SAMPLES, plan, parts, recipe, engine, progress, extra)
        else:
            progress.note("retry: nothing failed so, and nothing is asked again")
        if not urls and is_finished(lake, recipe):
            return Dataset(lake)
        return run_steps(lake, recipe, engine, progress)


def _failed(lake: Lake, again: Retry) -> dict[str, int]:
    """The parts that hold failures to try again, each with the number of their URLs."""
    found = {}
    for manifest in lake.step("samples").manifests():
        if again.statuses or set(again.reasons) & manifest.counts["sample"].dropped.keys():
            with lake.open(f"samples/{manifest.file('.dropped.parquet')}") as file:
                failures = pq.read_table(file, columns=["url", "reason", "http_status"])
            wanted = failures.column("url").filter(pa.array(again.wanted(failures)))
            if urls := len(wanted.unique()):
                found[manifest.part] = urls
    return found


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
