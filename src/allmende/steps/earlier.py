"""Releases of earlier datasets: their texts in, keys and signatures out, so that they mean the same as the folder of a build.

A build's folder has its signatures in `unique/` already, and is only checked. A release, downloaded or not, has the texts: they are
signed here as documents are, a part a file. What was dropped as a near-duplicate there is in no release; so a document that
is near to such a text only is found by the folder of the build alone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.dataset import Dataset
from allmende.errors import RecipeError
from allmende.lake import Lake
from allmende.parts import Tally, part_id
from allmende.publish.columns import read_columns
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.recipe import NearDuplicates, Recipe
from allmende.schema import DOCUMENTS
from allmende.steps.document_part import Signers, band_names
from allmende.steps.step import Parts, Settings
from allmende.tables import columns_of

NAME = "earlier"
_WANTED = pa.schema(
    [DOCUMENTS.field("text_key").with_nullable(False), DOCUMENTS.field("language"), DOCUMENTS.field("text")]
)


def earlier_schema(near: NearDuplicates) -> pa.Schema:
    """Columns of the keys of a release's texts."""
    bands = (pa.field(name, pa.uint64()) for name in band_names(near))
    return pa.schema([DOCUMENTS.field("text_key"), DOCUMENTS.field("language"), *bands])


def is_build(root: str) -> bool:
    """Whether an earlier dataset is the folder of a build, which has signatures."""
    return bool(Lake(root).step("unique").files())


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each file of texts; one without a file for the folder of a build.

    Raises:
        RecipeError: if a dataset has no texts, or signatures that were made in another way.
    """
    del lake
    parts: Parts = {}
    for root in recipe.dedup.earlier:
        if is_build(root):
            _check_signatures(root, recipe.near_duplicates)
            files = [""]
        else:
            files = _files_of_texts(root)
        parts |= {part_id(len(parts) + number): {"root": root, "file": name} for number, name in enumerate(files)}
    return parts


def _check_signatures(root: str, near: NearDuplicates) -> None:
    other = Dataset(root).recipe.near_duplicates
    if near.bands and (other.ngram, other.bands, other.rows, other.seed) != (
        near.ngram,
        near.bands,
        near.rows,
        near.seed,
    ):
        raise RecipeError(
            f"[dedup] earlier: the signatures of {root} have other ngram, bands, rows or seed in [near_duplicates]; "
            "set the same here, or name its release instead, whose texts are signed anew."
        )


def _files_of_texts(root: str) -> list[str]:
    """The shards of a release."""
    lake = Lake(root)
    found = [str(path).removeprefix(lake.path + "/") for path in lake.fs.find(lake.path)]
    names = [
        name for name in sorted(found) if name.endswith(JSONL) or (name.endswith(".parquet") and _has_texts(lake, name))
    ]
    if not names:
        raise RecipeError(
            f"[dedup] earlier: {root} holds no dataset of text: no table with a text_key and a text, and no {JSONL}."
        )
    return names


def _has_texts(lake: Lake, name: str) -> bool:
    return {"text_key", "text"} <= set(columns_of(lake, name))


class Keys(NamedTuple):
    """Tables with keys of earlier texts: columns of `earlier_schema`, and others."""

    lake: Lake
    files: list[str]
    rows: int


def sources(lake: Lake, recipe: Recipe) -> list[Keys]:
    """Where the keys of all earlier texts are, once this step is done."""
    folders = [(Lake(root), "unique", "document") for root in recipe.dedup.earlier if is_build(root)]
    if recipe.dedup.earlier:
        folders.append((lake, NAME, "text"))
    return [Keys(lake, lake.step(name).files(), lake.step(name).counts()[unit].kept) for lake, name, unit in folders]


class Worker:
    """Signs texts."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.near = self.settings.recipe.near_duplicates
        self.signers = Signers(self.near)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        schema = earlier_schema(self.near)
        for name, part in task["parts"].items():
            tables = [schema.empty_table(), *self._tables(part["root"], part["file"], schema)]
            table = pa.concat_tables(tables).sort_by("text_key")
            with self.settings.lake.step(NAME).part(name, self.settings.plan) as writer:
                pq.write_table(table, writer.file(".parquet"), compression="zstd", row_group_size=50_000)
                writer.commit({"text": Tally(len(table), len(table))})
        return {"parts": len(task["parts"])}

    def _tables(self, root: str, name: str, schema: pa.Schema) -> Iterator[pa.Table]:
        if not name:
            return
        lake = Lake(root)
        with lake.open(name) as file:
            for batch in read_columns(file, lake.url(name), _WANTED):
                languages, texts = (batch.column(name).to_pylist() for name in ("language", "text"))
                nothing: list[int | None] = [None] * self.near.bands
                pairs = zip(texts, languages, strict=True)
                signed = [self.signers.sign(text or "", language or "") or nothing for text, language in pairs]
                bands = zip(*signed, strict=True) if self.near.bands else ()
                columns = [
                    batch.column("text_key"),
                    batch.column("language"),
                    *(pa.array(b, pa.uint64()) for b in bands),
                ]
                yield pa.Table.from_arrays(columns, schema=schema)
