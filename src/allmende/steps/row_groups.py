"""Rows with words go to disk as they come, so memory does not grow with what is read."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_CHARS, GROUP_ROWS = 8_000_000, 2_000
"""Characters, or rows, in a row group: what is in memory before it goes to disk."""


class RowGroups:
    """Writes rows to a Parquet file: a row group whenever there are enough of them.

    Args:
        path: Of the file.
        schema: Its columns; those that a row does not have are null. `text` is one of them.
        written: Told of each row group.
    """

    def __init__(self, path: Path, schema: pa.Schema, written: Callable[[pa.Table], None] | None = None):
        self._schema = schema
        self._written = written
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._chars = 0

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Appends rows."""
        for row in rows:
            self._rows.append(row)
            self._chars += len(row["text"] or "")
            if self._chars >= GROUP_CHARS or len(self._rows) >= GROUP_ROWS:
                self.flush()

    def flush(self) -> None:
        """Writes the rows that wait."""
        if not self._rows:
            return
        table = pa.Table.from_pylist(self._rows, self._schema)
        self._writer.write_table(table, row_group_size=len(table))
        self._rows, self._chars = [], 0
        if self._written is not None:
            self._written(table)

    def close(self) -> None:
        """Ends the file; rows that still wait are left out."""
        self._writer.close()
