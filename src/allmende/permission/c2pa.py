"""C2PA manifests ("content credentials"): their assertions about training and mining.

    cawg.training-mining   {"entries": {"cawg.ai_training": {"use": "notAllowed"}, ...}}
    c2pa.training-mining   {"entries": {"c2pa.ai_training": {"use": "notAllowed"}, ...}}

The first is the CAWG Training and Data Mining Assertion 1.1 (16 May 2025), the second its forerunner in C2PA 1.x.
`use` is `allowed`, `notAllowed` or `constrained`, and `constrained` without more counts as `notAllowed` (CAWG). Entries
may be missing; custom ones may be there. Metadata assertions (JSON-LD) may hold `plus:DataMining`, as XMP does.

Only labels and these assertions are read. Signatures are not checked: who opts out need not prove who they are, and
nothing here lets anybody in. So nothing is asked of the network, whatever address the file names. Manifests of
ingredients are in the store too; a reservation there binds what was made of the ingredient. Why c2pa-python doesn't do
this: docs/decisions/0008-signals-in-files.md.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import brotli
import msgspec

from allmende.permission.signal import VALUE_CHARS, Says, Signal
from allmende.permission.xmp import plus

ENTRIES = frozenset({"ai_training", "ai_generative_training", "data_mining"})
"""What a dataset is for. `ai_inference`, the fourth defined entry, is about asking a model something."""

USES: dict[str, Says] = {"allowed": "allow", "notallowed": "deny", "constrained": "deny"}

_LABEL = re.compile(r"(?:c2pa|cawg)\.training-mining(?:$|[._])", re.IGNORECASE)
"""The label, perhaps with a version (`.v2`) or an instance (`__1`) behind it."""

_METADATA = re.compile(r"(?:(?:c2pa|cawg)\.metadata|stds\.iptc)(?:$|[._])", re.IGNORECASE)
"""Labels of metadata assertions, old and new."""

_PLUS = "DataMining"

_ENTRY = re.compile(r"(?:c2pa|cawg)\.(\w+)", re.IGNORECASE)

_MOST_BOXES = 10_000
"""A store has some ten boxes for each manifest."""

_MOST_DEPTH = 16
"""A training-mining assertion lies in the fourth superbox."""

_MOST_UNPACKED = 8_000_000
"""Bytes that the compressed manifests of a store may unpack to, together; thumbnails make up nearly all of it."""

_MOST_ASSERTION = 64_000
"""Bytes of an assertion; the four entries with explanations take a few hundred."""


class DamagedError(ValueError):
    """A box ends beyond what it stands in, or there are too many of them."""


class Box(NamedTuple):
    """A box of ISO/IEC 14496-12, of which JUMBF (ISO/IEC 19566-5) is made."""

    kind: bytes
    start: int
    """Offset of its content."""
    end: int
    """Offset behind it, at most the end of what was given."""


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets, side by side.

    Raises:
        DamagedError: After the last box, if it is cut short, or if what is left is no box.
    """
    while start < end:
        size, head = int.from_bytes(data[start : start + 4]), 8
        kind = data[start + 4 : start + 8]
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16]), 16
        stop = start + size if size else end
        if stop < start + head or start + head > end:
            raise DamagedError(f"no box at offset {start}")
        yield Box(kind, start + head, min(stop, end))
        if stop > end:
            raise DamagedError(f"the box at offset {start} is cut short")
        start = stop


def signals(store: bytes) -> list[Signal]:
    """What a manifest store says about training and mining. Never raises.

    Args:
        store: A JUMBF superbox, as it is embedded in files.

    Returns:
        A signal for each assertion that says something about training or mining. A store that can't be read to its end
        adds an unknown one: what is missing may be a reservation.
    """
    found: list[Signal] = []
    reading = _Store()
    try:
        for signal in reading.superbox(store, 0, len(store), 0):
            found.append(signal)  # noqa: PERF402 - what was found before an error counts
    except (DamagedError, brotli.error) as error:
        return [*found, _signal("unknown", f"unreadable: {error}")]
    if not reading.assertions and b".training-mining" in store:
        found.append(_signal("unknown", "unreadable: a label of training-mining, but no such assertion"))
    return found


class _Store:
    """One reading of a store, which keeps count."""

    def __init__(self) -> None:
        self._boxes = 0
        self._unpacked = 0
        self.assertions = 0

    def superbox(self, data: bytes, start: int, end: int, depth: int) -> Iterator[Signal]:
        """Signals of the assertions among the boxes between two offsets, and in boxes in them."""
        if depth > _MOST_DEPTH:
            raise DamagedError("boxes are nested too deeply")
        label = ""
        for kind, first, stop in boxes(data, start, end):
            self._boxes += 1
            if self._boxes > _MOST_BOXES:
                raise DamagedError("there are too many boxes")
            if kind == b"jumd":
                label = _label(data[first:stop])
            elif kind == b"jumb":
                yield from self.superbox(data, first, stop, depth + 1)
            elif kind == b"brob":
                plain = self._unpack(data[first:stop])
                yield from self.superbox(plain, 0, len(plain), depth + 1)
            elif _LABEL.match(label) and kind != b"free":
                self.assertions += 1
                yield from _assertion(label, kind, data[first:stop])
            elif _METADATA.match(label):
                yield from _metadata(label, kind, data[first:stop])

    def _unpack(self, data: bytes) -> bytes:
        """A compressed manifest (C2PA 2.1): Brotli, in other uses of the box behind the name of what is compressed."""
        packed = data[4:] if data[:4] == b"jumb" else data
        limit = _MOST_UNPACKED - self._unpacked
        decoder = brotli.Decompressor()
        plain: bytes = decoder.process(packed, output_buffer_limit=limit + 1)
        self._unpacked += len(plain)
        if self._unpacked > _MOST_UNPACKED or not decoder.is_finished():
            raise DamagedError("a compressed manifest is cut short or too large")
        return plain


def _label(description: bytes) -> str:
    """The label in a description box: behind the type's UUID and a byte of switches."""
    return description[17:].partition(b"\0")[0].decode("utf-8", "replace")


def _assertion(label: str, kind: bytes, content: bytes) -> Iterator[Signal]:
    """The signal of one assertion; none if it speaks of other things only."""
    try:
        entries = _entries(kind, content)
    except ValueError as error:
        yield _signal("unknown", f"unreadable: {error}", label)
        return
    sayings = {says for name, entry in entries.items() if (says := _says(name, entry))}
    for says in ("deny", "unknown", "allow"):  # the strictest is what it comes to
        if says in sayings:
            yield _signal(says, ", ".join(f"{name}: {_shown(entry)}" for name, entry in entries.items()), label)
            return


def _metadata(label: str, kind: bytes, content: bytes) -> Iterator[Signal]:
    """What `plus:DataMining` says in a metadata assertion, whose keys are prefixed names or whole addresses."""
    if _PLUS.encode() not in content:
        return
    try:
        data = _decoded(kind, content)
    except ValueError as error:
        yield _plus_signal("unknown", f"unreadable: {error}", label)
        return
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(name, str) and re.split("[:/]", name)[-1] == _PLUS:
            for item in value if isinstance(value, list) else [value]:
                yield from _plus(item, label)


def _plus(item: object, label: str) -> Iterator[Signal]:
    """The signal of one value of `plus:DataMining`: a text, or an object that is the value's address."""
    told = item.get("@id", item.get("@value")) if isinstance(item, dict) else item
    if not isinstance(told, str):
        yield _plus_signal("unknown", f"<{type(told).__name__}>", label)
    elif says := plus(told):
        yield _plus_signal(says, told, label)


def _entries(kind: bytes, content: bytes) -> dict[str, object]:
    """The map of entries. A draft forgot the map around it, and what followed the draft is read too.

    Raises:
        ValueError: No such map can be read.
    """
    data = _decoded(kind, content)
    entries = data.get("entries", data) if isinstance(data, dict) else None
    if not isinstance(entries, dict) or not entries or not all(isinstance(name, str) for name in entries):
        raise ValueError("no map of entries")
    return entries


def _decoded(kind: bytes, content: bytes) -> object:
    """CBOR, or JSON, which C2PA 1.0 allowed too.

    Raises:
        ValueError: It is neither, or damaged, or too large.
    """
    if len(content) > _MOST_ASSERTION:
        raise ValueError("too large")
    import cbor2

    try:
        if kind == b"json":
            return msgspec.json.decode(content)
        if kind == b"cbor":
            decoded: object = cbor2.loads(content, max_depth=_MOST_DEPTH, strict_hashable_types=True)
            return decoded
    except (cbor2.CBORDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    raise ValueError("neither CBOR nor JSON")


def _says(name: str, entry: object) -> Says | None:
    """What one entry says; None if it is not about training or mining."""
    match = _ENTRY.fullmatch(name)
    if match and match[1].lower() == "ai_inference":
        return None
    if not match or match[1].lower() not in ENTRIES:
        return "unknown"
    use = entry.get("use") if isinstance(entry, dict) else entry
    return USES.get(use.strip().lower(), "unknown") if isinstance(use, str) else "unknown"


def _shown(entry: object) -> str:
    """The use as written, and the constraint if there is one."""
    use = entry.get("use") if isinstance(entry, dict) else entry
    info = entry.get("constraint_info", entry.get("constraints_info")) if isinstance(entry, dict) else None
    shown = use if isinstance(use, str) else f"<{type(use).__name__}>"
    return f"{shown} ({info})" if isinstance(info, str) else shown


def _signal(says: Says, value: str, label: str = "manifest") -> Signal:
    return Signal(name="c2pa", says=says, value=value[:VALUE_CHARS], field=f"c2pa:{label[:60]}")


def _plus_signal(says: Says, value: str, label: str) -> Signal:
    return Signal(name="iptc_plus", says=says, value=value[:VALUE_CHARS], field=f"c2pa:{label[:60]}")
