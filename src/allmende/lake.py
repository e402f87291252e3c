"""A dataset on disk or in an object store.

    my-dataset/
      recipe.toml                  the resolved recipe
      events.jsonl                 what happened, for machines
      candidates/ unique/ samples/ one folder a step
        plan.json                  the step's parts, fixed before work starts
        part-00000.json            manifest of part 0: its files, what was seen, kept, dropped and why
        part-00000.parquet ...     the files that the manifest names

How files are written is in `storage`, how a part comes to exist in `parts`.
"""

import json
import time

from allmende.parts import StepFolder
from allmende.storage import Storage


class Lake(Storage):
    """A dataset folder: its files, and the steps that they belong to."""

    def step(self, name: str) -> StepFolder:
        """The folder of a step."""
        return StepFolder(self, name)

    def event(self, kind: str, **facts: object) -> None:
        """Notes in `events.jsonl` what happened, with the time."""
        self.append("events.jsonl", json.dumps({"time": round(time.time(), 3), "event": kind, **facts}).encode())
