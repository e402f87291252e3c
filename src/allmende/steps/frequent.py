"""Captions that stand with too many images: `unique/` in, a short list of caption keys in `frequent/` out.

Only the 8-byte keys are read. They are counted in as many passes as keep a pass below `KEYS_PER_PASS`, so memory does
not grow with the dataset. The rows themselves are dropped where they are read next, before any request.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.dedup.exact import Keys, frequent
from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.steps.step import Parts, Settings

KEYS_PER_PASS = 20_000_000


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """One part, or none if captions have no limit."""
    rows = sum(manifest.counts["candidate"].kept for manifest in lake.step("unique").manifests())
    return {"00000": {"rows": rows}} if recipe.dedup.max_caption_seen else {}


def load(lake: Lake) -> Keys:
    """The keys of too frequent captions, sorted."""
    names = lake.step("frequent").files()
    if not names:
        return np.empty(0, np.uint64)
    with lake.open(names[0]) as file:
        keys: Keys = pq.read_table(file).column("caption_key").to_numpy()
    return keys


class Worker:
    """Counts captions."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the one part."""
        lake, limit = self.settings.lake, self.settings.recipe.dedup.max_caption_seen
        for name, part in task["parts"].items():
            passes = part["rows"] // KEYS_PER_PASS + 1
            found = [frequent(_keys(lake, number, passes), limit) for number in range(passes)]
            with lake.step("frequent").part(name, self.settings.plan) as writer:
                table = pa.table({"caption_key": pa.array(np.concatenate(found), pa.uint64())})
                pq.write_table(table, writer.file(".parquet"))
                writer.commit({}, facts={"captions": len(table)})
        return {"parts": len(task["parts"])}


def _keys(lake: Lake, number: int, passes: int) -> Keys:
    """Caption keys of all rows, those whose remainder is `number`."""
    keys = [np.empty(0, np.uint64)]
    for name in lake.step("unique").files():
        with lake.open(name) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=["caption_key"]):
                part = batch.column("caption_key").to_numpy()
                keys.append(part[part % np.uint64(passes) == number])
    return np.concatenate(keys)
