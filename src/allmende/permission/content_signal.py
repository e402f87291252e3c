"""Content-Signal: `search=yes,ai-train=no,use=reference`, in a group of robots.txt, or as a header.

The three purposes take `yes` or `no`; one that is not there is neither granted nor restricted. `use` (July 2026) says how
far content may be reused: `immediate` (nothing is kept), `reference` or `full`.
"""

import re
from collections.abc import Iterable

from allmende.permission.signal import Says

VERSION = "Cloudflare Content Signals Policy (24 September 2025), with `use` (1 July 2026)"

_PURPOSES = frozenset({"search", "ai-input", "ai-train"})
_USES = frozenset({"immediate", "reference", "full"})
_EQUALS = re.compile(r" ?= ?")
_BETWEEN = re.compile(r"[,;\s]+")


def says(value: str) -> Says | None:
    """What a statement means for training; None if it does not speak of it.

    Deny as soon as `ai-train=no` can be found in it. Allow only if the whole statement is well formed: what can't be read
    might restrict. Restricted reuse (`use=immediate`, `use=reference`) without a word on training is unknown.
    """
    tidy = _EQUALS.sub("=", " ".join(value.lower().split()))
    pairs = [item.partition("=") for item in _BETWEEN.split(tidy) if item]
    training = {setting for name, _, setting in pairs if name == "ai-train"}
    if any(setting.strip("\"'") == "no" for setting in training):
        return "deny"
    if not pairs or not all(_well_formed(name, setting) for name, _, setting in pairs):
        return "unknown"
    if training:
        return "allow"
    restricted = any(name == "use" and setting != "full" for name, _, setting in pairs)
    return "unknown" if restricted else None


def _well_formed(name: str, setting: str) -> bool:
    if name in _PURPOSES:
        return setting in {"yes", "no"}
    return name == "use" and setting in _USES


def strictest(statements: Iterable[Says | None]) -> Says | None:
    """Of several statements: deny, else unknown, else allow."""
    found = set(statements)
    return next((word for word in ("deny", "unknown", "allow") if word in found), None)
