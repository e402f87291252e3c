"""Quality by stored values: `documents/` with `quality.signals` in, which rows go in `quality/` out, a part a part.

Only the columns language and quality are read, so other thresholds cost minutes and no page is read again.
"""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import Lake, Tally
from allmende.recipe import Recipe
from allmende.schema import REASON_FIELD
from allmende.steps.quality_rules import QualityRules
from allmende.steps.step import Parts, Settings

GONE = pa.schema([pa.field("row", pa.int32()), REASON_FIELD])
"""A row for each document that goes: its row in the part of `documents/` with the same number."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each part of `documents/`."""
    del recipe
    documents = lake.step("documents").read_plan()
    assert documents is not None
    return {name: {} for name in documents.parts}


class Worker:
    """Judges documents."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.rules = QualityRules(self.settings.recipe.quality)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        lake = self.settings.lake
        for name in task["parts"]:
            documents = lake.step("documents").manifest(name).file(".parquet")
            tally, rows, reasons, facts, number = Tally(), [], [], dict[str, int](), 0
            with lake.open(f"documents/{documents}") as file:
                for batch in pq.ParquetFile(file).iter_batches(columns=["language", "quality"]):
                    for language, values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        reason = self.rules.broken(language, dict(values or ()))
                        if reason is None:
                            tally.keep()
                        else:
                            tally.drop(reason)
                            rows.append(number)
                            reasons.append(str(reason))
                        fate = f"{language}/{reason or 'kept'}"
                        facts[fate] = facts.get(fate, 0) + 1
                        number += 1
            with lake.step("quality").part(name, self.settings.plan) as part:
                columns = [pa.array(rows, pa.int32()), pa.array(reasons, pa.string())]
                pq.write_table(pa.Table.from_arrays(columns, schema=GONE), part.file(".parquet"), compression="zstd")
                part.commit({"document": tally}, dict(sorted(facts.items())))
        return {"parts": len(task["parts"])}
