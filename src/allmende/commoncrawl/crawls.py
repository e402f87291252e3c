"""Which crawls there are, which files they have, and which of these to take."""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal, get_args

import msgspec

from allmende.commoncrawl.http_file import USER_AGENT
from allmende.commoncrawl.patience import Patience
from allmende.commoncrawl.source import BASES, Wait, is_remote, local_path, locate, read_small
from allmende.commoncrawl.store_file import filesystem, patiently
from allmende.errors import RecipeError, SourceError, SourceMissing
from allmende.identity import order_key

COLLINFO_URL = "https://index.commoncrawl.org/collinfo.json"
"""Common Crawl's list of its crawls; changes once a month."""

Kind = Literal["wat", "warc", "wet", "robotstxt", "non200responses"]
"""Links and headers; whole captures; plain text; robots.txt files; captures that weren't 200."""

_FOLDERS = {"non200responses": "crawldiagnostics"}
"""Folders within a segment that aren't called as their kind."""

_WITHOUT_LISTS = frozenset({"CC-NEWS"})
"""Folders of crawl-data/ that are no crawl with path lists."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """One crawl."""

    id: str
    """Such as CC-MAIN-2026-43: year and ISO week."""
    name: str
    """As Common Crawl calls it, such as `October 2026 Index`; the id where only a listing is known."""
    begins: datetime | None
    """When its first page was fetched, UTC; None where only a listing is known."""
    ends: datetime | None
    """When its last page was fetched, UTC."""


class _Collection(msgspec.Struct):
    id: str
    name: str = ""
    begins: str = msgspec.field(default="", name="from")
    ends: str = msgspec.field(default="", name="to")


def list_crawls(source: str = "https", *, retries: int = 8, sleep: Wait = time.sleep) -> list[Crawl]:
    """The crawls of a source, newest first.

    `https` and other web servers are asked for `collinfo.json`; s3, other stores and mirrors without one
    for the folders in `crawl-data/`.

    Raises:
        SourceError: if there is no list, or it isn't one.
    """
    base = BASES.get(source, source)
    if source == "https" or base.startswith(("http://", "https://")):
        location = COLLINFO_URL if source == "https" else locate("collinfo.json", source)
        return _collections(location, retries, sleep)
    if is_remote(base):
        return _listed(_store_folders(f"{base.rstrip('/')}/crawl-data", Patience.of(retries, sleep)))
    if not (local_path(base) / "collinfo.json").is_file():
        return _listed(_local_folders(base))
    return _collections(locate("collinfo.json", base), retries, sleep)


def _collections(location: str, retries: int, sleep: Wait) -> list[Crawl]:
    content = read_small(location, retries=retries, cache="", sleep=sleep)
    try:
        found = msgspec.json.decode(content, type=list[_Collection])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SourceError(f"{location}: not a list of crawls ({error}).") from error
    crawls = [Crawl(each.id, each.name or each.id, _moment(each.begins), _moment(each.ends)) for each in found]
    return sorted(crawls, key=lambda crawl: crawl.id, reverse=True)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _listed(names: Sequence[str]) -> list[Crawl]:
    ids = sorted(set(names) - _WITHOUT_LISTS, reverse=True)
    return [Crawl(crawl, crawl, None, None) for crawl in ids]


def _store_folders(location: str, patience: Patience) -> list[str]:
    store, path = filesystem(location)
    entries, _ = patiently(lambda: store.ls(path, detail=True), location, patience)
    return [entry["name"].rstrip("/").rpartition("/")[2] for entry in entries if entry["type"] == "directory"]


def _local_folders(base: str) -> list[str]:
    folder = local_path(base) / "crawl-data"
    try:
        return [entry.name for entry in folder.iterdir() if entry.is_dir()]
    except OSError as error:
        raise SourceMissing(
            f"{folder}: can't be listed ({error.strerror}). A mirror holds crawl-data/CC-MAIN-…/wat.paths.gz and so on; "
            "for crawls over the network the source is https or s3."
        ) from error


def archive_paths(
    crawl: str,
    kind: Kind = "wat",
    source: str = "https",
    *,
    retries: int = 8,
    cache: str = "",
    agent: str = USER_AGENT,
    sleep: Wait = time.sleep,
) -> list[str]:
    """Paths of all files of one kind in a crawl, as in its path list: `locate` makes locations of them.

    A local mirror without the list has the files that lie in its segments.

    Args:
        crawl: Id, such as CC-MAIN-2026-43.
        kind: Which files; see `Kind`.
        source: `https`, `s3`, a base URL, or the folder of a mirror.
        retries: As in `open_archive`.
        cache: As in `open_archive`; keeps the list, too.
        agent: As in `open_archive`.
        sleep: As in `open_archive`.

    Raises:
        RecipeError: for an id or a kind that can't be one.
        SourceMissing: if the source has no such crawl.
        SourceError: if its list can't be had or isn't one.
    """
    if kind not in get_args(Kind):
        raise RecipeError(f"{kind!r} is no kind of archive; these are: {', '.join(get_args(Kind))}.")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[\w-]+)*", crawl):
        raise RecipeError(f"{crawl!r} is no crawl id; it looks like CC-MAIN-2026-43. `allmende crawls` lists them.")
    location = locate(f"crawl-data/{crawl}/{kind}.paths.gz", source)
    try:
        content = read_small(location, retries=retries, cache=cache, agent=agent, sleep=sleep)
    except SourceMissing as error:
        found = [] if is_remote(location) else _in_segments(crawl, kind, source)
        if found:
            return found
        raise type(error)(f"{error} Is there a crawl {crawl}? `allmende crawls` lists them.") from error
    return _paths(content, location)


def _in_segments(crawl: str, kind: Kind, source: str) -> list[str]:
    root = local_path(source)
    files = root.glob(f"crawl-data/{crawl}/segments/*/{_FOLDERS.get(kind, kind)}/*.gz")
    return sorted(os.fspath(PurePosixPath(file.relative_to(root))) for file in files)


def _paths(content: bytes, location: str) -> list[str]:
    """The lines of a path list; none may lead out of the mirror or the cache."""
    lines = content.decode("utf-8", "replace").splitlines()
    paths = [line.strip() for line in lines if line.strip()]
    for path in paths:
        if path.startswith("/") or "://" in path or ".." in path.split("/"):
            raise SourceError(f"{location}: not a list of paths, as it holds {path[:200]!r}.")
    return paths


def sample(paths: Sequence[str], n: int, seed: int) -> list[str]:
    """`n` different paths, drawn without replacement; 0 takes all.

    Sorted by a seeded hash of each path (`allmende.identity.order_key`), of which the first `n` are taken. So a
    draw is the same in every version of Python and whatever the order of `paths`, and a larger `n` only adds.

    Raises:
        RecipeError: if there are fewer than `n`.
    """
    drawn = sorted(set(paths), key=lambda path: (order_key(seed, path), path))
    if not 0 <= n <= len(drawn):
        raise RecipeError(
            f"`select.files` asks for {n} files, but there are {len(drawn)}. Set it to {len(drawn)} or less; 0 takes all."
        )
    return drawn[:n] if n else drawn
