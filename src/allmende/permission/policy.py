"""Policies: which signals decide, dated because the law moves. Signals in, a verdict out.

A policy is a table: for each signal `deny` (a reservation drops the file), `allow` (a reservation is recorded and the
file kept) or `ignore` (not read, not asked for). Every signal that denies suffices; no signal outweighs another.
Signals of a policy that only records can be judged anew by a stricter one, without asking anybody again.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from allmende.errors import RecipeError
from allmende.permission.signal import Signal
from allmende.recipe import Permission as Table

Action = Literal["deny", "allow", "ignore"]


class Kind(msgspec.Struct, frozen=True):
    """A kind of signal: what it is, where it is read, and which version of its specification we follow."""

    name: str
    where: str
    """Where it is read."""
    reserves: str
    """What counts as a reservation."""
    specification: str
    """Source and version."""


SIGNALS: tuple[Kind, ...] = (
    Kind(
        "robots_txt",
        "`/robots.txt` of the file's host",
        "a group for our own token, or `*`, disallows the path; 5xx and no answer disallow everything",
        "RFC 9309 (September 2022)",
    ),
    Kind(
        "robots_txt_ai",
        "the same file",
        "a group that names one of the AI agents of our list disallows the path",
        "RFC 9309; agent list of `permission.ai_agents`",
    ),
    Kind(
        "content_signal",
        "`Content-Signal:` lines of robots.txt",
        "`ai-train=no`",
        "Cloudflare Content Signals Policy (September 2025)",
    ),
    Kind(
        "content_usage",
        "`Content-Usage:` lines of robots.txt, header of the file, header of the page for documents",
        "`train-ai=n`",
        "IETF AIPREF drafts (August 2026)",
    ),
    Kind(
        "rsl",
        "`License:` lines of robots.txt, `Link: rel=license` header, `<link rel=license type=application/rsl+xml>`",
        "the licence prohibits `ai-train`, `ai-all` or `all`, or permits usages without naming one of them, or permits training only for payment, by a licence server's token or with reports",
        "Really Simple Licensing 1.0 (December 2025)",
    ),
    Kind("ai_txt", "`/ai.txt` of the file's host", "a rule disallows the path", "Spawning ai.txt (2023)"),
    Kind(
        "tdmrep",
        "`/.well-known/tdmrep.json`, `tdm-reservation` header, meta tag (for documents), XMP",
        "`tdm-reservation` is 1",
        "W3C TDM Reservation Protocol, final report of 10 May 2024",
    ),
    Kind(
        "noai",
        "`X-Robots-Tag` of the file and of the page, `<meta name=robots>` of the page and metas that name an agent",
        "`noai`, `noml`; for images also `noimageai`",
        "convention (DeviantArt, November 2022)",
    ),
    Kind(
        "noindex",
        "`X-Robots-Tag` of the file; of the page, and its meta robots, where they bind the file",
        "`noindex`, `none`, `unavailable_after` in the past; for images also `noimageindex`",
        "Google, Robots meta tag specifications; MDN, X-Robots-Tag",
    ),
    Kind(
        "iptc_plus",
        "XMP of the file, and metadata assertions of its C2PA manifests: `plus:DataMining`",
        "any `DMI-PROHIBITED` value that covers training",
        "IPTC Photo Metadata 2023.1; PLUS Data Mining",
    ),
    Kind(
        "c2pa",
        "C2PA manifests in the file: `cawg.training-mining` and the older `c2pa.training-mining`; manifests elsewhere are not fetched",
        "training or mining is `notAllowed`, or `constrained`",
        "CAWG Training and Data Mining Assertion 1.1 (16 May 2025); C2PA 1.x",
    ),
)
"""All kinds of signals, in the order in which they are met. `docs/reference/permission.md` is generated from here."""

NAMES = tuple(kind.name for kind in SIGNALS)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about each kind of signal."""

    name: str
    version: str
    """Date from which this table holds, ISO 8601. Change a table, change its date."""
    actions: dict[str, Action]
    """For every name of `NAMES`."""
    unknown: Literal["deny", "allow"] = "allow"
    """What follows from a value that we can't read, of a signal whose action is deny."""
    ai_agents: tuple[str, ...] | None = None
    """Names whose rules bind us beside our own; None for the list that ships with Allmende."""

    @property
    def label(self) -> str:
        """Name and version, as each row records it; with `+` if the recipe changed the table."""
        preset = PRESETS.get(self.name)
        return f"{self.name}/{self.version}{'' if self == preset else '+'}"

    def heeds(self, name: str) -> bool:
        """False if the signal is not even read."""
        return self.actions[name] != "ignore"

    def denies(self, signal: Signal) -> bool:
        """True if this signal alone suffices to leave the file out."""
        if self.actions[signal.name] != "deny":
            return False
        return signal.says == "deny" or (signal.says == "unknown" and self.unknown == "deny")

    def deciding(self, signals: Iterable[Signal]) -> Signal | None:
        """The first signal that denies; None if the file may be taken."""
        return next((signal for signal in signals if self.denies(signal)), None)


def _all(action: Action) -> dict[str, Action]:
    return dict.fromkeys(NAMES, action)


PRESETS: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(name="eu-commercial", version="2026-11-22", actions=_all("deny")),
        Policy(name="eu-research", version="2026-11-22", actions=_all("allow") | {"robots_txt": "deny"}),
        Policy(name="strict", version="2026-11-22", actions=_all("deny"), unknown="deny"),
        Policy(name="off", version="2026-11-22", actions=_all("ignore")),
    )
}
"""The tables to start from. None of this is legal advice."""

MEANINGS = {
    "eu-commercial": "Anybody, under §44b UrhG and Art. 4 of Directive (EU) 2019/790: every machine-readable reservation is obeyed.",
    "eu-research": "Research organisations, under §60d UrhG and Art. 3 of the directive: reservations have no effect on them, so they are recorded; robots.txt still says where a crawler may go.",
    "strict": "As eu-commercial, and what can't be read counts as a reservation.",
    "off": "Nothing is read and nothing obeyed.",
}
"""What each preset is for, for the documentation."""


def from_recipe(table: Table) -> Policy:
    """The policy of a recipe's `[permission]`."""
    changes = {name: action for name in NAMES if (action := getattr(table, name)) != "preset"}
    made = policy(table.policy, changes, "" if table.unknown == "preset" else table.unknown)
    return msgspec.structs.replace(made, ai_agents=table.ai_agents or None)


def policy(preset: str, changes: dict[str, Action] | None = None, unknown: str = "") -> Policy:
    """A preset, with the changes that a recipe makes.

    Args:
        preset: One of `PRESETS`.
        changes: Signal names with another action.
        unknown: `deny` or `allow`; empty for the preset's.

    Raises:
        RecipeError: if there is no such preset or signal.
    """
    if preset not in PRESETS:
        raise RecipeError(f"permission.policy = {preset!r}: no such policy. There are: {', '.join(PRESETS)}.")
    changes = changes or {}
    if strange := sorted(changes.keys() - set(NAMES)):
        raise RecipeError(f"[permission] {strange[0]}: no such signal. There are: {', '.join(NAMES)}.")
    base = PRESETS[preset]
    made = msgspec.structs.replace(base, actions=base.actions | changes)
    return msgspec.structs.replace(made, unknown=unknown) if unknown else made
