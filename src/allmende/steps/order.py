"""The steps of a build, in their order, and which keys of the recipe decide the result of each."""

from dataclasses import replace

import msgspec

from allmende.dataset import looks
from allmende.recipe import Fetch, Quality, Recipe, Safety, Select
from allmende.recipe import Permission as Policy
from allmende.steps.step import Step

ALL: frozenset[str] = frozenset()
"""All keys of the section decide."""
_FETCH = frozenset(field.encode_name for field in msgspec.structs.fields(Fetch))
_POLITENESS = _FETCH - {"from", "ports", "max_bytes", "max_redirects", "part_size"}
"""How hard and how long we ask may change between two runs; what counts as an answer may not."""
_SELECT, _PERMISSION, _SAFETY, _QUALITY = (
    frozenset(field.name for field in msgspec.structs.fields(kind)) for kind in (Select, Policy, Safety, Quality)
)

CANDIDATES = Step(
    name="candidates",
    unit="candidate",
    module="allmende.steps.candidates",
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
TABLE = replace(CANDIDATES, module="allmende.steps.table", small=1)
UNIQUE = Step(
    name="unique",
    unit="candidate",
    module="allmende.steps.unique",
    keys={"dedup": frozenset({"max_caption_seen"})},
    upstream=("candidates",),
    small=500_000,
)
FREQUENT = Step(
    name="frequent",
    unit="caption",
    module="allmende.steps.frequent",
    keys={"dedup": ALL},
    upstream=("unique",),
    small=5_000_000,
)
ROBOTS = Step(
    name="robots",
    unit="capture",
    module="allmende.steps.robots_captures",
    keys={"select": _SELECT - {"crawl", "source"}, "permission": _PERMISSION - {"captures"}},
)
SAMPLES = Step(
    name="samples",
    unit="sample",
    module="allmende.steps.samples",
    keys={"fetch": _POLITENESS, "images": ALL, "permission": ALL},
    cores_per_worker=6,
    upstream=("unique", "frequent", "robots"),
    small=5_000,
    asynchronous=True,
)
RELEASE = Step(
    name="release/shards",
    unit="sample",
    module="allmende.steps.release",
    keys={"publish": ALL},
    upstream=("samples",),
    small=20_000,
)

TEXTS = Step(
    name="documents",
    unit="document",
    module="allmende.steps.texts",
    keys={
        "dataset": frozenset({"name", "output", "description", "license", "contact"}),
        "select": frozenset({"cache", "retries"}),
        "extract": frozenset({"caption_sources", "context_chars", "max_url_chars", "keep_dropped"}),
        "text": ALL,
        "repeats": ALL,
        "quality": ALL,
        "near_duplicates": frozenset({"remove", "within"}),
        "permission": ALL,
        "safety": _SAFETY - {"replace_personal"},
        "run": frozenset({"workers"}),
    },
)
PAGES = Step(
    name="pages",
    unit="document",
    module="allmende.steps.pages",
    keys={
        **{name: TEXTS.keys[name] for name in ("dataset", "select", "extract", "text", "permission", "safety", "run")},
        "repeats": frozenset({"documents", "share"}),
        "quality": _QUALITY - {"preset"},
    },
)
REPEATED = Step(
    name="repeated",
    unit="line",
    module="allmende.steps.repeated",
    keys={"repeats": ALL},
    upstream=("pages",),
    minds_rounds=False,
    small=50_000,
)
TEXTS_OF_PAGES = replace(
    TEXTS, module="allmende.steps.texts_of_pages", upstream=("pages", "repeated"), minds_rounds=False
)
"""The same step in two passes, with lines taken out between them."""
QUALITY = Step(
    name="quality",
    unit="document",
    module="allmende.steps.quality",
    keys={"quality": ALL},
    upstream=("documents",),
    small=50_000,
    minds_rounds=False,
)
PERMITTED = Step(
    name="permitted",
    unit="document",
    module="allmende.steps.permitted",
    keys={"permission": ALL},
    upstream=("documents", "robots"),
    small=50_000,
    minds_rounds=False,
)
DECONTAMINATED = Step(
    name="decontaminated",
    unit="document",
    module="allmende.steps.decontaminate",
    keys={"decontamination": ALL},
    upstream=("documents",),
    small=50_000,
    minds_rounds=False,
)
LOOKS = {step.name: step for step in (PERMITTED, DECONTAMINATED, QUALITY)}
"""They drop documents by a look at each; `dataset.looks` has their order."""
EARLIER = Step(
    name="earlier",
    unit="text",
    module="allmende.steps.earlier",
    keys={"near_duplicates": frozenset({"remove", "within"}), "dedup": frozenset({"max_url_seen", "max_caption_seen"})},
)
UNIQUE_TEXTS = Step(
    name="unique",
    unit="document",
    module="allmende.steps.unique_texts",
    keys={"dedup": frozenset({"max_url_seen", "max_caption_seen"}), "decontamination": ALL},
    upstream=("documents",),
    small=50_000,
    minds_rounds=False,
)
NEAR = Step(
    name="near",
    unit="document",
    module="allmende.steps.near",
    keys={"near_duplicates": ALL, "dedup": frozenset({"max_url_seen", "max_caption_seen"})},
    upstream=("unique",),
    small=50_000,
)
RELEASE_TEXTS = Step(
    name="release/shards",
    unit="document",
    module="allmende.steps.release_texts",
    keys={"publish": ALL},
    upstream=("documents", "near"),
    small=50_000,
)


def steps(recipe: Recipe) -> tuple[Step, ...]:
    """The steps of this recipe's build, in order."""
    if recipe.dataset.kind == "text":
        return _text_steps(recipe)
    captures = (ROBOTS,) if recipe.permission.captures else ()
    return (TABLE if recipe.select.urls else CANDIDATES, UNIQUE, FREQUENT, *captures, SAMPLES, RELEASE)


def _text_steps(recipe: Recipe) -> tuple[Step, ...]:
    """Documents, then what drops some of them by a look of its own, then duplicates."""
    two_passes = recipe.repeats.unit != "off"
    first, documents = ((PAGES, REPEATED), TEXTS_OF_PAGES) if two_passes else ((), TEXTS)
    if recipe.quality.signals:  # the rules apply later, by stored values
        documents = replace(documents, keys=documents.keys | {"quality": frozenset({"limits"})})
    looked: list[Step] = []
    for name in looks(recipe):
        looked.append(replace(LOOKS[name], upstream=(*LOOKS[name].upstream, *(step.name for step in looked))))
    earlier = (EARLIER,) if recipe.dedup.earlier else ()
    before = ("documents", *(step.name for step in (*looked, *earlier)))
    captures = (ROBOTS,) if recipe.permission.captures else ()
    release = (
        replace(RELEASE_TEXTS, upstream=("documents", "near", "permitted"))
        if recipe.permission.captures
        else RELEASE_TEXTS
    )
    return (*first, documents, *captures, *looked, *earlier, replace(UNIQUE_TEXTS, upstream=before), NEAR, release)
