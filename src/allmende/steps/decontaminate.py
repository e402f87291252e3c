"""Evaluation sets in documents: `documents/` in, which rows have a run of a set in `decontaminated/` out, a part a part.

What robots.txt denied is not looked at; what quality rules drop is, so that other thresholds change nothing here. What the sets hold decides the result, and files change
under their names: so their digests are noted in `evaluation_sets.json` before a build, and workers read nothing else. The list
of what was removed is put together last, when it is known what was taken down: `release/removed_contaminated.parquet`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.dedup.decontaminate import REMOVED, Options, read_sets
from allmende.dedup.evaluation_sets import EvaluationSet, described
from allmende.errors import SourceError
from allmende.lake import Lake
from allmende.parts import Manifest
from allmende.recipe import Recipe
from allmende.schema import DOCUMENT_KEYS, Reason
from allmende.steps import tombstone_screen
from allmende.steps.excluded import Excluded
from allmende.steps.fates import Dropped, Fates
from allmende.steps.step import Parts, Settings, clear

NAME = "decontaminated"
RECORD = "evaluation_sets.json"
_ANEW = "Delete it and compare anew: allmende build --redo RECIPE"
PUBLISHED = "release/removed_contaminated.parquet"
AFTER = ("quality", "unique", "near", "release/shards")
"""Steps that must be done anew if the sets change."""

FACT = "evaluation_set_"
"""How facts begin that count the documents of a set; its name follows."""

FOUND = pa.schema([DOCUMENT_KEYS.field("row"), *(field for field in REMOVED if field.name != "uid")])
"""A row for each match: the document's row in the part of `documents/` with the same number, and where the set is in it."""

_AT_ONCE = 256


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each part of `documents/`."""
    del recipe
    documents = lake.step("documents").read_plan()
    assert documents is not None
    return {name: {} for name in documents.parts}


class Record(msgspec.Struct, frozen=True):
    """What `evaluation_sets.json` holds."""

    sets: tuple[EvaluationSet, ...]


class Worker:
    """Looks for evaluation sets.

    Raises:
        SourceError: if a set can't be read, or is another than the one that the build noted.
    """

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        options, sets = _options(self.settings.recipe), self.settings.recipe.decontamination.sets
        self.index = read_sets(sets, options)
        if described(sets, self.index) != read_record(self.settings.lake):
            raise SourceError("[decontamination] sets: files changed since the build began. Run it again.")
        self.excluded = Excluded(self.settings.lake, self.settings.recipe, NAME)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name in task["parts"]:
            self._part(name)
        return {"parts": len(task["parts"])}

    def _part(self, name: str) -> None:
        lake, fates, of_sets = self.settings.lake, Fates(), Counter[str]()
        with lake.step(NAME).part(name, self.settings.plan) as part:
            with pq.ParquetWriter(part.file(".parquet"), FOUND, compression="zstd") as file:
                for rows, batch in self._documents(name):
                    file.write_table(pa.Table.from_pylist(self._look(rows, batch, fates, of_sets), FOUND))
            part.commit({"document": fates.tally}, dict(sorted(of_sets.items())) | fates.facts())

    def _documents(self, name: str) -> Iterator[tuple[list[int], pa.RecordBatch]]:
        """Row numbers, languages and texts of the documents that are still in, some at a time."""
        lake, begin = self.settings.lake, 0
        for batch in _batches(lake, lake.step("documents").manifest(name), ["language", "text"]):
            numbers = np.arange(begin, begin + len(batch), dtype=np.int32)
            begin += len(batch)
            stays = ~self.excluded.out(int(name), numbers)
            yield numbers[stays].tolist(), batch.filter(pa.array(stays))

    def _look(
        self, rows: list[int], batch: pa.RecordBatch, fates: Fates, of_sets: Counter[str]
    ) -> list[dict[str, Any]]:
        """Matches of texts; counts them, too."""
        told = []
        for row, language, text in zip(rows, *(batch.column(n).to_pylist() for n in ("language", "text")), strict=True):
            matches = self.index.contaminated(text or "")  # a take-down leaves a blank row
            if matches:
                fates.drop(Dropped(Reason.TEXT_CONTAMINATED, language))
            else:
                fates.keep(language)
            of_sets.update({f"{FACT}{match.name}" for match in matches})
            told += [
                {"row": row, "set": m.name, "position": m.position, "words": m.words, "text": m.text} for m in matches
            ]
        return told


def check(recipe: Recipe) -> tuple[EvaluationSet, ...]:
    """Reads the sets of a recipe.

    Raises:
        RecipeError, SourceError: if one can't be read.
    """
    sets = recipe.decontamination.sets
    if not sets or recipe.dataset.kind != "text":
        return ()
    return described(sets, read_sets(sets, _options(recipe)))


def prepare(lake: Lake, recipe: Recipe, *, redo: bool = False) -> None:
    """Before a build: reads the sets and notes which they are.

    Args:
        lake: The dataset.
        recipe: Of the build.
        redo: If the sets had other contents before: throw away what was compared with them.

    Raises:
        RecipeError, SourceError: if a set can't be read.
        RecipeChanged: if documents were compared with other contents, and not `redo`.
    """
    now = check(recipe)
    if not now:
        lake.step(NAME).discard()
        lake.remove(name for name in (RECORD, PUBLISHED) if lake.exists(name))
        return
    clear(lake, changed(lake, now), (NAME, *AFTER), redo=redo)
    lake.write(RECORD, msgspec.json.format(msgspec.json.encode(Record(now)), indent=1))


def changed(lake: Lake, now: tuple[EvaluationSet, ...]) -> str:
    """What to say if documents were compared with other contents of these sets; empty if they were not."""
    if not now or lake.step(NAME).read_plan() is None or not (other := _changed(read_record(lake), now)):
        return ""
    return (
        f"{lake.root} was compared with other contents of evaluation sets: {', '.join(other)}.\n"
        "Choose another folder for the new one, or compare anew: allmende build --redo RECIPE"
    )


def read_record(lake: Lake) -> tuple[EvaluationSet, ...]:
    """The sets that a dataset was, or is being, compared with."""
    return lake.decode(RECORD, Record, _ANEW).sets if lake.exists(RECORD) else ()


def evaluation_sets(lake: Lake) -> tuple[EvaluationSet, ...]:
    """The same, with how many documents have something of each."""
    facts: dict[str, int] = {}
    for manifest in lake.step(NAME).manifests():
        for name, count in manifest.facts.items():
            facts[name] = facts.get(name, 0) + count
    return tuple(
        msgspec.structs.replace(one, contaminated=facts.get(f"{FACT}{one.name}", 0)) for one in read_record(lake)
    )


def publish_removed(lake: Lake, recipe: Recipe) -> None:
    """Writes the list of removed documents beside the shards, if the recipe names sets: without those taken down."""
    if not recipe.decontamination.sets:
        return
    screens = tombstone_screen.load(lake, recipe)
    tables = [REMOVED.empty_table()]
    for manifest in lake.step(NAME).manifests():
        with lake.open(f"{NAME}/{manifest.file('.parquet')}") as file:
            found = pq.read_table(file, schema=FOUND)
        if len(found):
            named = _named(lake, lake.step("documents").manifest(manifest.part), found.column("row"))
            stays = named.column("uid").is_valid().to_numpy()
            for screen in screens:
                stays = stays & ~screen.before(named).is_valid().to_numpy(zero_copy_only=False)
            told = found.drop_columns("row").add_column(0, REMOVED.field("uid"), named.column("uid"))
            tables.append(told.filter(pa.array(stays)).cast(REMOVED))
    sets = {"evaluation_sets": msgspec.json.encode(read_record(lake))}
    table = pa.concat_tables(tables).sort_by([(name, "ascending") for name in ("uid", "set", "position")])
    with pa.BufferOutputStream() as sink:
        pq.write_table(table.replace_schema_metadata(sets), sink, compression="zstd")
        lake.write(PUBLISHED, sink.getvalue().to_pybytes())


def _named(lake: Lake, documents: Manifest, rows: pa.ChunkedArray) -> pa.Table:
    """URL and uid of these rows of a part, in this order."""
    batches = list(_batches(lake, documents, ["url", "uid"]))
    return pa.Table.from_batches(batches).take(pc.cast(rows, pa.int64()))


def _batches(lake: Lake, documents: Manifest, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with lake.open(f"documents/{documents.file('.parquet')}") as file:
        yield from pq.ParquetFile(file).iter_batches(_AT_ONCE, columns=columns)


def _options(recipe: Recipe) -> Options:
    return Options(ngram=recipe.decontamination.ngram, least=recipe.decontamination.least)


def _changed(old: tuple[EvaluationSet, ...], new: tuple[EvaluationSet, ...]) -> list[str]:
    """Names of sets whose contents differ."""
    before, now = ({one.name: {digest for _, digest in one.files} for one in sets} for sets in (old, new))
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
