"""Which documents are out already: what steps that look at each document for itself have dropped before others go on.

They look one after the other, and each counts only what those before it have left, so that the funnel adds up. What costs little to
do again comes last: other quality thresholds change nothing for the comparison with evaluation sets, which reads all texts.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.dataset import looks
from allmende.lake import Lake
from allmende.recipe import Recipe

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.int32]]


class Excluded:
    """Rows of `documents/` that are out. Held: a bit for each row of the parts that have any.

    Args:
        lake: The dataset.
        recipe: Of the build.
        before: A step: what those before it dropped. Empty for what all of them did.
    """

    def __init__(self, lake: Lake, recipe: Recipe, before: str = ""):
        self._gone: dict[int, np.ndarray[Any, np.dtype[np.uint8]]] = {}
        steps = looks(recipe)
        for step in steps[: steps.index(before)] if before else steps:
            for manifest in lake.step(step).manifests():
                with lake.open(f"{step}/{manifest.file('.parquet')}") as file:
                    source = pq.ParquetFile(file)
                    columns = [name for name in ("part", "row", "reason") if name in source.schema_arrow.names]
                    self._take(source.read(columns), int(manifest.part))

    def _take(self, table: pa.Table, part: int) -> None:
        """Takes over what a part of a step says: of one part of `documents/`, the same, unless it has a column that tells."""
        if "reason" in table.column_names:
            table = table.filter(pc.field("reason").is_valid())
        if "part" not in table.column_names:
            self._exclude(part, table.column("row").to_numpy())
            return
        for found in pc.unique(table.column("part")).to_pylist():
            self._exclude(found, table.filter(pc.field("part") == found).column("row").to_numpy())

    def _exclude(self, part: int, rows: Rows) -> None:
        if not len(rows):
            return
        before = np.unpackbits(self._gone.get(part, np.zeros(0, np.uint8)))
        gone = np.zeros(max(len(before), int(rows.max()) + 1), np.uint8)
        gone[: len(before)] = before
        gone[rows] = 1
        self._gone[part] = np.packbits(gone)

    def out(self, part: int, rows: Rows) -> Mask:
        """Which rows of a part are out, by their numbers."""
        found = np.zeros(len(rows), np.bool_)
        if part in self._gone:
            gone = np.unpackbits(self._gone[part]).astype(bool)
            known = rows < len(gone)
            found[known] = gone[rows[known]]
        return found

    def without(self, table: pa.Table) -> pa.Table:
        """The rows of a table with columns `part` and `row` that are still in."""
        if not self._gone:
            return table
        parts, rows = table.column("part").to_numpy(), table.column("row").to_numpy()
        out = np.zeros(len(table), np.bool_)
        for part in np.unique(parts).tolist():
            inside = np.flatnonzero(parts == part)
            out[inside] = self.out(part, rows[inside])
        return table.filter(pa.array(~out))
