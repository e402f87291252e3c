"""Lists at work in a build: what they hit is dropped before it is requested, or once its hashes are known.

Of unwanted content (trackers, piracy, adult) a Reason is told and the row kept as any other failure. Of known illegal
content nothing is told but the count: see `allmende.safety.hits`. Candidates and unique rows were written before anybody
looked; they are working data of whoever builds, and no part of a release.
"""

import os
import secrets
from collections.abc import Awaitable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import RecipeError
from allmende.lake import Lake
from allmende.media.sample import Digest, ImageSample
from allmende.parts import Manifest, PartWriter
from allmende.permission import Headers, Permission, Verdict
from allmende.recipe import Recipe, Safety
from allmende.safety.block_list import About
from allmende.safety.hits import HITS, conceal, hits_table, usable_key
from allmende.safety.list_file import secret
from allmende.safety.lists import Hit, Lists, Record, load
from allmende.schema import Reason
from allmende.steps.screen import Screen
from allmende.steps.step import Settings, clear
from allmende.storage import Storage, explained

RECORD = "lists.json"
_ANEW = "Delete it and screen anew: allmende build --redo RECIPE"
KEY = "hits.key"
SUFFIX = ".hits.parquet"
READ_BY = ("samples", "pages", "documents")
"""Steps in which lists are looked at."""
TEXT_STEPS = (
    "pages",
    "repeated",
    "documents",
    "permitted",
    "decontaminated",
    "quality",
    "unique",
    "near",
    "release/shards",
)
"""All steps of text: what follows from documents depends on the lists, too."""


class ListScreen:
    """Drops what is on a list. Must be asked first: what another screen drops, is stored with its URL.

    Args:
        lists: Loaded.
        key: Secret for the hashes of hits; empty if no list is of illegal content.
    """

    def __init__(self, lists: Lists, key: bytes):
        self._lists = lists
        self._key = key
        self._files: dict[str, Hit] = {}
        """Files that were hit, by URL."""
        self._redirects: list[Hit] = []
        """Not yet written down."""

    @property
    def digests(self) -> tuple[Digest, ...]:
        """What must be known of each file beside SHA-256."""
        return self._lists.digests

    def before(self, rows: pa.Table) -> pa.Array:
        """See `Screen.before`."""
        urls, pages = rows["url"].to_pylist(), [page or "" for page in rows["page_url"].to_pylist()]
        unwanted = zip(self._lists.unwanted_urls(urls), self._lists.unwanted_urls(pages), strict=True)
        reasons = [str(Reason.URL_LISTED) if url or page else None for url, page in unwanted]
        hits = self._hits(urls, pages)
        return pa.array(
            [str(Reason.LISTED) if hit else why for hit, why in zip(hits, reasons, strict=True)], pa.string()
        )

    def after(self, url: str, found: ImageSample) -> Reason | None:
        """See `Screen.after`."""
        values = {"md5": found.md5, "sha1": found.sha1, "sha256": found.sha256, "pdq": found.phash}
        hit = self._lists.illegal_file(url, {kind: v for kind, v in values.items() if v}, found.phash_quality)
        if hit is None:
            return None
        self._files[url] = hit
        return Reason.LISTED

    def redirect(self, url: str) -> Reason | None:
        """Why a redirect is not followed; None if it may be."""
        hit = self._lists.illegal_urls([url], "redirect")[0]
        if hit is not None:
            self._redirects.append(hit)
            return Reason.LISTED
        return Reason.URL_LISTED if self._lists.unwanted_urls([url])[0] else None

    def conceal(self, failures: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Failures without a trace of what was hit, and the hits, hashed.

        Args:
            failures: Of a part, in `schema.FAILURES`; rows of an earlier round among them.
        """
        if not self._key:
            return failures, HITS.empty_table()
        urls, reasons = failures["url"].to_pylist(), failures["reason"].to_pylist()
        listed = [reason == Reason.LISTED and url is not None for reason, url in zip(reasons, urls, strict=True)]
        # A URL whose file was hit may also stand in rows that another screen dropped.
        gone = np.array([at or url in self._files for at, url in zip(listed, urls, strict=True)], np.bool_)
        named = failures.filter(pa.array(gone))
        found = self._hits(named["url"].to_pylist(), [page or "" for page in named["page_url"].to_pylist()])
        known = [hit or self._files.get(url) for hit, url in zip(found, named["url"].to_pylist(), strict=True)]
        hits = [hit for hit in known if hit is not None] + self._redirects
        self._redirects = []
        return conceal(failures, gone, self._key), hits_table(hits, self._key)

    def _hits(self, urls: Sequence[str], pages: Sequence[str]) -> list[Hit | None]:
        """Rows whose URL or page is known for illegal content."""
        by_url, by_page = self._lists.illegal_urls(urls, "url"), self._lists.illegal_urls(pages, "page")
        return [url or page for url, page in zip(by_url, by_page, strict=True)]


class ListGate:
    """A `Permission` that follows no redirect to what is on a list, and leaves the rest to another.

    Nobody is asked about such a host: no robots.txt, no name server.
    """

    def __init__(self, inner: Permission, screen: ListScreen):
        self._inner = inner
        self._screen = screen

    def before(self, url: str) -> Verdict | Awaitable[Verdict]:
        """See `Permission.before`. URLs of rows were judged by `ListScreen.before`: only redirects are hit here."""
        reason = self._screen.redirect(url)
        return self._inner.before(url) if reason is None else Verdict(allowed=False, signals=None, reason=reason)

    def after(self, url: str, headers: Headers) -> Verdict | Awaitable[Verdict]:
        """See `Permission.after`."""
        return self._inner.after(url, headers)


def load_screen(settings: Settings) -> ListScreen:
    """The screen of a worker."""
    lists = load(settings.recipe.safety)
    return ListScreen(lists, hits_key(settings.lake, settings.recipe.safety) if lists.illegal else b"")


def guarded(permission: Permission, screens: Sequence[Screen]) -> Permission:
    """A permission that heeds the lists for redirects, too."""
    for screen in screens:
        if isinstance(screen, ListScreen):
            return ListGate(permission, screen)
    return permission


def digests(screens: Sequence[Screen]) -> tuple[Digest, ...]:
    """What the lists must know of each file beside SHA-256."""
    return tuple(kind for screen in screens if isinstance(screen, ListScreen) for kind in screen.digests)


def keep_hits(failures: pa.Table, screens: Sequence[Screen], part: PartWriter, before: Manifest | None) -> pa.Table:
    """Writes the hits of a part, those of its earlier rounds included; the failures, without a trace of them."""
    hits = HITS.empty_table()
    for screen in screens:
        if isinstance(screen, ListScreen):
            failures, hits = screen.conceal(failures)
    if before is not None and (name := before.file(SUFFIX)):
        hits = pa.concat_tables([_read(part.step.storage, f"{part.step.name}/{name}"), hits])
    if len(hits):
        pq.write_table(hits, part.file(SUFFIX), compression="zstd")
    return failures


def read_hits(lake: Lake) -> pa.Table:
    """All hits of a dataset, in `HITS`."""
    return pa.concat_tables(
        [
            HITS.empty_table(),
            *(_read(lake, name) for step in READ_BY for name in lake.step(step).files(SUFFIX)),
        ]
    )


def read_lists(lake: Lake) -> tuple[About, ...]:
    """The lists that a dataset was built with."""
    return lake.decode(RECORD, Record, _ANEW).lists if lake.exists(RECORD) else ()


def prepare(lake: Lake, recipe: Recipe, *, redo: bool = False) -> None:
    """Before a build: sees that every list can be used, and notes which they are. Makes the key of hits, if needed.

    Args:
        lake: The dataset.
        recipe: Of the build.
        redo: If other lists were used before: throw away what was screened with them.

    Raises:
        RecipeError, MissingExtra: if a list can't be used.
        RecipeChanged: if samples were screened with other lists, and not `redo`.
    """
    lists = load(recipe.safety)
    if lists.illegal:
        hits_key(lake, recipe.safety)
    clear(lake, changed(lake, recipe, lists.about), _screened(recipe), redo=redo)
    lake.write(RECORD, Record(lists.about).encode())


def changed(lake: Lake, recipe: Recipe, now: tuple[About, ...]) -> str:
    """What to say if a build was begun with other lists than those that are there now; empty if it was not."""
    old = read_lists(lake)
    begun = any(lake.step(name).read_plan() is not None for name in _screened(recipe))
    if not begun or _content(old) == _content(now):
        return ""
    return (
        f"{lake.root} was built with other lists of [safety]:\n  {_difference(old, now)}\n"
        "Choose another folder for the new one, or fetch and screen anew: allmende build --redo RECIPE, or "
        "allmende fetch --redo"
    )


def _screened(recipe: Recipe) -> tuple[str, ...]:
    """Steps that depend on lists."""
    return TEXT_STEPS if recipe.dataset.kind == "text" else ("samples", "release/shards")


def hits_key(lake: Lake, safety: Safety) -> bytes:
    """The secret for the hashes of hits: from where the recipe says, or the dataset's own, made once.

    Raises:
        RecipeError: if it is not there, or too short; or if the dataset lies in an object store, where a key can't be
            kept from those who read the data.
    """
    if safety.hits_key:
        return usable_key(secret(safety.hits_key, "[safety] hits_key"), safety.hits_key)
    if lake.local is None:
        raise RecipeError(
            f"{lake.root} is no local folder: say where the secret for reports of hits is, "
            '[safety] hits_key = "env:NAME" or "file:PATH".'
        )
    path = lake.local / KEY
    with explained("Writing", str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return usable_key(path.read_bytes().strip(), str(path))
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
        return usable_key(path.read_bytes().strip(), str(path))


def _read(storage: Storage, name: str) -> pa.Table:
    with storage.open(name) as file:
        return pq.read_table(file, schema=HITS)


def _content(lists: Sequence[About]) -> set[tuple[str, str, str, int | None]]:
    """What decides what lists match."""
    return {(one.kind, one.sha256, one.category, one.distance) for one in lists}


def _difference(old: Sequence[About], new: Sequence[About]) -> str:
    before, now = _content(old), _content(new)
    gone = [f"- {one.name} ({one.date})" for one in old if not _content([one]) <= now]
    come = [f"+ {one.name} ({one.date})" for one in new if not _content([one]) <= before]
    return "\n  ".join([*gone, *come])
