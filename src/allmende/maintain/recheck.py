"""`allmende recheck`: a dataset's verdicts by another policy, from the signals stored with its rows; or by what hosts say today.

Offline nobody is asked: that is what signals are stored for. Online every host is asked anew for its files and every URL
for its headers, of text for its page (`recheck_online`); what image files themselves, and the pages that show them, said
stays what it was. What is no longer permitted goes to a list that a take-down accepts. Memory: one part's rows.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

import msgspec

from allmende import tables
from allmende.dataset import Dataset
from allmende.errors import LakeError
from allmende.fetch.agent import check_contact
from allmende.lake import Lake
from allmende.maintain import recheck_text
from allmende.maintain.asking import asking
from allmende.maintain.recheck_online import Online, judge_images, judge_pages, lots
from allmende.permission import Policy, Signal, judge
from allmende.permission.policy import NAMES, from_recipe
from allmende.permission.x_robots_tag import Bears
from allmende.schema import Reason

COLUMNS = ["uid", "url", "language", "signals", "policy", "page_rsl"]


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
    """Online: samples whose URL gave no headers, or no page, by reason. They are judged by what is stored."""
    fates: dict[str, int] = msgspec.field(default_factory=dict)
    """Online, of text: what became of the documents' pages (`findings.Fate`)."""

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


Told = Callable[[str], None]
"""Hears how far it is."""


def recheck(
    dataset: Lake | str,
    policy: Policy | None = None,
    *,
    online: Online | None = None,
    denied: TextIO | None = None,
    told: Told = lambda _: None,
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
    sample_count(opened)  # there must be some
    report = Recheck(dataset=lake.root, policy=policy.label, online=online is not None)
    if of_text:
        report.not_kept = recheck_text.not_kept(lake)
    if online is None:
        report.unread = tuple(name for name in NAMES if policy.heeds(name) and not own.heeds(name))
        for rows in map(_with_signals, recheck_text.documents(lake)) if of_text else _samples(lake, told):
            _count(report, denied, rows, [judge(policy, row["signals"]).signal for row in rows])
    else:
        asyncio.run(_online(opened, policy, report, denied, online, told))
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


def _samples(lake: Lake, told: Told) -> Iterator[list[dict[str, Any]]]:
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
    return _with_signals(tables.read(lake, name, columns).to_pylist())


def _with_signals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        row["signals"] = tuple(Signal(**signal) for signal in row["signals"] or ())
    return rows


def sample_count(opened: Dataset) -> int:
    """How many samples there are: online so many URLs are asked for, or fewer if some have several samples.

    Raises:
        LakeError: if there are none yet.
    """
    of_text = opened.recipe.dataset.kind == "text"
    step = opened.lake.step("near" if of_text else "samples")
    if not step.finished():
        raise LakeError(f"{opened.lake.root} has no samples yet. Build it first: allmende build RECIPE")
    return step.counts()["document" if of_text else "sample"].kept


async def _online(
    opened: Dataset, policy: Policy, report: Recheck, denied: TextIO | None, online: Online, told: Told
) -> None:
    """Asks for every URL, lot by lot, and judges by what comes."""
    lake, recipe = opened.lake, opened.recipe
    of_text = recipe.dataset.kind == "text"
    count, contact = sample_count(opened), online.contact or recipe.dataset.contact
    check_contact(count, contact)
    unanswered, fates = Counter[str](), Counter[str]()
    parts = map(_with_signals, recheck_text.documents(lake, sampled=True)) if of_text else _samples(lake, told)
    bears: Bears = "document" if of_text else "image"
    async with asking(recipe, policy, contact, bears, online.nameservers) as web:
        for lot in lots(parts):
            judged = await (judge_pages if of_text else judge_images)(web, policy, lot)
            _count(report, denied, lot, judged.denied_by)
            unanswered.update(judged.unanswered)
            fates.update(judged.fates)
            told(f"{report.before:,} of {count:,} asked for")
    report.unanswered = dict(unanswered.most_common())
    report.fates = dict(fates.most_common())
