"""Quality by stored values: `documents/` with `quality.signals` in, which rows go in `quality/` out, a part a part.

Only the columns language and quality are read, so other thresholds cost minutes and no page is read again.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.recipe import Recipe
from allmende.schema import REASON_FIELD
from allmende.steps.excluded import Excluded
from allmende.steps.fates import Dropped, Fates
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
        self.excluded = Excluded(self.settings.lake, self.settings.recipe, "quality")

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name in task["parts"]:
            self._part(name)
        return {"parts": len(task["parts"])}

    def _part(self, name: str) -> None:
        fates, gone = Fates(), []
        for row, language, values in self._documents(name):
            reason = self.rules.broken(language, values)
            if reason is None:
                fates.keep(language)
            else:
                fates.drop(Dropped(reason, language))
                gone.append({"row": row, "reason": str(reason)})
        with self.settings.lake.step("quality").part(name, self.settings.plan) as part:
            pq.write_table(pa.Table.from_pylist(gone, GONE), part.file(".parquet"), compression="zstd")
            part.commit({"document": fates.tally}, fates.facts())

    def _documents(self, name: str) -> Iterator[tuple[int, str, dict[str, float]]]:
        """Row number, language and stored values of each document that is still in."""
        lake, begin = self.settings.lake, 0
        with lake.open(f"documents/{lake.step('documents').manifest(name).file('.parquet')}") as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=["language", "quality"]):
                numbers = np.arange(begin, begin + len(batch), dtype=np.int32)
                begin += len(batch)
                out = self.excluded.out(int(name), numbers)
                columns = (column.to_pylist() for column in batch.columns)
                for number, gone, language, values in zip(numbers.tolist(), out.tolist(), *columns, strict=True):
                    if not gone:
                        yield number, language, dict(values or ())
