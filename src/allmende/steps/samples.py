"""Images: `unique/` in, `samples/` out. Fetched, decoded, checked, transformed and stored in one bounded call.

A part is a slice of one bucket's rows. A worker gets many parts at once and streams through them: the next part's
requests start while the last part's slow hosts still answer, and each part commits when its last row has a fate. A URL
is asked for once, whatever number of captions it has: parts are cut where one ends. Stored images go to a spool file as
they come and are copied into the part's `.bin` in the order of the release, so that what comes out does not depend on
who answered first.
"""

import asyncio
import gc
import itertools
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from allmende import tables
from allmende.fetch import host_files
from allmende.fetch.agent import check_contact, user_agent
from allmende.fetch.client import Client
from allmende.fetch.outcome import Fetched, Target
from allmende.lake import Lake
from allmende.media.decoder import DecoderPool
from allmende.media.sample import ImageSample
from allmende.parts import part_id
from allmende.permission import Gate, policy
from allmende.permission.agents import OWN_TOKEN, keys
from allmende.permission.answers import Answer, answers
from allmende.permission.hosts import FileKind, HostFile, Hosts
from allmende.progress import Underway
from allmende.recipe import Recipe
from allmende.schema import CANDIDATES, Reason
from allmende.steps.archive_source import ArchiveSource
from allmende.steps.host_records import STORE_BYTES, HostRecords
from allmende.steps.list_screen import digests, guarded
from allmende.steps.robots_captures import CapturedRobots
from allmende.steps.sample_part import SamplePart
from allmende.steps.screens import screens
from allmende.steps.step import Parts, Settings

Mask = npt.NDArray[np.bool_]

TASK_ROWS = 100_000
"""Rows that a worker gets at once, about: it idles only at the end of a task, while the last slow hosts answer."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each slice of some `fetch.part_size` rows of each bucket.

    Raises:
        RecipeError: if that is a large crawl, and nobody says whose.
    """
    parts: Parts = {}
    for manifest in lake.step("unique").manifests():
        keys = tables.read(lake, f"unique/{manifest.file('.parquet')}", ["url_key"]).column(0).to_numpy()
        for begin, end in slices(keys, recipe.fetch.part_size):
            parts[part_id(len(parts))] = {"unique": manifest.part, "begin": begin, "end": end}
    if recipe.fetch.source == "web":
        check_contact(sum(part["end"] - part["begin"] for part in parts.values()), recipe.dataset.contact)
    return parts


def slices(url_keys: npt.NDArray[np.uint64], size: int) -> Iterator[tuple[int, int]]:
    """Cuts sorted keys after every `size` rows and where the URL ends that is there, so that one part asks for it.

    A URL of which `size` rows more follow is cut all the same: a part has less than twice as many.
    """
    ends = np.append(np.flatnonzero(url_keys[1:] != url_keys[:-1]) + 1, len(url_keys))
    planned = np.arange(size, len(url_keys), size)
    whole = ends[np.searchsorted(ends, planned)]
    cuts = np.where(whole - planned < size, whole, planned)
    return itertools.pairwise(np.unique([0, *cuts, len(url_keys)]).tolist())


def tasks(parts: Parts, workers: int) -> list[Parts]:
    """Whole buckets for each worker, so that one host is on one worker; as few tasks as keep all of them busy."""
    buckets: dict[str, Parts] = {}
    for name, part in parts.items():
        buckets.setdefault(part["unique"], {})[name] = part
    rows = {bucket: sum(p["end"] - p["begin"] for p in group.values()) for bucket, group in buckets.items()}
    count = min(len(buckets), max(workers, round(sum(rows.values()) / TASK_ROWS)))
    chosen: list[Parts] = [{} for _ in range(count)]
    load = [0] * count
    for bucket in sorted(buckets, key=lambda b: (-rows[b], b)):
        lightest = load.index(min(load))
        chosen[lightest] |= buckets[bucket]
        load[lightest] += rows[bucket]
    return chosen


OBJECTS = 50_000
"""New objects until the cycle collector looks: some 10 MB. At Python's usual 700 it took a tenth of the fetch's own time."""


class Retry(msgspec.Struct, frozen=True):
    """Which failed rows to try again: those with one of the reasons, or one of the HTTP statuses."""

    reasons: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()

    def wanted(self, failures: pa.Table) -> Mask:
        """Boolean mask over a table of failures."""
        by_reason = np.isin(failures.column("reason").to_numpy(zero_copy_only=False), list(self.reasons))
        status = failures.column("http_status").fill_null(0).to_numpy()
        mask: Mask = by_reason | np.isin(status, list(self.statuses))
        mask &= failures.column("url").is_valid().to_numpy()  # what is LISTED has none, and is never asked for again
        return mask


class Worker:
    """Fetches and decodes the rows of its parts."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)
        self.screens = screens(self.settings)
        unique = self.settings.lake.step("unique").read_plan()
        assert unique is not None
        self.unique = unique.parts
        buckets = max((part["buckets"] for part in unique.parts.values()), default=1)
        self.records = HostRecords(self.settings.lake, buckets, datetime.now(UTC))

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task; with `retry`, tries their failed rows again."""
        retry = msgspec.convert(task["retry"], Retry) if task.get("retry") else None
        with _seldom_collected():
            asyncio.run(self._run(task["parts"], retry))
        return {"parts": len(task["parts"])}

    async def _run(self, parts: Parts, retry: Retry | None) -> None:
        images = self.settings.recipe.images
        async with AsyncExitStack() as stack:
            open_parts: dict[str, SamplePart] = {}
            stack.callback(_close_all, open_parts)
            source, hosts = self._source(parts, open_parts)
            await stack.enter_async_context(source)
            stack.push_async_callback(hosts.close)
            decoders = await stack.enter_async_context(DecoderPool(self.settings.cores, images, digests(self.screens)))
            underway = stack.enter_context(Underway(self.settings.lake.step("samples")))

            async def handle(fetched: Fetched) -> ImageSample | Reason:
                return await decoders.process(fetched.body)

            async for target, outcome in source.run(self._targets(parts, retry, open_parts), handle):
                name, group = target.key
                part = open_parts[name]
                part.settle(group, outcome)
                if part.done or hosts.new_bytes > STORE_BYTES:
                    await asyncio.to_thread(self.records.store, hosts.take_new())
                if part.done:
                    await asyncio.to_thread(part.commit)
                    del open_parts[name]
                if underway.due:
                    underway.tell(sum(part.settled for part in open_parts.values()))

    def _source(self, parts: Parts, open_parts: dict[str, SamplePart]) -> tuple[Client | ArchiveSource, Hosts[Answer]]:
        """Where bytes come from, and what is known of hosts."""
        recipe, lake = self.settings.recipe, self.settings.lake
        heeded = policy.from_recipe(recipe.permission)
        agents = keys(recipe.permission.ai_agents) or None
        captured = self.captured = CapturedRobots(lake, agents) if recipe.permission.captures else None
        answer = answers(OWN_TOKEN, agents)

        async def ask(kind: FileKind, url: str) -> HostFile:
            return await host_files.ask(client, kind, url)

        hosts = Hosts(ask, answer, None if self.records.empty else self.records.take)
        if recipe.fetch.source == "archive":
            chosen = [self.unique[name] for name in {part["unique"] for part in parts.values()}]
            buckets = {(part["bucket"], part["buckets"]) for part in chosen}
            return ArchiveSource(lake, buckets, recipe, Gate(heeded, None, captured or _nothing)), hosts
        gate = Gate(heeded, hosts, captured or _nothing, lambda url: _licences(open_parts, url))
        client = Client(recipe.fetch, user_agent(recipe.dataset.contact), guarded(gate, self.screens))
        return client, hosts

    def _targets(self, parts: Parts, retry: Retry | None, open_parts: dict[str, SamplePart]) -> Iterator[Target]:
        """Opens one part after the other, as the client asks for more URLs, and yields what is to be fetched."""
        for name, plan in parts.items():
            if self.captured:
                self.captured.load(plan["unique"], self.unique[plan["unique"]])
            if retry is None:
                part = SamplePart(self.settings, name, self._rows(plan), self.screens)
            else:
                part = SamplePart.again(self.settings, name, retry.wanted, self.screens)
            if part.done:
                part.commit()
                continue
            open_parts[name] = part
            for group, url in enumerate(part.urls):
                yield Target((name, group), url)

    def _rows(self, plan: dict[str, Any]) -> pa.Table:
        manifest = self.settings.lake.step("unique").manifest(plan["unique"])
        with self.settings.lake.open(f"unique/{manifest.file('.parquet')}") as file:
            return read_rows(pq.ParquetFile(file), plan["begin"], plan["end"])


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Has Python's cycle collector look less often: it looks at all URLs under way, which make few cycles."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _nothing(url: str) -> None:
    """Instead of captures, if there are none."""


def _licences(parts: dict[str, SamplePart], url: str) -> Iterator[str]:
    """RSL licences that pages name which show the file of a URL."""
    for part in parts.values():
        yield from part.licences.get(url, ())


def _close_all(parts: dict[str, SamplePart]) -> None:
    for part in parts.values():
        part.close()


def read_rows(file: pq.ParquetFile, begin: int, end: int) -> pa.Table:
    """Rows begin <= i < end of a Parquet file; only the row groups they lie in are read."""
    groups: list[int] = []
    first = row = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if row < end and row + rows > begin:
            first = first if groups else row
            groups.append(group)
        row += rows
    table = file.read_row_groups(groups, columns=CANDIDATES.names).cast(CANDIDATES)
    return table.slice(begin - first, end - begin)
