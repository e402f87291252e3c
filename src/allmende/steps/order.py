"""The steps of a build, in their order, and which keys of the recipe decide the result of each."""

from dataclasses import replace

import msgspec

from allmende.recipe import Fetch, Recipe, Safety, Select
from allmende.recipe import Permission as Policy
from allmende.steps import (
    candidates,
    decontaminate,
    frequent,
    near,
    permitted,
    quality,
    release,
    release_texts,
    robots_captures,
    samples,
    table,
    texts,
    unique,
    unique_texts,
)
from allmende.steps.step import Step

ALL: frozenset[str] = frozenset()
"""All keys of the section decide."""
_FETCH = frozenset(field.encode_name for field in msgspec.structs.fields(Fetch))
_POLITENESS = _FETCH - {"from", "ports", "max_bytes", "max_redirects", "part_size"}
"""How hard and how long we ask may change between two runs; what counts as an answer may not."""
_SELECT, _PERMISSION, _SAFETY = (
    frozenset(field.name for field in msgspec.structs.fields(kind)) for kind in (Select, Policy, Safety)
)

CANDIDATES = Step(
    name="candidates",
    unit="candidate",
    plan=candidates.plan,
    worker=candidates.Worker,
    keys={
        "dataset": frozenset({"name", "kind", "output", "description", "license", "contact"}),
        "select": frozenset({"cache", "retries"}),
        "extract": ALL,
        "captions": ALL,
        "urls": ALL,
        "fetch": _FETCH - {"from"},
        "safety": _SAFETY - {"replace_personal"},
        "run": frozenset({"workers"}),
    },
)
TABLE = replace(CANDIDATES, plan=table.plan, worker=table.Worker, light=True)
UNIQUE = Step(
    name="unique",
    unit="candidate",
    plan=unique.plan,
    worker=unique.Worker,
    keys={"dedup": frozenset({"max_caption_seen"})},
    upstream=("candidates",),
    light=True,
)
FREQUENT = Step(
    name="frequent",
    unit="caption",
    plan=frequent.plan,
    worker=frequent.Worker,
    keys={"dedup": ALL},
    upstream=("unique",),
    light=True,
)
ROBOTS = Step(
    name="robots",
    unit="capture",
    plan=robots_captures.plan,
    worker=robots_captures.Worker,
    keys={"select": _SELECT - {"crawl", "source"}, "permission": _PERMISSION - {"captures"}},
)
SAMPLES = Step(
    name="samples",
    unit="sample",
    plan=samples.plan,
    worker=samples.Worker,
    keys={"fetch": _POLITENESS, "images": ALL, "permission": ALL},
    tasks=samples.tasks,
    cores_per_worker=6,
    upstream=("unique", "frequent", "robots"),
)
RELEASE = Step(
    name="release/shards",
    unit="sample",
    plan=release.plan,
    worker=release.Worker,
    keys={"publish": ALL},
    upstream=("samples",),
    light=True,
)

TEXTS = Step(
    name="documents",
    unit="document",
    plan=texts.plan,
    worker=texts.Worker,
    keys={
        "dataset": frozenset({"name", "output", "description", "license", "contact"}),
        "select": frozenset({"cache", "retries"}),
        "extract": frozenset({"caption_sources", "context_chars", "max_url_chars", "keep_dropped"}),
        "text": ALL,
        "quality": ALL,
        "near_duplicates": frozenset({"remove", "within"}),
        "permission": ALL,
        "safety": _SAFETY - {"replace_personal"},
        "run": frozenset({"workers"}),
    },
)
MEASURED = replace(TEXTS, keys=TEXTS.keys | {"quality": frozenset({"limits"})})
"""The same, if the quality rules apply later, by stored values."""
QUALITY = Step(
    name="quality",
    unit="document",
    plan=quality.plan,
    worker=quality.Worker,
    keys={"quality": ALL},
    upstream=("documents",),
    light=True,
    minds_rounds=False,
)
PERMITTED = Step(
    name="permitted",
    unit="document",
    plan=permitted.plan,
    worker=permitted.Worker,
    keys={"permission": ALL},
    upstream=("documents", "robots"),
    light=True,
    minds_rounds=False,
)
DECONTAMINATED = Step(
    name=decontaminate.NAME,
    unit="document",
    plan=decontaminate.plan,
    worker=decontaminate.Worker,
    keys={"decontamination": ALL},
    upstream=("documents",),
    light=True,
    minds_rounds=False,
)
UNIQUE_TEXTS = Step(
    name="unique",
    unit="document",
    plan=unique_texts.plan,
    worker=unique_texts.Worker,
    keys={"dedup": frozenset({"max_url_seen", "max_caption_seen"}), "decontamination": ALL},
    upstream=("documents",),
    light=True,
    minds_rounds=False,
)
NEAR = Step(
    name="near",
    unit="document",
    plan=near.plan,
    worker=near.Worker,
    keys={"near_duplicates": ALL, "dedup": frozenset({"max_url_seen", "max_caption_seen"})},
    upstream=("unique",),
    light=True,
)
RELEASE_TEXTS = Step(
    name="release/shards",
    unit="document",
    plan=release_texts.plan,
    worker=release_texts.Worker,
    keys={"publish": ALL},
    upstream=("documents", "near"),
    light=True,
)


def steps(recipe: Recipe) -> tuple[Step, ...]:
    """The steps of this recipe's build, in order."""
    if recipe.dataset.kind == "text":
        return _text_steps(recipe)
    captures = (ROBOTS,) if recipe.permission.captures else ()
    return (TABLE if recipe.select.urls else CANDIDATES, UNIQUE, FREQUENT, *captures, SAMPLES, RELEASE)


def _text_steps(recipe: Recipe) -> tuple[Step, ...]:
    """Documents, then what drops some of them by a look of its own, then duplicates."""
    looks: list[Step] = []
    if recipe.permission.captures:
        looks += [ROBOTS, PERMITTED]
    if recipe.quality.signals:
        looks.append(QUALITY)
    if recipe.decontamination.sets:
        looks.append(DECONTAMINATED)
    upstream = ("documents", *(step.name for step in looks if step is not ROBOTS))
    documents = MEASURED if recipe.quality.signals else TEXTS
    release = (
        replace(RELEASE_TEXTS, upstream=("documents", "near", "permitted"))
        if recipe.permission.captures
        else RELEASE_TEXTS
    )
    return (documents, *looks, replace(UNIQUE_TEXTS, upstream=upstream), NEAR, release)
