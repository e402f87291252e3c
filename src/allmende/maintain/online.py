"""`allmende verify --online`: do the URLs of a dataset still lead to the files that it was built from?

Whoever owns a URL decides what a later download of it gets (split-view poisoning: Carlini et al. 2023, arXiv
2302.10149). Files are asked for as politely as by a build, and their owners' reservations of today are obeyed.
"""

import asyncio
import hashlib
import heapq
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.engine import Engine
from allmende.errors import LakeError
from allmende.fetch import host_files
from allmende.fetch.agent import check_contact, user_agent
from allmende.fetch.client import Client, Fetched, Outcome, Target
from allmende.fetch.kind import IMAGES
from allmende.identity import key64
from allmende.maintain import rdap
from allmende.maintain.copies import Copy, locate
from allmende.maintain.domains import Domains, domain_of
from allmende.maintain.findings import Fate, Finding, OnlineReport
from allmende.maintain.stored_images import ANY_IMAGE, DETAIL, SAME_PICTURE, distance
from allmende.media.decoder import DecoderPool
from allmende.permission import Gate, policy
from allmende.permission.agents import OWN_TOKEN, keys
from allmende.permission.answers import Answer, answers
from allmende.permission.hosts import FileKind, HostFile, Hosts
from allmende.recipe import Recipe
from allmende.recipe_file import from_table
from allmende.schema import Reason

COLUMNS = ("url", "sha256", "phash", "phash_quality", "fetched_at", "captured_at")


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


class _Answer(msgspec.Struct, frozen=True):
    """What was made of a body."""

    fate: Fate
    distance: int | None
    key: int
    """Hash of the body."""


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
        LakeError: There is no dataset.
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
    made = from_table(["-"], "verify", chosen | {"quality": None, "sink": copy.sink, "contact": ""}, options.settings)
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
    for each URL of the dataset.
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
    for shard in copy.shards:
        name = copy.at(f"{shard}.parquet")
        try:
            with copy.lake.open(name) as file:
                for batch in pq.ParquetFile(file).iter_batches(batch_size=10_000, columns=list(COLUMNS)):
                    yield from map(_expected, batch.to_pylist())
        except (pa.ArrowException, OSError, KeyError) as error:
            raise LakeError(
                f"{copy.lake.url(name)} can't be read: {error}. What else is wrong: allmende verify"
            ) from error


def _expected(row: dict[str, Any]) -> Expected:
    seen_at = row["fetched_at"] or row["captured_at"]
    return Expected(row["url"], row["sha256"] or "", row["phash"] or "", row["phash_quality"] or 0, seen_at)


async def _compare(
    rows: list[Expected], of: int, recipe: Recipe, contact: str, options: Options, told: Callable[[str], None]
) -> OnlineReport:
    domains = Domains()
    asking: dict[str, Expected] = {}

    def targets() -> Iterator[Target]:
        for row in rows:
            asking[row.url] = row
            yield Target(row, row.url)

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_client(recipe, contact, options, stack))
        decoders = await stack.enter_async_context(DecoderPool(Engine().worker_count(), ANY_IMAGE))

        async def handle(fetched: Fetched) -> _Answer | Reason:
            return await _answer(asking[fetched.url], fetched.body, decoders)

        done = 0
        async for target, outcome in client.run(targets(), handle, _ImagesAndPages()):
            row: Expected = target.key
            asking.pop(row.url, None)
            domains.add(finding(row, outcome), row.seen_at)
            done += 1
            told(f"{done:,} of {len(rows):,} URLs asked")
        dates = await rdap.ask(client, options.rdap, domains.doubtful()) if options.rdap else {}
    return domains.report(of, dates)


def _client(recipe: Recipe, contact: str, options: Options, stack: AsyncExitStack) -> Client:
    """The client of a build, with its permission."""
    answer = answers(OWN_TOKEN, keys(recipe.permission.ai_agents) or None)

    async def ask(kind: FileKind, url: str) -> HostFile:
        return await host_files.ask(client, kind, url)

    hosts: Hosts[Answer] = Hosts(ask, answer)
    stack.push_async_callback(hosts.close)
    gate = Gate(policy.from_recipe(recipe.permission), hosts)
    client = Client(recipe.fetch, user_agent(contact), gate, nameservers=options.nameservers)
    return client


async def _answer(row: Expected, body: bytes, decoders: DecoderPool) -> _Answer | Reason:
    digest = hashlib.sha256(body).hexdigest()
    key = int(digest[:15], 16)
    if digest == row.sha256:
        return _Answer(Fate.SAME, 0, key)
    found = await decoders.process(body)
    if isinstance(found, Reason):
        return _Answer(Fate.PAGE, None, key)
    if len(row.phash) != 64:
        return _Answer(Fate.CHANGED, None, key)
    bits = distance(found.phash, row.phash)
    same = bits <= SAME_PICTURE and min(found.phash_quality, row.quality) >= DETAIL
    return _Answer(Fate.RECOMPRESSED if same else Fate.CHANGED, bits, key)


def finding(row: Expected, outcome: Outcome[_Answer]) -> Finding:
    """What the outcome of a request says about a URL."""
    final = outcome.facts.final_url or ""
    domain = domain_of(urlsplit(row.url).hostname or "")
    moved = bool(final) and domain_of(urlsplit(final).hostname or "") != domain
    fate, bits, key = _fate(outcome)
    if moved and fate in {Fate.CHANGED, Fate.PAGE}:
        fate, key = Fate.REDIRECTED, key64(final)
    return Finding(
        url=row.url,
        domain=domain,
        fate=fate,
        reason=str(outcome.reason or ""),
        final_url=final if final != row.url else "",
        distance=bits,
        answer=key,
    )


def _fate(outcome: Outcome[_Answer]) -> tuple[Fate, int | None, int]:
    if outcome.result is not None:
        return outcome.result.fate, outcome.result.distance, outcome.result.key
    reason = outcome.reason
    if reason is Reason.PERMISSION_DENIED:
        return Fate.DENIED, None, 0
    if reason in _NO_IMAGE:
        return Fate.PAGE, None, 0
    return (Fate.FAILED if reason in _MAY_COME_BACK else Fate.VANISHED), None, 0


_NO_IMAGE = frozenset({Reason.CONTENT_TYPE_REFUSED, Reason.IMAGE_FORMAT, Reason.BODY_EMPTY})
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
