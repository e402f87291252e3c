"""Exact duplicates of documents: the keys of `documents/` in, those that stay in `unique/` out, a part a bucket.

Keys lie in row groups of one bucket each (a range of `text_key`), so equal texts meet whatever archive they came from. The
words themselves are not touched: what comes out says which row of which part of `documents/` stays. Parts are in the order
of their ranges, and each is sorted by `text_key`: so the order of all, which numbers the documents for what follows,
depends on the texts alone.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.dedup.same_text import Keys, same_texts
from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.schema import Reason
from allmende.steps.buckets import BucketReader, in_bucket, part_for_each
from allmende.steps.document_part import KEYS, keys_schema
from allmende.steps.earlier import sources
from allmende.steps.excluded import Excluded
from allmende.steps.language_facts import KEPT, by_language, tally_of
from allmende.steps.step import Parts, Settings
from allmende.tables import Tables

ROW_GROUP = 50_000


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each bucket."""
    del recipe
    return part_for_each(lake, "documents")


class Worker:
    """Finds equal texts in buckets."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        lake, recipe = self.settings.lake, self.settings.recipe
        self.schema = keys_schema(recipe.near_duplicates)
        self.keys = BucketReader(lake, lake.step("documents").files(KEYS), self.schema, "text_key")
        schema = pa.schema([self.schema.field("text_key")])
        self.earlier = [Tables(where, names, schema) for where, names, _ in sources(lake, recipe)]
        self.excluded = lru_cache(maxsize=1)(lambda: Excluded(lake, recipe))

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part["bucket"], part["buckets"])
        return {"parts": len(task["parts"])}

    def _part(self, name: str, bucket: int, buckets: int) -> None:
        table = self.excluded().without(self.keys.read(bucket, buckets))
        found = same_texts(
            table.column("text_key").to_numpy(),
            _times(table.column("captured_at")),
            _halves(table.column("uid")),
            _texts(self.earlier, in_bucket(bucket, buckets, "text_key")),
        )
        kept = table.take(pa.array(found.rows))
        seen = pa.array(found.seen, pa.int32())
        kept = kept.set_column(kept.schema.get_field_index("seen"), self.schema.field("seen"), seen)
        stays = np.zeros(len(table), np.bool_)
        stays[found.rows] = True
        fates = {
            KEPT: stays,
            str(Reason.TEXT_DUPLICATE): ~stays & ~found.earlier,
            str(Reason.TEXT_DUPLICATE_EARLIER): found.earlier,
        }
        with self.settings.lake.step("unique").part(name, self.settings.plan) as part:
            pq.write_table(kept, part.file(".parquet"), compression="zstd", row_group_size=ROW_GROUP)
            part.commit({"document": tally_of(fates)}, by_language(table.column("language"), fates))


def _texts(earlier: list[Tables], bucket: pc.Expression) -> Keys:
    found = [one.read(bucket, ["text_key"]).column(0).to_numpy() for one in earlier]
    return np.concatenate([np.empty(0, np.uint64), *found])


def _times(captured: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Milliseconds since 1970; what has no time comes last."""
    return pc.fill_null(pc.cast(captured, pa.int64()), np.iinfo(np.int64).max).to_numpy()  # type: ignore[no-any-return]


def _halves(uids: pa.ChunkedArray) -> tuple[Keys, Keys]:
    """First and second 64 bits of uids."""
    packed = b"".join(uids.to_pylist())
    both = np.frombuffer(packed, ">u8").astype(np.uint64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
