"""`allmende verify --online`: do the URLs of a dataset still lead to the files, or texts, that it was built from?

Whoever owns a URL decides what a later download of it gets (split-view poisoning: Carlini et al. 2023, arXiv
2302.10149). Files are asked for as politely as by a build, and their owners' reservations of today are obeyed.
"""

import asyncio
import hashlib
import heapq
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa

from allmende.engine import Engine
from allmende.fetch.agent import check_contact
from allmende.fetch.client import Fetched, Outcome, Target
from allmende.fetch.kind import IMAGES
from allmende.identity import key64
from allmende.maintain import live_pages, rdap
from allmende.maintain.asking import asking
from allmende.maintain.copies import Copy, locate
from allmende.maintain.domains import Domains, domain_of
from allmende.maintain.findings import Fate, Finding, OnlineReport, Seen
from allmende.maintain.stored_images import ANY_IMAGE, DETAIL, SAME_PICTURE, distance
from allmende.media.decoder import DecoderPool
from allmende.permission import policy
from allmende.publish.columns import read_columns
from allmende.publish.jsonl import SUFFIX as JSONL
from allmende.recipe import Recipe
from allmende.recipe_file import from_table
from allmende.schema import DOCUMENTS, SAMPLES, Reason

COLUMNS = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        *(SAMPLES.field(name) for name in ("sha256", "phash", "phash_quality", "fetched_at")),
        *(DOCUMENTS.field(name).with_nullable(True) for name in ("text", "captured_at")),
    ]
)
"""Images have no text, documents no digest of a file."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How the web is asked."""

    sample: int = 1_000
    """URLs to ask for; 0 for all."""
    rdap: str = ""
    """Base URL of an RDAP service; empty asks none."""
    contact: str = ""
    """Sent to servers; the recipe's by default."""
    settings: tuple[str, ...] = ()
    """Keys of the recipe as `section.key=value`, instead of the dataset's own."""
    nameservers: tuple[str, ...] = ()
    """To ask instead of the system's."""


class Expected(msgspec.Struct, frozen=True):
    """What the dataset knows of a URL."""

    url: str
    sha256: str
    phash: str
    quality: int
    seen_at: datetime | None
    """When the file was fetched, or its page captured."""
    known: bytes | None = None
    """Of a document: its `live_pages.sample`."""


class _ImagesAndPages:
    """Takes what a URL may lead to: the image, or the page that has come in its place."""

    accept = IMAGES.accept
    cut: int | None = None
    redirects = 0

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""
        reason = IMAGES.judge(content_type, start)
        is_page = start.lstrip()[:1] == b"<" and b"<svg" not in start[:64].lower()
        return None if is_page else reason


def compare(location: str, options: Options, told: Callable[[str], None] = lambda _: None) -> OnlineReport:
    """Asks for URLs of a dataset and compares what comes with what was stored.

    Raises:
        LakeError: There is no dataset, or a shard is damaged.
        RecipeError: A setting is wrong, or many URLs are to be asked for by nobody.
    """
    copy = locate(location)
    recipe = _recipe(copy, options)
    rows, of = _chosen(copy, recipe.dataset.seed, options.sample)
    contact = options.contact or recipe.dataset.contact
    check_contact(len(rows), contact)
    return asyncio.run(_compare(rows, of, recipe, contact, options, told))


def _recipe(copy: Copy, options: Options) -> Recipe:
    """The dataset's recipe, or the defaults; with the settings."""
    chosen = {"url_column": "url", "caption_column": "caption", "size": 256, "mode": "no", "image_format": "jpg"}
    made = from_table(["-"], "verify", chosen | {"quality": None, "sink": "files", "contact": ""}, options.settings)
    if copy.recipe is None:
        return made
    changes: dict[str, dict[str, Any]] = {}
    for setting in options.settings:
        section, _, key = setting.partition("=")[0].strip().partition(".")
        changes.setdefault(section, {})[key] = getattr(getattr(made, section), {"from": "source"}.get(key, key))
    sections = {name: msgspec.structs.replace(getattr(copy.recipe, name), **keys) for name, keys in changes.items()}
    return msgspec.structs.replace(copy.recipe, **sections)


def _chosen(copy: Copy, seed: int, sample: int) -> tuple[list[Expected], int]:
    """URLs to ask for, each once, and how many there are. The same seed chooses the same.

    Those with the smallest hashes are taken, so the choice does not depend on the shards' order. Memory: some 60 bytes
    for each URL of the dataset, and half a kB for each document that is chosen.
    """
    lowest: list[tuple[int, Expected]] = []
    seen: set[int] = set()
    for row in _rows(copy):
        key = key64(f"{seed}\0verify\0{row.url}")
        if key in seen:
            continue
        seen.add(key)
        if not sample or len(lowest) < sample:
            heapq.heappush(lowest, (-key, row))
        elif -key > lowest[0][0]:
            heapq.heapreplace(lowest, (-key, row))
    return [row for _, row in sorted(lowest, key=lambda pair: -pair[0])], len(seen)


def _rows(copy: Copy) -> Iterator[Expected]:
    end = JSONL if copy.sink == "jsonl" else ".parquet"
    for shard in copy.shards:
        name = copy.at(f"{shard}{end}")
        with copy.lake.open(name) as file:
            for batch in read_columns(file, copy.lake.url(name), COLUMNS):
                yield from map(_expected, batch.to_pylist())


def _expected(row: dict[str, Any]) -> Expected:
    return Expected(
        url=row["url"],
        sha256=row["sha256"] or "",
        phash=row["phash"] or "",
        quality=row["phash_quality"] or 0,
        seen_at=row["fetched_at"] or row["captured_at"],
        known=None if row["text"] is None else live_pages.sample(row["text"]),
    )


async def _compare(
    rows: list[Expected], of: int, recipe: Recipe, contact: str, options: Options, told: Callable[[str], None]
) -> OnlineReport:
    domains = Domains()
    asked: dict[str, Expected] = {row.url: row for row in rows}
    rules = policy.from_recipe(recipe.permission)
    of_text = bool(rows) and rows[0].known is not None
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(
            asking(recipe, rules, contact, "document" if of_text else "image", options.nameservers)
        )
        look = _page_look(rules) if of_text else await _image_look(stack)
        kind = live_pages.PageKind() if of_text else _ImagesAndPages()

        async def handle(fetched: Fetched) -> Seen | Reason:
            return await look(asked[fetched.url], fetched)

        targets = (Target(row, row.url) for row in rows)
        done = 0
        async for target, outcome in web.client.run(targets, handle, kind):
            domains.add(finding(target.key.url, outcome), target.key.seen_at)
            done += 1
            told(f"{done:,} of {len(rows):,} URLs asked")
        dates = await rdap.ask(web.client, options.rdap, domains.doubtful()) if options.rdap else {}
    return domains.report(of, dates)


Look = Callable[[Expected, Fetched], Awaitable[Seen | Reason]]


def _page_look(rules: policy.Policy) -> Look:
    async def look(row: Expected, fetched: Fetched) -> Seen | Reason:
        assert row.known is not None
        return live_pages.read_page(fetched, [row.known], rules)

    return look


async def _image_look(stack: AsyncExitStack) -> Look:
    decoders = await stack.enter_async_context(DecoderPool(Engine().worker_count(), ANY_IMAGE))

    async def look(row: Expected, fetched: Fetched) -> Seen | Reason:
        return await _compare_image(row, fetched.body, decoders)

    return look


async def _compare_image(row: Expected, body: bytes, decoders: DecoderPool) -> Seen | Reason:
    digest = hashlib.sha256(body).hexdigest()
    key = int(digest[:15], 16)
    if digest == row.sha256:
        return Seen(fate=Fate.SAME, distance=0, answer=key)
    found = await decoders.process(body)
    if isinstance(found, Reason):
        return Seen(fate=Fate.PAGE, answer=key)
    if len(row.phash) != 64:
        return Seen(fate=Fate.CHANGED, answer=key)
    bits = distance(found.phash, row.phash)
    same = bits <= SAME_PICTURE and min(found.phash_quality, row.quality) >= DETAIL
    return Seen(fate=Fate.RECOMPRESSED if same else Fate.CHANGED, distance=bits, answer=key)


def finding(url: str, outcome: Outcome[Seen]) -> Finding:
    """What the outcome of a request says about a URL."""
    final = outcome.facts.final_url or ""
    domain = domain_of(urlsplit(url).hostname or "")
    elsewhere = bool(final) and domain_of(urlsplit(final).hostname or "") != domain
    seen = outcome.result or Seen(fate=_without_answer(outcome.reason))
    fate, answer = seen.fate, seen.answer
    if elsewhere and fate in {Fate.CHANGED, Fate.PAGE}:
        fate, answer = Fate.REDIRECTED, key64(final)
    return Finding(
        url=url,
        domain=domain,
        fate=fate,
        reason=str(outcome.reason or ""),
        final_url=final if final != url else "",
        distance=seen.distance,
        answer=answer,
    )


def _without_answer(reason: Reason | None) -> Fate:
    if reason is Reason.PERMISSION_DENIED:
        return Fate.DENIED
    if reason in _OTHERWISE:
        return Fate.PAGE
    return Fate.FAILED if reason in _MAY_COME_BACK else Fate.VANISHED


_OTHERWISE = frozenset(
    {
        Reason.CONTENT_TYPE_REFUSED,
        Reason.IMAGE_FORMAT,
        Reason.BODY_EMPTY,
        Reason.RECORD_NOT_TEXT,
        Reason.PAGE_URL_INVALID,
    }
)
_MAY_COME_BACK = frozenset(
    {
        Reason.HOST_SET_ASIDE,
        Reason.DNS_FAILED,
        Reason.TIMEOUT_DNS,
        Reason.TIMEOUT_CONNECT,
        Reason.TIMEOUT_FIRST_BYTE,
        Reason.TIMEOUT_IDLE,
        Reason.TIMEOUT_TOTAL,
        Reason.CONNECT_FAILED,
        Reason.CONNECTION_LOST,
        Reason.BODY_TRUNCATED,
        Reason.HTTP_RATE_LIMITED,
        Reason.HTTP_SERVER_ERROR,
    }
)
