"""robots.txt of the time of the crawl, for documents: `documents/` and `robots/` in, verdicts in `permitted/` out.

A part is a bucket of hosts: their documents lie in row groups of one bucket each, and so do the captures, so that what a
host said meets what was read from it. What a page itself reserves was heeded when it was read.
"""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.permission import Gate, policy
from allmende.permission.agents import keys
from allmende.permission.protocol import Verdict
from allmende.recipe import Recipe
from allmende.schema import DOCUMENT_KEYS, DOCUMENTS, PERMISSION_FACTS, REASON_FIELD, Reason
from allmende.steps.buckets import BucketReader, part_for_each
from allmende.steps.language_facts import KEPT, by_language, tally_of
from allmende.steps.robots_captures import CapturedRobots
from allmende.steps.step import Parts, Settings

HOSTS = ".hosts.parquet"
HOSTS_SCHEMA = pa.schema(
    [
        *(DOCUMENTS.field(name) for name in ("host_key", "url", "language")),
        *(DOCUMENT_KEYS.field(name) for name in ("part", "row")),
    ]
)
"""A row for each document: the sidecar of `documents/` that is there if `permission.captures` is."""

TOLD = pa.schema(
    [DOCUMENT_KEYS.field("part"), DOCUMENT_KEYS.field("row"), PERMISSION_FACTS.field("signals"), REASON_FIELD]
)
"""A row for each document that robots.txt says something about; the Reason is null if it may stay."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each bucket."""
    del recipe
    return part_for_each(lake, "documents")


class Worker:
    """Asks captures."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        lake, permission = self.settings.lake, self.settings.recipe.permission
        self.captured = CapturedRobots(lake, keys(permission.ai_agents) or None)
        self.gate = Gate(policy.from_recipe(permission), None, self.captured)
        self.documents = BucketReader(lake, lake.step("documents").files(HOSTS), HOSTS_SCHEMA)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            self._part(name, part)
        return {"parts": len(task["parts"])}

    def _part(self, name: str, part: dict[str, Any]) -> None:
        table = self.documents.read(part["bucket"], part["buckets"])
        self.captured.hold(name, part, np.unique(table.column("host_key").to_numpy()))
        told, denied = [], np.zeros(len(table), np.bool_)
        for at, row in enumerate(table.select(["url", "part", "row"]).to_pylist()):
            verdict = self.gate.before(row["url"])
            assert isinstance(verdict, Verdict)  # nobody is asked, so nobody is waited for
            denied[at] = not verdict.allowed
            if verdict.signals or not verdict.allowed:
                signals = [msgspec.structs.asdict(signal) for signal in verdict.signals or ()]
                reason = None if verdict.allowed else str(Reason.PERMISSION_DENIED)
                told.append({"part": row["part"], "row": row["row"], "signals": signals, "reason": reason})
        fates = {KEPT: ~denied, str(Reason.PERMISSION_DENIED): denied}
        with self.settings.lake.step("permitted").part(name, self.settings.plan) as writer:
            pq.write_table(pa.Table.from_pylist(told, TOLD), writer.file(".parquet"), compression="zstd")
            writer.commit({"document": tally_of(fates)}, by_language(table.column("language"), fates))
