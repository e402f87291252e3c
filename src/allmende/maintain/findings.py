"""What became of a dataset's URLs: by file, by domain, in all."""

from datetime import datetime

import msgspec

from allmende.maintain.explained import Explained
from allmende.permission.signal import Signal


class Fate(Explained):
    """What a URL answers today, compared with the file or document that was stored: `value, explanation`."""

    SAME = "same", "The same bytes: equal SHA-256. Of documents: the text is still on the page, 70 % of it at least."
    MOVED = "moved", "Of documents: the text is still there, where a redirect leads to."
    RECOMPRESSED = "recompressed", "Other bytes, the same picture: at most 31 bits of the PDQ hash differ."
    CHANGED = (
        "changed",
        "Another picture, or one with too little detail to tell. Of documents: 40 to 70 % are still there.",
    )
    PAGE = "page", "Something that is no image: most often a web page. Of documents: another page, or no page."
    REDIRECTED = "redirected", "A redirect to another domain, and there something else than the file."
    PARKED = "parked", "A parking page: a known one, or one answer for all that is asked."
    VANISHED = "vanished", "Gone, or refused: its Reason tells how."
    FAILED = "failed", "No answer this time; it may be back: its Reason tells why."
    DENIED = "denied", "Not asked for, or not taken: its owner reserves it today."


GOOD = frozenset({Fate.SAME, Fate.MOVED, Fate.RECOMPRESSED})
OPEN = frozenset({Fate.FAILED, Fate.DENIED})
"""Fates that say nothing about the file."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of what a URL answered."""

    fate: Fate
    distance: int | None = None
    """Bits of 256 in which the PDQ hashes differ."""
    answer: int = 0
    """Hash of the body."""
    signals: tuple[Signal, ...] = ()
    """Of a page: what it says in itself about its words; what its headers say came with the response."""
    licences: tuple[str, ...] = ()
    """Of a page: RSL licences that it links to."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One URL."""

    url: str
    domain: str
    fate: Fate
    reason: str = ""
    """A value of `schema.Reason`."""
    final_url: str = ""
    """Where it led, if that is another."""
    distance: int | None = None
    """Bits of 256 in which the PDQ hashes differ."""
    answer: int = 0
    """Hash of what was answered instead of the file, to tell whether others got the same; 0 for nothing."""


class DomainReport(msgspec.Struct, frozen=True, kw_only=True):
    """All URLs of one registrable domain."""

    domain: str
    asked: int
    fates: dict[str, int]
    reasons: dict[str, int] = {}
    changed_hands: str = ""
    """registered: the registry says so; suspected: the files do; empty: nothing does."""
    evidence: tuple[str, ...] = ()
    registered: datetime | None = None
    """When the domain was registered (last), if RDAP was asked and told."""
    examples: tuple[str, ...] = ()
    """Some URLs whose file is another."""


class OnlineReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison with the web found."""

    asked: int
    of: int
    """URLs that the dataset has."""
    fates: dict[str, int]
    reasons: dict[str, int]
    changed_hands: int
    """Domains that seem to have another owner than when their files were fetched."""
    domains: tuple[DomainReport, ...]
    """Those with something amiss first."""
