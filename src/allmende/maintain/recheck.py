"""`allmende recheck`: a dataset's verdicts by another policy, from the signals stored with its rows; or by what hosts say today.

Offline nobody is asked: that is what signals are stored for. Online every host is asked anew for its files and every URL
for its headers, as politely as by a build; what the pages and the files themselves said stays what it was. What is no
longer permitted goes to a list that a take-down accepts. Memory: one part's rows offline, `URLS_AT_ONCE` URLs online.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any, TextIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.dataset import Dataset
from allmende.errors import LakeError, RecipeError
from allmende.fetch import host_files
from allmende.fetch.agent import check_contact, user_agent
from allmende.fetch.client import Client, Fetched, Outcome, Target
from allmende.fetch.kind import IMAGES
from allmende.lake import Lake
from allmende.maintain import recheck_text
from allmende.permission import Gate, Policy, Signal, judge
from allmende.permission.agents import OWN_TOKEN, keys
from allmende.permission.answers import Answer, answers
from allmende.permission.hosts import FileKind, HostFile, Hosts
from allmende.permission.policy import NAMES, from_recipe
from allmende.recipe import Recipe
from allmende.schema import Reason

COLUMNS = ["uid", "url", "language", "signals", "policy"]

URLS_AT_ONCE = 20_000
"""URLs that are asked for together: the last slow hosts of each lot hold up the next one."""

_OF_HEADERS = "header:"


class LanguageCost(msgspec.Struct):
    """What a policy costs one language."""

    before: int = 0
    """Samples there are."""
    denied: int = 0
    """Samples that are no longer permitted."""
    allowed_again: int = 0
    """Rows that were dropped for a reservation and would not be now. They come back only with a new build."""


class Recheck(msgspec.Struct, kw_only=True):
    """What a policy would make of a dataset."""

    dataset: str
    policy: str
    """Label of the policy that was applied."""
    online: bool
    policies: dict[str, int] = msgspec.field(default_factory=dict)
    """Policies that judged so far, and how many samples."""
    languages: dict[str, LanguageCost] = msgspec.field(default_factory=dict)
    signals: dict[str, int] = msgspec.field(default_factory=dict)
    """Samples no longer permitted, by the signal that decides."""
    returning: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows that would be permitted again, by the signal that had decided."""
    not_kept: dict[str, int] = msgspec.field(default_factory=dict)
    """Of text: pages that were denied when they were read, by signal. They are not stored, so only a new build judges them."""
    unread: tuple[str, ...] = ()
    """Signals that the policy obeys but the dataset's own one ignored: nobody has read them, offline they say nothing."""
    unanswered: dict[str, int] = msgspec.field(default_factory=dict)
    """Online: samples whose URL gave no headers, by reason. They are judged by what is stored."""

    @property
    def before(self) -> int:
        """Samples there are."""
        return sum(cost.before for cost in self.languages.values())

    @property
    def denied(self) -> int:
        """Samples that are no longer permitted."""
        return sum(cost.denied for cost in self.languages.values())

    @property
    def allowed_again(self) -> int:
        """Rows that were dropped for a reservation and would not be now."""
        return sum(cost.allowed_again for cost in self.languages.values())


class Online(msgspec.Struct, frozen=True, kw_only=True):
    """How the web is asked."""

    contact: str = ""
    """Sent to servers; the recipe's by default."""
    nameservers: tuple[str, ...] = ()
    """To ask instead of the system's."""


def recheck(
    dataset: Lake | str,
    policy: Policy | None = None,
    *,
    online: Online | None = None,
    denied: TextIO | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Recheck:
    """Judges all samples anew. Changes nothing.

    Args:
        dataset: With its lake, or its path or URL.
        policy: By default that of the dataset's recipe.
        online: Ask the web; None goes by what is stored.
        denied: Gets the uids of samples that are no longer permitted, one a line: a list for `allmende takedown --file`.
        told: Is told how far it is.

    Raises:
        LakeError: if there are no samples.
        RecipeError: if many URLs are to be asked for by nobody.
    """
    opened = Dataset(dataset)
    recipe = opened.recipe
    own = from_recipe(recipe.permission)
    policy = policy or own
    lake = opened.lake
    of_text = recipe.dataset.kind == "text"
    if of_text and online is not None:
        raise RecipeError(
            f"{lake.root} is a dataset of text: its pages were read in a crawl, and nobody is asked anew. Leave out "
            "--online to judge it by the signals that are stored."
        )
    if not lake.step("near" if of_text else "samples").finished():
        raise LakeError(f"{lake.root} has no samples yet. Build it first: allmende build RECIPE")
    report = Recheck(dataset=lake.root, policy=policy.label, online=online is not None)
    if online is None:
        report.unread = tuple(name for name in NAMES if policy.heeds(name) and not own.heeds(name))
        if of_text:
            report.not_kept = recheck_text.not_kept(lake)
        for rows in map(_with_signals, recheck_text.documents(lake)) if of_text else _samples(lake, told):
            _count(report, denied, rows, [judge(policy, row["signals"]).signal for row in rows])
    else:
        contact = online.contact or recipe.dataset.contact
        check_contact(opened.lake.step("samples").counts()["sample"].kept, contact)
        asyncio.run(_online(lake, recipe, policy, report, denied, online, contact, told))
    for rows in _denied_by_captures(lake, own) if of_text else _reserved(lake):
        for row in rows:
            if judge(policy, row["signals"]).allowed:
                _cost(report, row).allowed_again += 1
                report.returning[row["verdict"]] = report.returning.get(row["verdict"], 0) + 1
    return report


def _count(report: Recheck, denied: TextIO | None, rows: list[dict[str, Any]], signals: Iterable[str]) -> None:
    """Takes verdicts over: the names of the signals that decide, empty for what is permitted."""
    for row, signal in zip(rows, signals, strict=True):
        cost = _cost(report, row)
        cost.before += 1
        by = row["policy"] or "none"
        report.policies[by] = report.policies.get(by, 0) + 1
        if signal:
            cost.denied += 1
            report.signals[signal] = report.signals.get(signal, 0) + 1
            if denied is not None:
                denied.write(f"uid {row['uid']}\n")


def _cost(report: Recheck, row: dict[str, Any]) -> LanguageCost:
    return report.languages.setdefault(row["language"] or "und", LanguageCost())


def _samples(lake: Lake, told: Callable[[str], None]) -> Iterator[list[dict[str, Any]]]:
    """Rows of each part."""
    parts = lake.step("samples").files()
    for number, name in enumerate(parts):
        yield _rows(lake, name, COLUMNS)
        told(f"{number + 1:,} of {len(parts):,} parts judged")


def _reserved(lake: Lake) -> Iterator[list[dict[str, Any]]]:
    """Rows of each part that were dropped for a reservation."""
    for name in lake.step("samples").files(".dropped.parquet"):
        found = _rows(lake, name, ["language", "signals", "verdict", "reason"])
        yield [row for row in found if row["reason"] == Reason.PERMISSION_DENIED and row["verdict"]]


def _denied_by_captures(lake: Lake, own: Policy) -> Iterator[list[dict[str, Any]]]:
    """The same of documents, with the signal that had decided."""
    for rows in map(_with_signals, recheck_text.reserved(lake)):
        yield [row | {"verdict": judge(own, row["signals"]).signal} for row in rows]


def _rows(lake: Lake, name: str, columns: list[str]) -> list[dict[str, Any]]:
    """Rows of a file, their signals as such."""
    with lake.open(name) as file:
        table: pa.Table = pq.read_table(file, columns=columns)
    return _with_signals(table.to_pylist())


def _with_signals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        row["signals"] = tuple(Signal(**signal) for signal in row["signals"] or ())
    return rows


async def _online(
    lake: Lake,
    recipe: Recipe,
    policy: Policy,
    report: Recheck,
    denied: TextIO | None,
    online: Online,
    contact: str,
    told: Callable[[str], None],
) -> None:
    """Asks for the headers of every sample's URL, lot by lot, and judges by them."""
    unanswered: Counter[str] = Counter()
    async with AsyncExitStack() as stack:

        async def ask(kind: FileKind, url: str) -> HostFile:
            return await host_files.ask(client, kind, url)

        hosts: Hosts[Answer] = Hosts(ask, answers(OWN_TOKEN, keys(recipe.permission.ai_agents) or None))
        client = await stack.enter_async_context(
            Client(recipe.fetch, user_agent(contact), Gate(policy, hosts), nameservers=online.nameservers)
        )
        stack.push_async_callback(hosts.close)
        for lot in _lots(_samples(lake, told)):
            urls = dict.fromkeys(row["url"] for row in lot)
            targets = (Target(url, url) for url in urls)
            found = {target.key: outcome async for target, outcome in client.run(targets, _seen, _HeadersOnly())}
            verdicts = [judge(policy, _renewed(row["signals"], found[row["url"]])).signal for row in lot]
            _count(report, denied, lot, verdicts)
            unanswered.update(str(reason) for row in lot if (reason := found[row["url"]].reason) in _OTHERS)
    report.unanswered = dict(unanswered.most_common())


class _HeadersOnly:
    """Wants the headers of an image, and hangs up at the first byte of its body."""

    accept = IMAGES.accept
    cut: int | None = 0
    redirects = 0

    def judge(self, content_type: str | None, start: bytes) -> Reason | None:
        """See `Kind.judge`."""


_OTHERS = frozenset(Reason) - {Reason.PERMISSION_DENIED}


async def _seen(fetched: Fetched) -> bool:
    return True


def _lots(parts: Iterable[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    lot: list[dict[str, Any]] = []
    for rows in parts:
        lot += rows
        if len(lot) >= URLS_AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def _renewed(stored: tuple[Signal, ...], outcome: Outcome[bool]) -> tuple[Signal, ...]:
    """What is known of a file now: fresh statements of its host and headers in place of those stored, as far as there are any."""
    if outcome.facts.signals is None:
        return stored
    answered = outcome.reason is None or outcome.reason is Reason.PERMISSION_DENIED
    kept = (s for s in stored if not (_of_host(s) or (answered and _of_answer(s))))
    return (*kept, *outcome.facts.signals)


def _of_host(signal: Signal) -> bool:
    """From a file of the host, as it was when the dataset was built; captures are from another time, and stay."""
    return bool(signal.url) and not _place(signal)


def _of_answer(signal: Signal) -> bool:
    """From the headers of the file itself; those of its page have the page's URL."""
    return not signal.url and _place(signal).startswith(_OF_HEADERS)


def _place(signal: Signal) -> str:
    """Where it stood, without what overrides it."""
    return signal.field.partition(";")[0]
