"""TDM Reservation Protocol (W3C Community Group, final report of 10 May 2024): 1 reserves, 0 does not.

It stands in `/.well-known/tdmrep.json`, in the header `tdm-reservation`, in meta tags, and in XMP. Each place goes before
those named earlier; where a place says nothing, the earlier one stays (section "Processing priority"). Any value but 0
and 1 is a protocol error, and the reservation is unset: such a value is kept as unknown, and overrides nothing.

A meta tag binds the page's own text and not the images that it shows ("Technique based on html meta tags"), and a header
binds what it came with. So a page tells about its images only by the file of its host, if that is theirs, too.

Stricter than the protocol in one point: of several values in one place, 1 counts.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from allmende.permission.robots import Pattern, octets, path_of, pattern
from allmende.permission.signal import VALUE_CHARS, Says, Signal

VERSION = "TDM Reservation Protocol, W3C Community Group Final Report (10 May 2024)"

PATH = "/.well-known/tdmrep.json"
"""Where the file is."""

MAX_BYTES = 1_000_000
"""A larger file is not read: unknown. The largest that a publisher is known to have is some 10 kB."""

HEADER = "header:tdm-reservation"
META = "meta:tdm-reservation"
XMP = "xmp:tdm:reservation"

_OVERRIDDEN = "overridden by "


class Rule(NamedTuple):
    """An object of the file."""

    pattern: Pattern | None
    """None: it has no location that could be read, and stands for all paths."""
    host: str
    """If the location is a whole URL, against the protocol but in use; else empty."""
    says: Says
    value: str
    """The object, as JSON."""


class File(NamedTuple):
    """A tdmrep.json, read."""

    rules: tuple[Rule, ...]


NO_RULES = File(())


def read_file(body: bytes) -> File:
    """The rules of a tdmrep.json.

    A body that is no JSON but a web page, as many servers send for whatever they lack, is no such file: the host "does not
    implement this protocol". Anything else that is not an array of objects is unknown, for all paths.
    """
    text = body[:MAX_BYTES].decode("utf-8-sig", "replace").strip()
    if not text or text.startswith("<"):
        return NO_RULES
    try:
        told = json.loads(text) if len(body) <= MAX_BYTES else None
        if isinstance(told, list):
            return File(tuple(map(_rule, told)))
    except (ValueError, RecursionError):
        pass
    return File((Rule(None, "", "unknown", text[:VALUE_CHARS]),))


def _rule(item: Any) -> Rule:
    value = json.dumps(item, ensure_ascii=False).encode("utf-8", "replace").decode()[:VALUE_CHARS]
    location = item.get("location") if isinstance(item, dict) else None
    if not isinstance(location, str) or not location.strip():
        return Rule(None, "", "unknown", value)
    host, path = _place(location.strip())
    return Rule(pattern(path), host, _says_json(item.get("tdm-reservation")), value)


def _place(location: str) -> tuple[str, str]:
    """Host and path of a location. Most are paths; some whole URLs; some lack the first slash."""
    if location.startswith(("http://", "https://")):
        host, _, path = location.partition("//")[2].partition("/")
        return host.lower(), "/" + path
    return "", location if location.startswith(("/", "*")) else "/" + location


def _says_json(value: Any) -> Says:
    """The numbers 0 and 1; and "1", where somebody put the number in quotation marks: in doubt it reserves."""
    if isinstance(value, bool):
        return "unknown"
    if value in (1, "1"):
        return "deny"
    return "allow" if value == 0 else "unknown"


def file_signal(file: File, url: str, file_url: str) -> Signal | None:
    """What a host's file says about one of its URLs: the first rule that matches counts. None if none does.

    Args:
        file: From `read_file`.
        url: Absolute, normalised.
        file_url: Where the file was read.
    """
    path, host = octets(path_of(url)), host_of(url)
    for rule in file.rules:
        if rule.pattern is None or (rule.host in ("", host) and rule.pattern.matches(path)):
            return Signal(name="tdmrep", says=rule.says, value=rule.value, url=file_url)
    return None


def host_of(url: str) -> str:
    """Host and port of an absolute URL, in lower case."""
    return url.partition("://")[2].partition("#")[0].partition("?")[0].partition("/")[0].lower()


def value_signal(values: str | Sequence[str], field: str, url: str = "", policy: str = "") -> Signal | None:
    """What a header, a meta tag or XMP says; None if it says nothing.

    Args:
        values: Of each header or tag of that name.
        field: `HEADER`, `META` or `XMP`.
        url: Of the page, if they are a page's.
        policy: `tdm-policy` of the same place; it is kept beside the value, and decides nothing.
    """
    values = [values] if isinstance(values, str) else values
    told = [part for value in values if (part := value.strip())]
    if not told:
        return None
    kinds = {part.strip() for value in told for part in value.split(",")}
    says: Says = "deny" if "1" in kinds else "allow" if kinds == {"0"} else "unknown"
    value = ", ".join(told) + (f"; policy={policy}" if policy else "")
    return Signal(name="tdmrep", says=says, value=value[:VALUE_CHARS], url=url, field=field)


def combine(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """Signals of one file or page, where of those of TDMRep only the ones with the highest priority decide.

    The others stay as evidence. They come to mean what the deciding one says, and their field tells by what they are
    overridden. May be called again when more is known. Signals of other kinds pass untouched.

    Args:
        signals: Of any kinds; those of TDMRep from `file_signal` and `value_signal`.
    """
    signals = tuple(signals)
    told = [signal for signal in signals if signal.name == "tdmrep" and signal.says != "unknown"]
    if not told:
        return signals
    top = max(map(_priority, told))
    highest = [signal for signal in told if _priority(signal) == top]
    deciding = next((signal for signal in highest if signal.says == "deny"), highest[0])
    return tuple(_overridden(signal, deciding) if signal in told else signal for signal in signals)


def _overridden(signal: Signal, deciding: Signal) -> Signal:
    if _priority(signal) == _priority(deciding):
        return signal
    own = _own(signal)
    field = f"{own}; {_OVERRIDDEN}{_own(deciding)}" if own else f"{_OVERRIDDEN}{_own(deciding)}"
    return msgspec.structs.replace(signal, says=deciding.says, field=field)


def _own(signal: Signal) -> str:
    return signal.field.partition(_OVERRIDDEN)[0].removesuffix("; ")


def _priority(signal: Signal) -> int:
    """The file 0, headers 1, what stands in a document or an image 2."""
    own = _own(signal)
    return 0 if not own else 1 if own.startswith("header:") else 2
