"""A dataset that was built, or is being built: its tables as dataframes, its numbers as values."""

import os
from typing import TYPE_CHECKING

import msgspec

from allmende import recipe_file
from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.parts import Manifest, Tally, total_counts
from allmende.recipe import Recipe

if TYPE_CHECKING:
    import daft

STEPS = ("candidates", "unique", "frequent", "samples", "release/shards")
TEXT_STEPS = ("documents", "unique", "near", "release/shards")


def looks(recipe: Recipe) -> tuple[str, ...]:
    """The steps of a recipe for text that drop documents by a look at each, in order; each looks at what those before left."""
    asked = {
        "permitted": bool(recipe.permission.captures),
        "decontaminated": bool(recipe.decontamination.sets),
        "quality": recipe.quality.signals,
    }
    return tuple(name for name, wanted in asked.items() if wanted)


class StepStatus(msgspec.Struct, frozen=True):
    """How far one step is."""

    step: str
    planned: bool
    parts: int
    """Parts planned; 0 if there is nothing to do."""
    finished: int
    counts: dict[str, Tally]
    facts: dict[str, int]
    worker_seconds: float
    """Time that workers spent on the finished parts, added up."""

    @property
    def idle(self) -> str:
        """Why there are no parts, in words; empty if there are some."""
        if self.parts or self.finished:
            return ""
        return "nothing to do" if self.planned else "not planned yet"


class Dataset:
    """A dataset folder, opened for reading.

    Args:
        lake: The folder, or its path or URL.

    Raises:
        LakeError: if there is no dataset.
    """

    def __init__(self, lake: Lake | str | os.PathLike[str]):
        self.lake = lake if isinstance(lake, Lake) else Lake(lake)
        if not self.lake.exists("recipe.toml"):
            raise LakeError(f"No dataset at {self.lake.root}: it has no recipe.toml. Build one: allmende build RECIPE")

    def __repr__(self) -> str:
        return f"Dataset({self.lake.root!r})"

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return recipe_file.loads(self.lake.read("recipe.toml"), self.lake.url("recipe.toml"))

    def candidates(self) -> "daft.DataFrame":
        """Images with words as found on pages (`schema.CANDIDATES`), duplicates included."""
        return self._frame(".parquet", "candidates")

    def unique(self) -> "daft.DataFrame":
        """Candidates without duplicates (`schema.CANDIDATES`)."""
        return self._frame(".parquet", "unique")

    def samples(self) -> "daft.DataFrame":
        """Images kept, without their bytes (`schema.SAMPLES`)."""
        return self._frame(".parquet", "samples")

    def failures(self) -> "daft.DataFrame":
        """Candidates that yielded no sample, with reason and HTTP status (`schema.FAILURES`).

        Of text: pages that became no document, with reason and text (`schema.DROPPED_PAGES`), if `text.keep_dropped` kept them.
        """
        steps = ("pages", "documents") if self.recipe.dataset.kind == "text" else ("samples",)
        return self._frame(".dropped.parquet", *steps)

    def documents(self) -> "daft.DataFrame":
        """Documents as read off pages (`schema.DOCUMENTS`), duplicates included."""
        return self._frame(".parquet", "documents")

    def hosts(self) -> "daft.DataFrame":
        """What hosts said in robots.txt and its kin (`schema.HOSTS`): each answer once for each day and digest."""
        import daft

        urls = [self.lake.url(name) for name in self.lake.files_below("hosts") if name.endswith(".parquet")]
        if not urls:
            raise LakeError(f"{self.lake.root}: no host was asked for robots.txt or its kin.")
        frame = daft.read_parquet(urls).with_column("day", daft.col("fetched_at").date())
        return frame.distinct("kind", "url", "day", "sha256")

    def status(self) -> list[StepStatus]:
        """How far each step is, what it kept and why it dropped the rest."""
        return [self._status(name) for name in self.steps()]

    def steps(self) -> tuple[str, ...]:
        """The steps of this dataset, in their order."""
        if self.recipe.dataset.kind == "text":
            return self._text_steps()
        if not self.lake.exists("robots/plan.json"):
            return STEPS
        return (*STEPS[: STEPS.index("samples")], "robots", *STEPS[STEPS.index("samples") :])

    def _text_steps(self) -> tuple[str, ...]:
        recipe = self.recipe
        first = () if recipe.repeats.unit == "off" else ("pages", "repeated")
        captures = ("robots",) if recipe.permission.captures else ()
        earlier = ("earlier",) if recipe.dedup.earlier else ()
        return (*first, TEXT_STEPS[0], *captures, *looks(recipe), *earlier, *TEXT_STEPS[1:])

    def manifests(self, step: str) -> list[Manifest]:
        """Manifests of the finished parts of a step."""
        return list(self.lake.step(step).manifests())

    def _status(self, name: str) -> StepStatus:
        plan = self.lake.step(name).read_plan()
        manifests = self.manifests(name)
        facts: dict[str, int] = {}
        for manifest in manifests:
            for fact, value in manifest.facts.items():
                facts[fact] = facts.get(fact, 0) + value
        seconds = sum(manifest.seconds for manifest in manifests)
        parts = len(plan.parts) if plan else 0
        return StepStatus(name, plan is not None, parts, len(manifests), total_counts(manifests), facts, seconds)

    def _frame(self, suffix: str, *steps: str) -> "daft.DataFrame":
        import daft

        urls = [self.lake.url(name) for step in steps for name in self.lake.step(step).files(suffix)]
        if not urls:
            raise LakeError(f"{self.lake.root}: the step {steps[-1]} has no finished part yet, or keeps no such rows.")
        return daft.read_parquet(urls)
