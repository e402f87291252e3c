"""A report of `allmende verify` for a terminal."""

from collections.abc import Iterator

from allmende.inspect.finding import printable
from allmende.maintain.findings import DomainReport, Fate, OnlineReport
from allmende.maintain.problem import Flaw
from allmende.maintain.verify import Report

DOMAINS = 20
"""Domains shown; all are in verify.json."""

_EXPLAINED = {member.value: member.explanation for kinds in (Flaw, Fate) for member in kinds}


def render_text(report: Report) -> str:
    """Everything, the worst first."""
    return "\n".join([*_offline(report), *(_online(report.online) if report.online else ())])


def _offline(report: Report) -> Iterator[str]:
    version = f" {report.version}" if report.version else ""
    yield f"{printable(report.dataset)}: {report.form}{version} · {report.sink}"
    yield (
        f"{report.shards:,} shards, {report.samples:,} samples, {report.files:,} files by manifest, "
        f"{report.bytes / 1e6:,.1f} MB read"
    )
    if report.sound:
        yield "Nothing is wrong with it."
        return
    yield f"\nProblems: {sum(report.problems.values()):,}"
    for kind, count in sorted(report.problems.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:>8,}  {kind}: {_EXPLAINED[kind]}"
        shown = [example for example in report.examples if example.kind == kind][:5]
        yield from (f"            {printable(example.where)}: {printable(example.what)}" for example in shown)


def _online(online: OnlineReport) -> Iterator[str]:
    yield f"\nOn the web: {online.asked:,} of {online.of:,} URLs asked"
    for kind, count in sorted(online.fates.items(), key=lambda item: -item[1]):
        yield f"  {count:>8,}  {kind}: {_EXPLAINED[kind]}"
    for reason, count in sorted(online.reasons.items(), key=lambda item: -item[1]):
        yield f"            {count:>8,}  {reason}"
    if online.changed_hands:
        yield f"\n! {online.changed_hands:,} domains seem to have changed hands since their files were fetched."
    amiss = [domain for domain in online.domains if domain.changed_hands or not domain.fates.keys() <= {Fate.SAME}]
    if amiss:
        yield f"\nDomains with something amiss: {len(amiss):,}"
    for domain in amiss[:DOMAINS]:
        yield from _domain(domain)
    if len(amiss) > DOMAINS:
        yield f"  … and {len(amiss) - DOMAINS:,} more in verify.json"


def _domain(domain: DomainReport) -> Iterator[str]:
    fates = ", ".join(f"{count:,} {kind}" for kind, count in sorted(domain.fates.items(), key=lambda item: -item[1]))
    yield f"  {printable(domain.domain)}: {fates}"
    for evidence in domain.evidence:
        yield f"    ! {printable(evidence)}"
