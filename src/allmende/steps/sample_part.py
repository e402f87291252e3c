"""One part of `samples/` while it is being made: rows in, fates one by one, files out."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from allmende.fetch.outcome import Outcome
from allmende.identity import order_key
from allmende.media.sample import ImageSample
from allmende.parts import Manifest, PartWriter, Tally
from allmende.permission import policy
from allmende.permission.page import page_rsl_urls
from allmende.schema import CANDIDATES, FAILURES, FETCH_FACTS, IMAGE_FACTS, SAMPLES, Reason
from allmende.steps.list_screen import keep_hits
from allmende.steps.screen import Screen, drop_before
from allmende.steps.step import Settings
from allmende.steps.tombstone_screen import forget
from allmende.steps.verdicts import Signals, permission_columns
from allmende.storage import explained


class SamplePart:
    """Rows that wait for their images.

    Rows of one URL form a group, which is fetched once. `urls[g]` is the URL of group g; `settle(g, outcome)` gives it
    its fate; when all groups are settled the part is `done` and can be committed.

    Args:
        settings: Of the worker.
        name: Part id.
        rows: Slice of `unique/`, ordered by URL key, in `schema.CANDIDATES`.
        screens: What keeps rows and files out.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        rows: pa.Table,
        screens: tuple[Screen, ...],
        before: "_Before | None" = None,
    ):
        self._settings = settings
        self._name = name
        self._before = before
        self._screens = screens
        self._policy = policy.from_recipe(settings.recipe.permission)
        self._rows, self._screened, self._screened_for = drop_before(screens, rows)
        urls = self._rows.column("url").to_pylist()
        self._starts = [i for i, url in enumerate(urls) if not i or url != urls[i - 1]]
        self._ends = [*self._starts[1:], len(urls)] if urls else []
        self.urls = [urls[i] for i in self._starts]
        self.licences = _licences(self._rows)
        """RSL licences by URL, of the few whose pages name any."""
        self._outcomes: list[Outcome[ImageSample] | None] = [None] * len(self.urls)
        self._spans: list[tuple[int, int]] = [(0, 0)] * len(self.urls)
        self._open = len(self.urls)
        self.settled = 0
        """Rows that have their fate."""
        self._started = time.time()
        self._end = 0
        # Unbuffered: a full disk shows when it is written to, not when it is closed.
        self._spool = tempfile.TemporaryFile(dir=_spool_folder(settings), buffering=0)  # noqa: SIM115 - see `close`
        if before is not None:
            self._append(before.data)

    @classmethod
    def again(
        cls,
        settings: Settings,
        name: str,
        wanted: Callable[[pa.Table], npt.NDArray[np.bool_]],
        screens: tuple[Screen, ...],
    ) -> "SamplePart":
        """The part as it was committed, with those failed rows open again that `wanted` picks."""
        before = _Before.read(settings, name, wanted)
        return cls(settings, name, before.retried, screens, before)

    @property
    def done(self) -> bool:
        """True if every row has a fate."""
        return not self._open

    def settle(self, group: int, outcome: Outcome[ImageSample]) -> None:
        """Gives all rows of a URL their fate. The image goes to the spool, not into memory."""
        outcome = self._screen(group, outcome)
        if outcome.result is not None:
            self._spans[group] = (self._append(outcome.result.data), len(outcome.result.data))
            outcome = msgspec.structs.replace(outcome, result=msgspec.structs.replace(outcome.result, data=b""))
        self._outcomes[group] = outcome
        self._open -= 1
        self.settled += self._ends[group] - self._starts[group]

    def _screen(self, group: int, outcome: Outcome[ImageSample]) -> Outcome[ImageSample]:
        """The outcome, unless a screen keeps the file out."""
        if outcome.result is None:
            return outcome
        facts = outcome.facts
        if outcome.result.signals:
            facts = msgspec.structs.replace(facts, signals=(*(facts.signals or ()), *outcome.result.signals))
        for screen in self._screens:
            reason = screen.after(self.urls[group], outcome.result)
            if reason is not None:
                return Outcome(facts=facts, reason=reason)
        return Outcome(facts=facts, result=outcome.result)

    def _append(self, data: bytes) -> int:
        """Writes to the spool; where it begins."""
        begin = self._end
        with explained("Writing", self._settings.lake.url(f"samples, part {self._name}")):
            while self._end < begin + len(data):  # a write may take only part of it
                self._end += self._spool.write(data[self._end - begin :])
        return begin

    def close(self) -> None:
        """Gives the part up; nothing of it stays."""
        self._spool.close()

    def commit(self) -> None:
        """Writes samples, failures and images, and makes them the part."""
        samples, failures = self._samples(), self._failures()
        manifest = self._before.manifest if self._before else None
        folder = self._settings.lake.step("samples")
        with self._spool, folder.part(self._name, self._settings.plan, manifest.round + 1 if manifest else 0) as part:
            part.started = self._started
            samples = self._copy_images(samples, part)
            failures = forget(keep_hits(failures, self._screens, part, manifest))
            pq.write_table(samples.cast(SAMPLES), part.file(".parquet"), compression="zstd")
            pq.write_table(failures.cast(FAILURES), part.file(".dropped.parquet"), compression="zstd")
            reasons = {v["values"]: v["counts"] for v in failures.column("reason").value_counts().to_pylist()}
            tally = Tally(len(samples) + len(failures), len(samples), dict(sorted(reasons.items())))
            received = sum(outcome.facts.bytes_received for outcome in self._outcomes if outcome is not None)
            received += manifest.facts["bytes_received"] if manifest else 0
            part.commit({"sample": tally}, facts={"bytes_received": received})
        if manifest:
            folder.storage.remove(f"samples/{name}" for name in manifest.files)

    def _samples(self) -> pa.Table:
        """All samples of the part in the order of the release; `data_offset` still points into the spool."""
        index, groups = self._split(kept=True)
        settled = [self._outcomes[g] for g in groups]
        seed = self._settings.recipe.dataset.seed
        rows = self._rows.take(pa.array(index, pa.int64()))
        columns = {
            **_columns(rows, CANDIDATES),
            **_facts(FETCH_FACTS, [o.facts for o in settled if o]),
            **permission_columns(self._policy, rows, [o.facts.signals for o in settled if o]),
            **_facts(IMAGE_FACTS, [o.result for o in settled if o]),
            "order_key": pa.array([order_key(seed, uid) for uid in rows.column("uid").to_pylist()], pa.uint64()),
            "data_offset": pa.array([self._spans[g][0] for g in groups], pa.int64()),
            "data_size": pa.array([self._spans[g][1] for g in groups], pa.int64()),
        }
        table = pa.table(columns, schema=SAMPLES)
        if self._before is not None:
            table = pa.concat_tables([self._before.samples, table])
        return table.sort_by([("order_key", "ascending"), ("uid", "ascending")])

    def _failures(self) -> pa.Table:
        index, groups = self._split(kept=False)
        settled = [self._outcomes[g] for g in groups]
        rows = self._rows.take(pa.array(index, pa.int64()))
        table = pa.table(
            {
                **_columns(rows, CANDIDATES),
                **_facts(FETCH_FACTS, [o.facts for o in settled if o]),
                **permission_columns(self._policy, rows, [o.facts.signals for o in settled if o]),
                "reason": pa.array([str(o.reason) for o in settled if o], pa.string()),
            },
            schema=FAILURES,
        )
        count = len(self._screened)
        unfetched = {field.name: pa.nulls(count, field.type) for field in FETCH_FACTS}
        # A page that denies is a verdict; for any other reason nothing was judged.
        judged: list[Signals | None] = [
            () if why == Reason.PERMISSION_DENIED else None for why in self._screened_for.to_pylist()
        ]
        permission = permission_columns(self._policy, self._screened, judged)
        columns = {**_columns(self._screened, CANDIDATES), **unfetched, **permission}
        screened = columns | {"reason": self._screened_for}
        tables = [pa.table(screened, schema=FAILURES), table]
        if self._before is not None:
            tables.append(self._before.failures)
        return pa.concat_tables(tables).sort_by([("url_key", "ascending"), ("uid", "ascending")])

    def _split(self, *, kept: bool) -> tuple[list[int], list[int]]:
        """Row numbers, and the group of each, of the rows that have an image (or of those that have none)."""
        index: list[int] = []
        groups: list[int] = []
        for group, (begin, end) in enumerate(zip(self._starts, self._ends, strict=True)):
            outcome = self._outcomes[group]
            assert outcome is not None
            if (outcome.result is not None) == kept:
                index += range(begin, end)
                groups += [group] * (end - begin)
        return index, groups

    def _copy_images(self, samples: pa.Table, part: PartWriter) -> pa.Table:
        """Copies the spool into the part's .bin in the order of the samples, each image once."""
        placed: dict[int, int] = {}
        offsets = []
        with part.file(".bin").open("wb") as out:
            spans = zip(samples.column("data_offset").to_pylist(), samples.column("data_size").to_pylist(), strict=True)
            for begin, size in spans:
                if begin not in placed:
                    placed[begin] = out.tell()
                    out.write(os.pread(self._spool.fileno(), size, begin))
                offsets.append(placed[begin])
        at = samples.schema.get_field_index("data_offset")
        return samples.set_column(at, samples.schema.field(at), pa.array(offsets, pa.int64()))


class _Before(msgspec.Struct):
    """A committed part whose failures are tried again."""

    manifest: Manifest
    samples: pa.Table
    failures: pa.Table
    """Those that stay failures."""
    retried: pa.Table
    data: bytes

    @classmethod
    def read(cls, settings: Settings, name: str, wanted: Callable[[pa.Table], npt.NDArray[np.bool_]]) -> "_Before":
        lake = settings.lake
        manifest = lake.step("samples").manifest(name)
        with lake.open(f"samples/{manifest.file('.parquet')}") as file:
            samples = pq.read_table(file, schema=SAMPLES)
        with lake.open(f"samples/{manifest.file('.dropped.parquet')}") as file:
            failures = pq.read_table(file, schema=FAILURES)
        mask = wanted(failures)
        retried = failures.filter(pa.array(mask)).select(CANDIDATES.names).cast(CANDIDATES)
        data = lake.read(f"samples/{manifest.file('.bin')}")
        return cls(manifest, samples, failures.filter(pa.array(~mask)), retried, data)


def _spool_folder(settings: Settings) -> Path | None:
    """Beside the data on a local disk; the system's temporary folder for an object store."""
    if settings.lake.local is None:
        return None
    folder = settings.lake.local / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _licences(rows: pa.Table) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    named = rows.filter(pc.is_valid(rows.column("page_rsl"))).select(["url", "page_rsl"])
    for row in named.to_pylist():
        found[row["url"]] = found.get(row["url"], ()) + page_rsl_urls(row)
    return found


def _columns(table: pa.Table, schema: pa.Schema) -> dict[str, Any]:
    return {name: table.column(name) for name in schema.names}


def _facts(schema: pa.Schema, values: list[Any]) -> dict[str, Any]:
    """Columns from the attributes of the same names."""
    return {f.name: pa.array([getattr(value, f.name) for value in values], f.type) for f in schema}
