"""robots.txt as hosts had it when they were crawled: Common Crawl's captures in, `robots/` out; and how they are found again.

Permission at crawl time without a request. A part is a group of `robotstxt` archives; its rows lie in row groups of one
bucket of hosts each, as candidates do. Runs only if `permission.captures` names some.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from allmende.commoncrawl.crawls import archive_paths
from allmende.commoncrawl.source import expand, locate, open_archive
from allmende.commoncrawl.warc import WarcCapture, header, read_warc
from allmende.dedup.exact import Keys
from allmende.errors import RecipeError, SourceMissing, SourceRefused
from allmende.extract.page import parse_date
from allmende.extract.urls import normalise, split_host
from allmende.fetch.agent import user_agent
from allmende.identity import key64
from allmende.lake import Lake
from allmende.parts import Tally
from allmende.permission.answers import Answer, Captured, answers
from allmende.permission.hosts import HostFile
from allmende.permission.robots import PARSED_BYTES
from allmende.recipe import Recipe
from allmende.schema import ROBOTS_CAPTURES, Reason
from allmende.steps.archive_parts import archive_parts
from allmende.steps.buckets import BucketReader, BucketWriter
from allmende.steps.step import Parts, Settings

CRAWL = "crawl"
"""In `permission.captures`: those of `select.crawl`."""

FILES_PER_PART = 64
"""Most archives in a part; they have a megabyte or two."""

ROWS_PER_FILE = 1_000
"""Captures in an archive, about: decides the number of buckets."""

ROWS_AT_ONCE = 1_000
BYTES_AT_ONCE = 32_000_000
"""Captures written together, and bytes of them; one is 2 MiB at most, a few hundred bytes mostly."""

MAX_BYTES = 20_000_000
"""A larger body is not read at all, so that a compressed one can't grow without end."""

REDIRECTS = 5
"""Redirects followed from capture to capture (RFC 9309, section 2.3.1.2)."""

COMPILED = 10_000
"""Captures kept ready for use."""


def plan(recipe: Recipe, lake: Lake) -> Parts:
    """A part for each group of archives."""
    del lake
    return archive_parts(archives(recipe), recipe, FILES_PER_PART, ROWS_PER_FILE)


def archives(recipe: Recipe) -> list[str]:
    """The archives that `permission.captures` names.

    Raises:
        RecipeError: if they are those of a crawl, and the recipe has none.
    """
    select, named = recipe.select, recipe.permission.captures
    found = expand([name for name in named if name != CRAWL], retries=select.retries)
    if CRAWL in named:
        if not select.crawl:
            raise RecipeError(
                'permission.captures = ["crawl"] needs a crawl: set select.crawl, or name robotstxt archives by path or URL.'
            )
        paths = archive_paths(select.crawl, "robotstxt", select.source, agent=user_agent(recipe.dataset.contact))
        found += [locate(path, select.source) for path in paths]
    return found


class Worker:
    """Reads robotstxt archives."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = Settings.of_worker(settings)

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """Makes the parts of the task."""
        for name, part in task["parts"].items():
            tally = Tally()
            with self.settings.lake.step("robots").part(name, self.settings.plan) as writer:
                with BucketWriter(str(writer.file(".parquet")), part["buckets"], ROBOTS_CAPTURES) as out:
                    for archive in part["archives"]:
                        for rows in _batches(self._rows(archive, tally)):
                            out.write(pa.Table.from_pylist(rows, ROBOTS_CAPTURES))
                writer.commit({"capture": tally})
        return {"parts": len(task["parts"])}

    def _rows(self, archive: str, tally: Tally) -> Iterator[dict[str, Any]]:
        """Rows of one archive. One that does not exist, or is damaged, is counted."""
        select, agent = self.settings.recipe.select, user_agent(self.settings.recipe.dataset.contact)
        try:
            with open_archive(archive, retries=select.retries, cache=select.cache, agent=agent) as stream:
                for capture in read_warc(stream, MAX_BYTES, any_status=True):
                    row = capture if isinstance(capture, Reason) else _row(archive, capture)
                    if isinstance(row, Reason):
                        tally.drop(row)
                    else:
                        tally.keep()
                        yield row
        except SourceRefused:  # a block of this machine, most likely: the next run may have more luck
            raise
        except SourceMissing:
            tally.drop(Reason.ARCHIVE_MISSING)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["body"])
        if len(batch) >= ROWS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _row(archive: str, capture: WarcCapture) -> dict[str, Any] | Reason:
    url = normalise(capture.url, "")
    if isinstance(url, Reason):
        return Reason.PAGE_URL_INVALID
    status = int(capture.status)
    target = normalise(header(capture.headers, "location"), url) if 300 <= status < 400 else Reason.URL_INVALID
    return {
        "url": url,
        "host_key": key64(split_host(url)),
        "status": status,
        "location": None if isinstance(target, Reason) else target,
        "body": bytes(capture.body[: PARSED_BYTES + 1]) if status == 200 else b"",
        "captured_at": parse_date(capture.date),
        "archive": archive,
        "offset": capture.offset,
    }


class CapturedRobots:
    """Finds the captured robots.txt of a URL's host.

    What is held: the captures of the hosts in one part of `unique/` at a time, compressed.

    Args:
        lake: The dataset.
        ai_agents: See `answers.answers`.
    """

    def __init__(self, lake: Lake, ai_agents: frozenset[str] | None = None):
        self._lake = lake
        self._answer = answers(ai_agents=ai_agents)
        self._rows = BucketReader(lake, lake.step("robots").files(), ROBOTS_CAPTURES)
        self._found: dict[str, dict[str, dict[str, Any]]] = {}
        self._compiled: OrderedDict[str, Answer | None] = OrderedDict()

    def load(self, name: str, part: dict[str, Any]) -> None:
        """Gets captures of a part of `unique/` ready. Those of the part before the last one are let go.

        Args:
            name: Of the part.
            part: Its entry in the plan: bucket, and how many there are.
        """
        if name in self._found:
            return
        manifest = self._lake.step("unique").manifest(name)
        with self._lake.open(f"unique/{manifest.file('.parquet')}") as file:
            hosts = np.unique(pq.read_table(file, columns=["host_key"]).column("host_key").to_numpy())
        self.hold(name, part, hosts)

    def hold(self, name: str, part: dict[str, Any], hosts: Keys) -> None:
        """The same for the hosts with these keys, which are all in the part's bucket."""
        while len(self._found) > 1:
            del self._found[next(iter(self._found))]
        self._compiled.clear()
        squeeze = zstandard.ZstdCompressor(level=1).compress
        found = self._found[name] = {}
        for batch in self._rows.batches(part["bucket"], part["buckets"], rows=ROWS_AT_ONCE):
            mine = batch.filter(pa.array(np.isin(batch.column("host_key").to_numpy(), hosts)))
            for row in mine.select(["url", "status", "location", "body", "captured_at"]).to_pylist():
                before = found.get(row["url"])
                if before is None or _later(row, before):
                    found[row["url"]] = row | {"body": squeeze(row["body"])}

    def __call__(self, url: str) -> Answer | None:
        """What the host said; None if there is no capture. One of the other scheme counts if there is none of this."""
        parts = urlsplit(url)
        other = "http" if parts.scheme == "https" else "https"
        for scheme in (parts.scheme, other):
            if found := self._answer_of(f"{scheme}://{parts.netloc}/robots.txt"):
                return found
        return None

    def _answer_of(self, url: str) -> Answer | None:
        if url in self._compiled:
            self._compiled.move_to_end(url)
            return self._compiled[url]
        file = self._file(url)
        answer = self._compiled[url] = None if file is None else Captured(self._answer(file))
        if len(self._compiled) > COMPILED:
            self._compiled.popitem(last=False)
        return answer

    def _file(self, url: str) -> HostFile | None:
        """The capture, redirects followed as far as they were captured, too."""
        asked: str | None = url
        for _ in range(REDIRECTS + 1):
            row = next((found[asked] for found in self._found.values() if asked in found), None)
            if row is None or asked is None:
                return None
            if row["location"] is None:
                return _file_of(url, row)
            asked = row["location"]
        return None


def _later(row: dict[str, Any], before: dict[str, Any]) -> bool:
    """Of several captures the last one counts; of equally old ones the one that comes first."""
    then, now = before["captured_at"], row["captured_at"]
    return now is not None and (then is None or now > then)


def _file_of(url: str, row: dict[str, Any]) -> HostFile:
    status = row["status"]
    if 200 <= status < 300:
        reason = None
    elif 400 <= status < 500 and status != 429:
        reason = Reason.HTTP_NOT_FOUND
    else:
        reason = Reason.HTTP_SERVER_ERROR
    body = zstandard.ZstdDecompressor().decompress(row["body"])
    return HostFile(kind="robots.txt", url=url, status=status, at=row["captured_at"], body=body, reason=reason)
