"""The commands as functions, for notebooks and scripts. `docs/reference/api.md` has them as a table.

A function has the name of its command, and no other work. Four commands are called as packages of ours are, or as what Python
has itself, and a name can't be both: so `fetch` is `download`, `inspect` is `describe`, `demo` is `build_demo`, and
`classifier train` is `train_classifier`.

What they import they import when they are called: most of it is heavy, and each needs some of it only.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from allmende import recipe_file
from allmende.errors import RecipeError

if TYPE_CHECKING:
    from allmende.dataset import Dataset, StepStatus
    from allmende.engine import Engine
    from allmende.filters.classifiers.training import Report as ClassifierReport
    from allmende.filters.quality.tuning import LanguageCount
    from allmende.maintain.apply_patch import Applied
    from allmende.maintain.patch import Header
    from allmende.maintain.recheck import Recheck
    from allmende.maintain.verify import Report
    from allmende.permission.policy import Action

FUNCTIONS = {
    "init": ("init",),
    "build": ("build", "outlook"),
    "status": ("status",),
    "retry": ("retry",),
    "tune": ("tune",),
    "classifier": ("train_classifier",),
    "report": ("report",),
    "takedown": ("takedown",),
    "patch": ("apply_patch", "verify_patch"),
    "diff": ("diff",),
    "recheck": ("recheck",),
    "fetch": ("download",),
    "crawls": ("crawls",),
    "inspect": ("describe",),
    "verify": ("verify",),
    "demo": ("build_demo",),
}
"""The functions of each command: names in `allmende`."""

Location = str | os.PathLike[str]
"""A path or an fsspec URL."""

NEWEST = "CC-MAIN-2026-43"
"""The crawl of a new recipe that is told none."""


def init(
    recipe: Location,
    *,
    kind: str = "images",
    crawl: str = NEWEST,
    archives: Sequence[str] = (),
    urls: Sequence[str] = (),
    languages: Sequence[str] = (),
    tokenizer: str = "",
    force: bool = False,
) -> Path:
    """Writes a recipe with every key explained, to start from.

    Args:
        recipe: The file.
        kind: images or text.
        crawl: What to read, unless `archives` or `urls` say something else.
        archives: WARC, WAT or WET files by path, glob or URL.
        urls: Tables of image URLs.
        languages: Of captions or documents to keep; none for all.
        tokenizer: Of text: counts tokens.
        force: Overwrite an existing file.

    Raises:
        RecipeError: if there is such a file, it can't be written, or something in it would be wrong.
    """
    from allmende.steps.recipe_check import check

    path = Path(recipe)
    if tokenizer and kind != "text":
        raise RecipeError("--tokenizer counts tokens of documents: add --kind text.")
    select: dict[str, Any] = {"crawl": crawl, "files": 10}
    if archives or urls:
        select = {"archives": tuple(archives)} if archives else {"urls": tuple(urls)}
    chosen = {"select": select}
    if kind == "text":
        publish = {"sink": "parquet", "tokenizer": tokenizer}
        chosen = {"dataset": {"kind": "text"}, "text": {"languages": tuple(languages)}, "publish": publish, **chosen}
        select["kind"] = "warc"
        if tuple(languages) == ("en",):
            chosen["quality"] = {"preset": "fineweb"}
    elif languages:
        chosen["captions"] = {"languages": tuple(languages)}
    text = recipe_file.template(path.stem, chosen)
    check(recipe_file.loads(text, str(path)))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(f"{path} exists. Choose another name, or add --force.") from None
    except OSError as error:
        raise RecipeError(f"{path} can't be written: {error.strerror}. Choose another place.") from error
    return path


def download(
    tables: str | Sequence[str], to: str, *, engine: "Engine | None" = None, redo: bool = False, **settings: str
) -> "Dataset":
    """Fetches the images of URL tables into a dataset.

    Args:
        tables: Files with URLs, see `allmende.url_table`.
        to: Folder or URL of the dataset.
        engine: Where to run.
        redo: Throw away what other settings made there, and fetch anew.
        settings: Keys of a recipe in TOML, with two underscores for the dot: `images__size="512"`.
    """
    from allmende.building import build
    from allmende.recipe_file import from_table

    chosen = {
        "url_column": "url",
        "caption_column": "caption",
        "size": 256,
        "mode": "keep_ratio",
        "image_format": "jpg",
        "quality": None,
        "sink": "webdataset",
        "contact": "",
    }
    names = (tables,) if isinstance(tables, str) else tuple(tables)
    pairs = [f"{key.replace('__', '.', 1)}={value}" for key, value in settings.items()]
    return build(from_table(names, to, chosen, pairs), engine, redo=redo)


def status(dataset: Location) -> "list[StepStatus]":
    """How far each step of a dataset is, what it kept and why it dropped the rest."""
    from allmende.dataset import Dataset

    return Dataset(dataset).status()


def report(dataset: Location) -> list[str]:
    """Renews report and card of a release, or writes a report on an unfinished build; returns where they lie."""
    from allmende.building import write_report
    from allmende.lake import Lake

    lake = Lake(dataset)
    return [lake.url(name) for name in write_report(lake)]


def verify(
    dataset: Location,
    *,
    decode: bool = False,
    online: bool = False,
    sample: int = 1_000,
    contact: str = "",
    rdap: str = "",
) -> "Report":
    """Checks a dataset, or a copy of its release, against what it says of itself.

    Args:
        dataset: The dataset or the release.
        decode: Also decode every image.
        online: Also ask the web whether `sample` of the URLs lead to the same files or texts; 0 for all.
        sample: See there.
        contact: Sent to servers; the recipe's by default.
        rdap: Base URL of a service that is asked when a domain was registered.

    Raises:
        LakeError: if there is nothing to check, or it can't be read.
    """
    from allmende.maintain.online import Options, compare
    from allmende.maintain.verify import verify as check
    from allmende.maintain.verify import with_online

    found = check(os.fspath(dataset), decode=decode)
    if not online:
        return found
    return with_online(found, compare(os.fspath(dataset), Options(sample=sample, contact=contact, rdap=rdap)))


def recheck(
    dataset: Location,
    policy: str = "",
    *,
    signals: "Mapping[str, Action] | None" = None,
    online: bool = False,
    contact: str = "",
    denied: TextIO | None = None,
) -> "Recheck":
    """What another policy, or what hosts say today, would cost. Changes nothing.

    Args:
        dataset: With its lake.
        policy: eu-commercial, eu-research or strict; by default that of the dataset's recipe.
        signals: Changes of it, as in `{"ai_txt": "allow"}`.
        online: Ask hosts and servers anew instead of going by what is stored.
        contact: Sent to servers; the recipe's by default.
        denied: Gets the uids of what is no longer permitted, one a line.

    Raises:
        RecipeError: if there is no such policy or signal.
        LakeError: if there are no samples.
    """
    from allmende.dataset import Dataset
    from allmende.maintain.recheck import recheck as judge
    from allmende.maintain.recheck_online import Online
    from allmende.permission import policy as policies

    opened = Dataset(dataset)
    chosen = None
    if policy or signals:
        chosen = policies.policy(policy or opened.recipe.permission.policy, dict(signals or {}))
    return judge(opened.lake, chosen, online=Online(contact=contact) if online else None, denied=denied)


def apply_patch(copy: Location, patch: Location) -> "Applied":
    """Brings a copy of a release to the next version. Checks everything first; interrupted, the same call finishes it.

    Args:
        copy: Its folder.
        patch: A file of this machine.

    Raises:
        Untrusted: if the patch is not whole, not of the release's maintainers, or does not fit.
    """
    from allmende.maintain.apply_patch import apply

    return apply(Path(copy), Path(patch))


def verify_patch(copy: Location, patch: Location) -> "Header":
    """Whose patch it is, that it is whole and fits this copy; returns what it says of itself. Changes nothing.

    Raises:
        Untrusted: as `apply_patch`.
    """
    from allmende.maintain.apply_patch import check, find_copy
    from allmende.maintain.patch import Patch

    opened = Patch(Path(patch))
    check(find_copy(Path(copy)), opened)
    return opened.header


def train_classifier(labelled: Sequence[Location], to: Location, **options: Any) -> "ClassifierReport":
    """Trains a fastText model that scores documents, for `quality.models` in a recipe.

    Args:
        labelled: Files with texts and labels; see `allmende classifier train --help`.
        to: The model: a .bin file.
        options: Fields of `allmende.filters.classifiers.training.Options`, such as `epochs=10`.

    Raises:
        RecipeError: if a file can't be read, or there is too little in it.
        MissingExtra: if fastText is not installed.
    """
    from allmende.filters.classifiers.training import Options, train

    return train([Path(path) for path in labelled], Path(to), Options(**options))


SAME_MEASURES = ("gopher", "fineweb", "fineweb-2")
"""Presets whose rules of one name measure the same, so that values stored for one can be judged by another."""


def tune(
    dataset: Location, preset: str = "", *, limits: Sequence[str] = (), rule: str = "", at: Sequence[float] = ()
) -> "list[LanguageCount]":
    """What quality thresholds keep, by language and rule, from stored values: some thousand rows in memory at a time.

    Args:
        dataset: Of text, whose recipe says `quality.signals = true`.
        preset: Instead of the recipe's.
        limits: Other thresholds, as `quality.limits` in a recipe.
        rule: Also tell what other thresholds of this rule would keep: each of `at`.
        at: See there.

    Raises:
        RecipeError: if there are no stored values, or none that the preset can judge.
    """
    import msgspec
    import pyarrow.compute as pc

    from allmende.dataset import Dataset
    from allmende.filters.quality.presets import find_preset
    from allmende.filters.quality.tuning import Tuning
    from allmende.steps.quality_rules import QualityRules
    from allmende.tables import batches

    opened = Dataset(dataset)
    quality = opened.recipe.quality
    if not quality.signals:
        raise RecipeError(
            f"{opened.lake.root} has no stored values: its recipe does not say `quality.signals = true`. "
            "Set it and build again."
        )
    if preset and preset != "none":
        find_preset(preset)
    if preset and preset != quality.preset and not {preset, quality.preset}.issubset(SAME_MEASURES):
        raise RecipeError(f"{preset} measures otherwise than {quality.preset}, whose values are stored.")
    wanted = msgspec.structs.replace(quality, preset=preset or quality.preset, limits=(*quality.limits, *limits))
    rules = QualityRules(wanted)
    tuning = Tuning(lambda language: rules.limits(language) if rules.knows(language) else None, rule, at)
    for name in opened.lake.step("documents").files():
        for batch in batches(opened.lake, name, ["language", "quality", "chars"], 4_096):
            tuning.add(batch.filter(pc.field("chars").is_valid()))  # a take-down leaves blank rows
    return tuning.counts()
