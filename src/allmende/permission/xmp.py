"""XMP (ISO 16684-1), the XML packet that images carry: PLUS Data Mining, and TDMRep.

    <plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>
    <rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/>

IPTC Photo Metadata 2023.1 took over PLUS Data Mining; the TDM Reservation Protocol (W3C, 10 May 2024) defines the other.
Either may be an attribute, an element with text, or an element that points to its value.

expat is driven by hand: no tree is built, a document type declaration ends the reading (so no entity is ever expanded),
and depth costs nothing. It reads 99 of 100 packets not at all, because those hold neither property's name.
"""

import re
from xml.parsers import expat

from allmende.permission import tdmrep
from allmende.permission.signal import VALUE_CHARS, Says, Signal

PLUS_VALUES: dict[str, Says | None] = {
    "DMI-UNSPECIFIED": None,
    "DMI-ALLOWED": "allow",
    "DMI-PROHIBITED": "deny",
    "DMI-PROHIBITED-AIMLTRAINING": "deny",
    "DMI-PROHIBITED-GENAIMLTRAINING": "deny",
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": "deny",
    "DMI-PROHIBITED-SEECONSTRAINT": "deny",
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": "deny",
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": "deny",
}
"""The vocabulary. `DMI-UNSPECIFIED`, "no prohibition defined", is what silence says too, and no signal.

A dataset trains generative models as well as others and is no search engine, so every prohibition covers it. Constraints
and rights expressions to "see" are written for people or for licence servers: until someone has read them, it is a no.
"""

_NAMES = (b"DataMining", b"reservation")
"""What the properties are called. XML has no second way to write a name, so what lacks these bytes lacks the properties."""

_PLUS_VALUE = re.compile(r"(?:https?://ns\.useplus\.org/ldf/vocab[/#]?|[\w-]+:)?(DMI-[A-Z-]+)/?", re.IGNORECASE)
_POINTERS = ("resource", "value", "about")
"""Attributes of RDF that hold the value of the element that they stand in."""

_ENCODINGS = (
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
"""How packets begin, longest first; all others are UTF-8."""

_MOST_STATEMENTS = 1_000
"""Further ones of a packet are not kept. Packets have one."""

_BETWEEN = "\x1f"
"""Divides the texts of child elements; can't stand in XML."""


class _RefusedError(ValueError):
    """The packet has a document type declaration."""


class _Statements:
    """Listens to expat, and keeps the values of the two properties (`found`) and TDMRep's policy."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.policy = ""
        self.complete = False
        self._level = 0
        self._property = ""
        self._opened_at = 0
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._level += 1
        if self._property:
            self._text.append(_BETWEEN)
        elif which := _property(name):
            self._property, self._opened_at = which, self._level
        for attribute, value in attributes.items():
            if which := _property(attribute):
                self._add(which, value)
            elif self._property and attribute.rpartition(" ")[2] in _POINTERS:
                self._text.append(f"{_BETWEEN}{value}{_BETWEEN}")

    def text(self, data: str) -> None:
        if self._property:
            self._text.append(data)

    def end(self, _name: str) -> None:
        if self._property:
            self._text.append(_BETWEEN)
            if self._level == self._opened_at:
                self._close()
        self._level -= 1
        self.complete = self._level == 0

    def refuse(self, *_declaration: object) -> None:
        raise _RefusedError

    def _close(self) -> None:
        values = [value for part in "".join(self._text).split(_BETWEEN) if (value := part.strip())]
        for value in values or [""]:
            self._add(self._property, value)
        self._property = ""
        self._text.clear()

    def _add(self, which: str, value: str) -> None:
        if which == "policy":
            self.policy = self.policy or value
        elif len(self.found) < _MOST_STATEMENTS:
            self.found.append((which, value))


def signals(packet: bytes) -> list[Signal]:
    """What a packet says about mining and training. Never raises.

    Args:
        packet: UTF-8, UTF-16 or UTF-32, with or without the `<?xpacket?>` around it.

    Returns:
        A signal for each value of the two properties, in order. If the packet can't be read to its end but names one of
        them, an unknown one is added.
    """
    narrow = packet.replace(b"\0", b"") if b"\0" in packet[:64] else packet
    if not any(name in narrow for name in _NAMES):
        return []
    said, error = _read(_decoded(packet))
    found = [signal for which, value in said.found if (signal := _signal(which, value, said.policy))]
    if error:
        found.append(Signal(name="iptc_plus", says="unknown", value=f"unreadable: {error}"[:VALUE_CHARS], field="xmp"))
    return found


def _read(text: str) -> tuple[_Statements, str]:
    """What stands in the text up to its end, or up to the error."""
    said = _Statements()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = said.start
    parser.EndElementHandler = said.end
    parser.CharacterDataHandler = said.text
    parser.StartDoctypeDeclHandler = said.refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        return said, "" if said.complete else str(error)  # behind the end stands padding, of whatever kind
    except _RefusedError:
        return said, "it has a document type declaration"
    return said, ""


def _decoded(packet: bytes) -> str:
    name = next((name for start, name in _ENCODINGS if packet.startswith(start)), "utf-8")
    return packet.decode(name, "replace").strip("\ufeff\0 \t\r\n")


def _property(name: str) -> str:
    """Which property a name of expat's (`namespace local`) is; empty if none of ours.

    Namespaces are compared without regard to what writers get wrong: the scheme, the last slash.
    """
    namespace, _, local = name.rpartition(" ")
    if local == "DataMining":
        return "plus" if "ns.useplus.org/ldf" in namespace else ""
    if local in {"reservation", "policy"}:
        return local if "www.w3.org/ns/tdmrep" in namespace else ""
    return ""


def _signal(which: str, value: str, policy: str) -> Signal | None:
    if which == "reservation":
        return tdmrep.value_signal(value, tdmrep.XMP, policy=policy)
    says = plus(value)
    return Signal(name="iptc_plus", says=says, value=value[:VALUE_CHARS], field="xmp:plus:DataMining") if says else None


def plus(value: str) -> Says | None:
    """What a value of `plus:DataMining` says; None if it leaves the matter open.

    Values are URIs of the vocabulary; the bare `DMI-...` is taken too, in any case. Prohibitions that are not in the
    vocabulary (yet) are prohibitions. All else is unknown.
    """
    match = _PLUS_VALUE.fullmatch(value.strip())
    if match is None:
        return "unknown"
    code = match[1].upper()
    return PLUS_VALUES.get(code, "deny" if code.startswith("DMI-PROHIBITED-") else "unknown")
