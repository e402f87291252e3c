"""What happened to the URLs of one domain together, and whether it seems to have another owner.

What can be told without a registry: that all files of a domain are gone or others at once, and that it answers with a
parking page. What only a registry can tell (`rdap`): that it was registered anew. What can't be told: who the owner
was; a sale without a gap in the registration; a new owner who serves the old files, but for some.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec
from publicsuffixlist import PublicSuffixList

from allmende.maintain.findings import GOOD, OPEN, DomainReport, Fate, Finding, OnlineReport

TOGETHER = 3
"""URLs of a domain from which on a common fate says something."""

EXAMPLES = 5

PARKING = frozenset(
    {
        "above.com",
        "afternic.com",
        "bodis.com",
        "dan.com",
        "domainmarket.com",
        "dynadot.com",
        "hugedomains.com",
        "namebright.com",
        "parkingcrew.net",
        "parklogic.com",
        "sedo.com",
        "sedoparking.com",
        "undeveloped.com",
    }
)
"""Domains of parking and sale services to which the addresses of former sites are led; dated 2026-11-22, not complete."""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def domain_of(host: str) -> str:
    """The registrable domain of a host, by the Public Suffix List; the host itself if it is an address, or has none."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return _suffixes().privatesuffix(host) or host


class _Domain:
    """The findings of one domain."""

    def __init__(self) -> None:
        self.fates: Counter[Fate] = Counter()
        self.reasons: Counter[str] = Counter()
        self.answers: Counter[tuple[Fate, int]] = Counter()
        self.examples: list[str] = []
        self.seen_at: datetime | None = None

    def add(self, finding: Finding, seen_at: datetime | None) -> None:
        self.fates[finding.fate] += 1
        if finding.reason:
            self.reasons[finding.reason] += 1
        if seen_at is not None:
            self.seen_at = min(self.seen_at or seen_at, seen_at)
        if finding.fate in GOOD or finding.fate in OPEN or finding.fate is Fate.VANISHED:
            return
        if domain_of(urlsplit(finding.final_url).hostname or "") in PARKING:
            self.fates[finding.fate] -= 1
            self.fates[Fate.PARKED] += 1
        elif finding.answer:
            self.answers[finding.fate, finding.answer] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(finding.url)

    def settle(self) -> list[str]:
        """Calls parked what answers everything alike; evidence that the domain has another owner."""
        asked = self.fates.total()
        evidence = []
        for (fate, _), count in self.answers.items():
            if count >= TOGETHER and 2 * count >= asked:
                if fate in {Fate.PAGE, Fate.REDIRECTED}:
                    self.fates[fate] -= count
                    self.fates[Fate.PARKED] += count
                else:
                    evidence.append(f"{count:,} URLs answer with one and the same other picture")
        if self.fates[Fate.PARKED]:
            evidence.append(f"{self.fates[Fate.PARKED]:,} URLs lead to a parking page")
        judged = asked - sum(self.fates[fate] for fate in OPEN)
        if judged >= TOGETHER and not any(self.fates[fate] for fate in GOOD):
            evidence.append(f"none of {judged:,} URLs leads to what it led to: all are gone or others together")
        self.answers.clear()
        return evidence


class Domains:
    """Collects findings. Memory grows with the number of domains, not of URLs that are as they were."""

    def __init__(self) -> None:
        self._domains: dict[str, _Domain] = {}
        self._evidence: dict[str, list[str]] | None = None

    def add(self, finding: Finding, seen_at: datetime | None) -> None:
        """Notes one.

        Args:
            finding: Of one URL.
            seen_at: When its file was fetched for the dataset.
        """
        self._domains.setdefault(finding.domain, _Domain()).add(finding, seen_at)

    def doubtful(self) -> list[str]:
        """Domains that a registry should be asked about: something is amiss, and they are no addresses."""
        evidence = self._settled()
        return [
            name
            for name, domain in sorted(self._domains.items())
            if "." in name and not _is_address(name) and (evidence[name] or domain.examples)
        ]

    def report(self, of: int, registered: Mapping[str, datetime]) -> OnlineReport:
        """Everything.

        Args:
            of: URLs that the dataset has.
            registered: When domains were registered, as far as a registry told.
        """
        evidence = self._settled()
        reports = [
            self._report(name, domain, evidence[name], registered.get(name)) for name, domain in self._domains.items()
        ]
        reports.sort(key=_worst_first)
        fates: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for report in reports:
            fates.update(report.fates)
            reasons.update(report.reasons)
        return OnlineReport(
            asked=fates.total(),
            of=of,
            fates=dict(fates.most_common()),
            reasons=dict(reasons.most_common()),
            changed_hands=sum(bool(report.changed_hands) for report in reports),
            domains=tuple(reports),
        )

    def _settled(self) -> dict[str, list[str]]:
        if self._evidence is None:
            self._evidence = {name: domain.settle() for name, domain in self._domains.items()}
        return self._evidence

    def _report(self, name: str, domain: _Domain, evidence: list[str], registered: datetime | None) -> DomainReport:
        report = DomainReport(
            domain=name,
            asked=domain.fates.total(),
            fates={str(fate): count for fate, count in sorted(domain.fates.items()) if count},
            reasons=dict(sorted(domain.reasons.items())),
            changed_hands="suspected" if evidence else "",
            evidence=tuple(evidence),
            registered=registered,
            examples=tuple(domain.examples),
        )
        if registered is None or domain.seen_at is None or registered <= domain.seen_at:
            return report
        told = f"registered on {registered:%Y-%m-%d}, after its files were fetched ({domain.seen_at:%Y-%m-%d})"
        return msgspec.structs.replace(report, changed_hands="registered", evidence=(told, *report.evidence))


def _worst_first(report: DomainReport) -> tuple[bool, bool, int, str]:
    amiss = sum(count for fate, count in report.fates.items() if fate not in GOOD)
    return report.changed_hands != "registered", not report.changed_hands, -amiss, report.domain


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
