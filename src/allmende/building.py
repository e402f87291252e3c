"""The story of a build: which steps, in which order, and what happens between them.

    select ──► candidates ──► unique ──► frequent ──► samples ──► release/shards ──► release

Each step cuts its work into parts, fixed in a plan before it starts; workers make the missing parts in any order;
a part exists when it is committed. So a build that was stopped, however, goes on where it was.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from allmende import recipe_file
from allmende.dataset import Dataset
from allmende.engine import Engine, Failure
from allmende.errors import AllmendeError, EngineError, LakeError, RecipeChanged, SourceError, SourceMissing
from allmende.lake import Lake
from allmende.lock import locked
from allmende.parts import Plan
from allmende.progress import Progress, Silent
from allmende.publish.report import report_html
from allmende.recipe import Recipe
from allmende.safety import lists
from allmende.schema import Reason
from allmende.steps import decontaminate, earlier_content, list_screen
from allmende.steps.documents import release_data, write_documents
from allmende.steps.order import steps
from allmende.steps.recipe_check import check
from allmende.steps.release_manifest import check_beginning
from allmende.steps.step import Parts, Settings, Step

DRAFT = "report.html"
"""The report of a build that is not finished: not in the release, which it would make another one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a build would do: the answer of a dry run."""

    output: str
    steps: dict[str, str]
    """For each step: what is finished and what is left."""
    inputs: list[str]
    """The archives or tables that are read."""


def build(
    recipe: Recipe,
    engine: Engine | None = None,
    progress: Progress | None = None,
    *,
    redo: bool = False,
) -> Dataset:
    """Builds the dataset of a recipe, or continues it.

    Args:
        recipe: From a file: `allmende.load`.
        engine: Where to run; by default all cores of this machine.
        progress: Who is told; by default nobody.
        redo: Throw away what was built with another recipe, where it matters, and build anew.

    Returns:
        The dataset, whose methods (`samples`, `failures`, `candidates`, ...) are dataframes.

    Raises:
        RecipeChanged: if the output holds a dataset of another recipe (and not `redo`).
        LakeLocked: if another build works on it.
        SourceError, LakeError, EngineError: if it had to stop; run it again to continue.
    """
    check(recipe)
    engine = engine or Engine(workers=recipe.run.workers)
    progress = progress or Silent()
    lake = Lake(recipe_file.output(recipe))
    with session(lake, engine, "build"):
        _same_recipe(lake, recipe, redo=redo)
        list_screen.prepare(lake, recipe, redo=redo)
        decontaminate.prepare(lake, recipe, redo=redo)
        earlier_content.prepare(lake, recipe, redo=redo)
        return run_steps(lake, recipe, engine, progress)


def run_steps(lake: Lake, recipe: Recipe, engine: Engine, progress: Progress) -> Dataset:
    """Makes whatever is missing, step after step, then the documents of the release, which give it its version.

    Raises:
        LakeError, Untrusted: if no release could come of it; see `check_beginning`.
    """
    check_beginning(lake, recipe)
    for step in steps(recipe):
        run_step(lake, step, recipe, engine, progress)
    lake.remove([DRAFT])
    write_documents(Dataset(lake))
    return Dataset(lake)


def is_finished(lake: Lake, recipe: Recipe) -> bool:
    """Whether all steps are as this recipe makes them, each from what those before it made."""
    return all(step_is_finished(lake, step, recipe) for step in steps(recipe))


def step_is_finished(lake: Lake, step: Step, recipe: Recipe) -> bool:
    """Whether a step is as this recipe makes it from what is there, and whole."""
    plan = _valid_plan(lake, step, recipe)
    return plan is not None and len(lake.step(step.name).finished()) >= len(plan.parts)


def write_report(lake: Lake) -> list[str]:
    """Renews the documents of a finished release; of a build that is not finished, writes a report to look at.

    Returns:
        Names of the files in the dataset: those of `write_documents`, or only `DRAFT`.

    Raises:
        LakeLocked: if a build works on it.
        LakeError, Untrusted: if it is no dataset, or as `check_beginning` says.
    """
    dataset = Dataset(lake)
    if lake.step(dataset.steps()[0]).read_plan() is None:  # a copy of a release, perhaps
        raise LakeError(f"{lake.root}: no build has begun here, so there is nothing to report.")
    with locked(lake):
        if not is_finished(lake, dataset.recipe):
            lake.write(DRAFT, report_html(release_data(dataset)).encode())
            return [DRAFT]
        check_beginning(lake, dataset.recipe)
        return write_documents(dataset)


def outlook(recipe: Recipe, *, redo: bool = False) -> Outlook:
    """What `build` would do, without doing it. Path lists are read, nothing is written.

    Raises:
        AllmendeError: what `build` would raise before its first step.
    """
    check(recipe)
    listed, sets = lists.load(recipe.safety).about, decontaminate.check(recipe)
    lake = Lake(recipe_file.output(recipe))
    old = _old_recipe(lake, recipe)
    if not redo:
        differences = (
            _changed(lake, old, recipe) if old else "",
            list_screen.changed(lake, recipe, listed),
            decontaminate.changed(lake, sets),
            earlier_content.changed(lake, recipe),
        )
        if difference := next(filter(None, differences), ""):
            raise RecipeChanged(difference)
    check_beginning(lake, recipe)
    first = steps(recipe)[0]
    plan = _valid_plan(lake, first, recipe)
    parts = plan.parts if plan else first.plan(recipe, lake)
    inputs = [str(item) for part in parts.values() for item in part.get("archives", [part.get("file")])]
    return Outlook(lake.root, _states(lake, recipe), inputs)


def _states(lake: Lake, recipe: Recipe) -> dict[str, str]:
    """What of each step is finished; nothing from the first one on that another recipe made."""
    states, anew = {}, False
    for step in steps(recipe):
        plan = None if anew else _valid_plan(lake, step, recipe)
        anew = plan is None
        if plan is None:
            states[step.name] = "to do"
        elif not plan.parts:
            states[step.name] = "nothing to do"
        else:
            states[step.name] = f"{len(lake.step(step.name).finished())} of {len(plan.parts)} parts finished"
    return states


def _valid_plan(lake: Lake, step: Step, recipe: Recipe) -> Plan | None:
    """The plan of a step, if there is one and it is that of this recipe."""
    plan = lake.step(step.name).read_plan()
    return plan if plan is not None and plan.digest == digest_of(lake, step, recipe) else None


@contextmanager
def session(lake: Lake, engine: Engine, kind: str) -> Iterator[None]:
    """The lock, the engine, and a line in the log however it ends."""
    with locked(lake):
        for folder in ("", "release"):  # each step sweeps its own
            lake.sweep(folder)
        engine.start()
        lake.event(f"{kind} started", engine=engine.kind)
        try:
            yield
        except KeyboardInterrupt:
            lake.event(f"{kind} interrupted")
            raise
        except AllmendeError as error:
            lake.event(f"{kind} stopped", error=type(error).__name__, message=str(error))
            raise
        finally:
            engine.stop()
        lake.event(f"{kind} finished")


def _same_recipe(lake: Lake, recipe: Recipe, *, redo: bool) -> None:
    """Refuses to mix two recipes in one dataset, or clears what the new one makes anew."""
    old = _old_recipe(lake, recipe)
    if old is not None:
        if not redo and (difference := _changed(lake, old, recipe)):
            raise RecipeChanged(difference)
        for name in {step.name for step in steps(old)} - {step.name for step in steps(recipe)}:
            lake.step(name).discard()
    lake.write("recipe.toml", recipe_file.dumps(recipe).encode())


def _old_recipe(lake: Lake, recipe: Recipe) -> Recipe | None:
    """The recipe that was built here before; None if there was none. Refuses what can't be built here at all."""
    if not lake.exists("recipe.toml"):
        _refuse_foreign(lake, recipe)
        return None
    old = recipe_file.loads(lake.read("recipe.toml"), lake.url("recipe.toml"))
    if old.dataset.kind != recipe.dataset.kind:
        raise RecipeChanged(
            f"{lake.root} is a dataset of {old.dataset.kind}. Choose another folder: output under [dataset], or --to."
        )
    return old


def _changed(lake: Lake, old: Recipe, recipe: Recipe) -> str:
    """What to say if parts exist that another recipe made; empty if none do."""
    stale = [s.name for s in steps(recipe) if _own_digest(s, old) != _own_digest(s, recipe)]
    if not stale or not lake.step(steps(old)[0].name).finished():
        return ""
    changes = "\n  ".join(recipe_file.changed_keys(old, recipe))
    return (
        f"{lake.root} was built with another recipe:\n  {changes}\n"
        "Choose another folder for the new one, or throw away what the change touches, from the step "
        f"{stale[0]} on: allmende build --redo RECIPE, or allmende fetch --redo"
    )


def _refuse_foreign(lake: Lake, recipe: Recipe) -> None:
    """Refuses a folder in which a build would sweep away, or publish, what is not its own."""
    folders = dict.fromkeys([*(step.name.partition("/")[0] for step in steps(recipe)), "releases"])
    if foreign := [name for name in folders if lake.files_below(name)]:
        raise LakeError(
            f"{lake.root} has no recipe.toml, but {foreign[0]}, whose files a build would replace. Choose another "
            "folder (output under [dataset], or --to). If it is a dataset that lost its recipe: release/recipe.toml is a copy of it."
        )


def _own_digest(step: Step, recipe: Recipe) -> str:
    return recipe_file.digest(recipe, step.keys)


def digest_of(lake: Lake, step: Step, recipe: Recipe) -> str:
    """Changes when the recipe's part in this step does, or anything it reads.

    Also if a part was deleted and made anew with another result: a URL that failed answers now, an archive is there.
    """
    parts = [step.name, _own_digest(step, recipe)]
    for name in step.upstream:
        folder = lake.step(name)
        plan = folder.read_plan()
        parts.append(plan.digest if plan else "")
        parts += [f"{m.part}.{m.round * step.minds_rounds} {m.result}" for m in folder.manifests()]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def run_step(lake: Lake, step: Step, recipe: Recipe, engine: Engine, progress: Progress) -> None:
    """Plans a step if it has no plan yet, and makes the parts that are missing."""
    folder = lake.step(step.name)
    digest = digest_of(lake, step, recipe)
    plan = folder.read_plan()
    if plan is not None and plan.digest != digest:
        folder.discard()
        plan = None
    if plan is None:
        progress.note(f"{step.name}: planning")
        plan = Plan(step=step.name, digest=digest, parts=step.plan(recipe, lake))
        folder.write_plan(plan)
        if not plan.parts:
            progress.note(f"{step.name}: nothing to do")
    folder.sweep()
    finished = set(folder.finished())
    pending = {name: part for name, part in plan.parts.items() if name not in finished}
    if pending:
        run_parts(lake, step, plan, pending, recipe, engine, progress)
        _stop_if_nothing_was_there(lake, step, plan)


def run_parts(
    lake: Lake,
    step: Step,
    plan: Plan,
    pending: Parts,
    recipe: Recipe,
    engine: Engine,
    progress: Progress,
    extra: dict[str, Any] | None = None,
) -> None:
    """Has workers make the pending parts; `extra` goes into every task.

    Raises:
        AllmendeError: the first that a worker raised, once all tasks have ended.
    """
    cores, here = engine.worker_count(), _fits_here(lake, step, pending)
    workers = 1 if here else max(1, cores // step.cores_per_worker)
    settings = Settings.encode(lake, recipe, plan.digest, max(1, cores // workers))
    tasks = [{"parts": parts, **(extra or {})} for parts in step.tasks(pending, workers)]
    lake.event("step started", step=step.name, parts=len(pending), of=len(plan.parts))
    failures: list[Failure] = []
    chosen = msgspec.structs.replace(engine, workers=workers)
    with progress.step(lake.step(step.name), step.unit, plan, rewriting=set(pending) if extra else set()):
        for answer in chosen.run(step.worker, settings, tasks, here=here):
            if isinstance(answer, Failure):
                failures.append(answer)
                lake.event("task failed", step=step.name, error=str(answer.error))
    _stop_if_incomplete(lake, step, pending, failures)
    lake.event("step finished", step=step.name)


def _fits_here(lake: Lake, step: Step, pending: Parts) -> bool:
    """Whether this process does so small a step itself, instead of starting others, each of which takes a second."""
    if not step.small or (step.asynchronous and _in_event_loop()):
        return False
    if not step.upstream:
        return len(pending) == 1
    return sum(tally.kept for name in step.upstream for tally in lake.step(name).counts().values()) <= step.small


def _in_event_loop() -> bool:
    """Whether the caller's thread runs an event loop, as in a notebook: it can't run another inside."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _stop_if_incomplete(lake: Lake, step: Step, wanted: Parts, failures: list[Failure]) -> None:
    if failures:
        first = failures[0].error
        more = f" ({len(failures)} tasks failed; all are in events.jsonl)" if len(failures) > 1 else ""
        safe = " Finished parts are safe." if isinstance(first, SourceError) else ""
        raise type(first)(f"{first}{safe}{more}")
    missing = set(wanted).difference(lake.step(step.name).finished())
    if missing:
        raise EngineError(
            f"{step.name}: {len(missing)} parts are missing, though no worker said why. Run the same command again."
        )


def _stop_if_nothing_was_there(lake: Lake, step: Step, plan: Plan) -> None:
    """A missing archive of many is counted; if all are, the address is wrong. The next build looks for them again."""
    archives = [archive for part in plan.parts.values() for archive in part.get("archives", ())]
    if not archives:
        return
    folder = lake.step(step.name)
    missing = sum(tally.dropped.get(Reason.ARCHIVE_MISSING, 0) for tally in folder.counts().values())
    if missing == len(archives):
        folder.discard()
        raise SourceMissing(f"No archive is where the recipe says; the first of {missing} is {archives[0]}.")
