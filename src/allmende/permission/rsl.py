"""Really Simple Licensing 1.0 (Recommendation of 10 December 2025, errata to 7 August 2026): licences in XML.

Found by `License:` lines of robots.txt, the header `Link: <...>; rel="license"; type="application/rsl+xml"`, and in pages
by `<link>` of that kind, or the XML itself in a <script>. A host's plain `Link: rel="license"` without that type is some
licence (mostly Creative Commons), not RSL.

What a document says about training on a file (sections 3.1.1, 3.4, 3.5):

- the contents whose `url` matches are gathered; the longer pattern goes first, and of equal ones the strictest counts;
- a licence that prohibits `ai-train`, `ai-all` or `all`, or that lists what it permits and training is not in it, denies;
- one that permits training for payment, by a token of a licence server, or with reports, denies: none of it was done;
- one that permits training freely to everybody allows;
- all else is unknown: conditions of attribution, users or countries, silence about usage, elements that are not known.

Stricter than the specification in one point: it lets the narrower word win (`permits ai-train` over `prohibits all`); here
a prohibition always wins. Version 0.9 has the same namespace, commas between words, and `train-ai`: read as well.

Read by expat, with handlers that refuse any DTD: no entities, nothing external, no network; and line numbers for the
record. defusedxml is those handlers around an element tree, which would have no line numbers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn
from xml.parsers import expat

import ada_url

from allmende.permission.link_header import links
from allmende.permission.robots import Pattern, octets, path_of, pattern
from allmende.permission.signal import VALUE_CHARS, Says, Signal
from allmende.permission.tdmrep import host_of

VERSION = "RSL 1.0 (10 December 2025, errata to 7 August 2026)"

NAMESPACE = "https://rslstandard.org/rsl"
MEDIA_TYPE = "application/rsl+xml"
MAX_BYTES = 1_000_000
"""A larger document is not read: unknown. Those in use have one or two kilobytes."""

_MAX_DEPTH = 64
_ELEMENTS = frozenset(
    {
        "rsl",
        "content",
        "license",
        "permits",
        "prohibits",
        "payment",
        "standard",
        "custom",
        "amount",
        "accepts",
        "reporting",
        "legal",
        "alternate",
        "schema",
        "copyright",
        "terms",
    }
)
_TRAINING = frozenset({"all", "ai-all", "ai-train", "train-ai"})
"""Usages that training on images is part of; the last in version 0.9."""
_FREE = frozenset({"", "free"})
_CONDITIONS = frozenset({"attribution", "contribution", "standard"})
"""Types of payment that may cost no money, or a well-known licence to be followed."""
_SPACES = re.compile(r"[\s,]+")


class Licence(NamedTuple):
    """The terms of one <license>."""

    permits: dict[str, frozenset[str]]
    """By type: usage, user, geo."""
    prohibits: dict[str, frozenset[str]]
    payment: str | None
    """Type of the <payment>; None if there is none."""
    reporting: bool
    text: str
    """What counts of it, in one line."""
    line: int


class Content(NamedTuple):
    """A <content>: some files, and the licences to choose from."""

    url: str
    """As written; empty for whatever the document was linked from."""
    server: bool
    """A token of a licence server is needed."""
    licences: tuple[Licence, ...]
    line: int
    pattern: Pattern
    absolute: bool
    """The pattern begins with `//` and a host."""

    def covers(self, path: str, place: str) -> bool:
        """Whether a file is meant: by its path and query, or by `//`, host, path and query; as `octets` has them."""
        return not self.url or self.pattern.matches(place if self.absolute else path)


class Document(NamedTuple):
    """An RSL document."""

    contents: tuple[Content, ...]
    flaw: str
    """Why it can't be relied on; empty if it can."""


class _Flaw(Exception):
    """The document is none of RSL 1.0."""


def read(body: bytes | str) -> Document:
    """An RSL document; one with a `flaw` if it can't be read."""
    if len(body) > MAX_BYTES:
        return Document((), "too large")
    reader = _Reader()
    try:
        reader.feed(body)
    except _Flaw as flaw:
        return Document((), str(flaw))
    except (expat.ExpatError, LookupError, ValueError) as error:
        return Document((), f"no XML: {error}"[:200])
    return Document(tuple(reader.contents), "" if reader.contents else "no content element")


class _Reader:
    """Gathers contents and licences from the events of a parser."""

    def __init__(self) -> None:
        self.contents: list[Content] = []
        self._path: list[str] = []
        self._foreign = 0
        """Depth inside an element of another namespace, all of which is skipped."""
        self._content: tuple[Mapping[str, str], int] = ({}, 0)
        self._licences: list[Licence] = []
        self._terms: dict[str, Any] = {}
        self._kind = ""
        self._text: list[str] = []
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse

    def feed(self, body: bytes | str) -> None:
        """Read it all."""
        self._parser.Parse(body, True)

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        namespace, _, name = tag.rpartition(" ")
        if not self._path and not self._foreign and (namespace, name) != (NAMESPACE, "rsl"):
            raise _Flaw(f"root is {name} of the namespace {namespace or 'none'}"[:200])
        if len(self._path) + self._foreign > _MAX_DEPTH:
            raise _Flaw("nested too deeply")
        if self._foreign or namespace != NAMESPACE:
            self._foreign += 1
            return
        if name not in _ELEMENTS:
            raise _Flaw(f"unknown element {name}"[:200])
        self._path.append(name)
        self._text.clear()
        self._enter(name, attributes)

    def _enter(self, name: str, attributes: Mapping[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if name == "content":
            self._content, self._licences = (attributes, line), []
        elif name == "license":
            self._terms = {"permits": {}, "prohibits": {}, "payment": None, "reporting": False, "line": line}
        elif name in ("permits", "prohibits"):
            self._kind = attributes.get("type", "usage").strip().lower()
        elif name == "payment" and self._terms:
            kind = attributes.get("type", "").strip().lower()
            if self._terms["payment"] is None or kind not in _FREE:
                self._terms["payment"] = kind
        elif name in ("standard", "custom", "amount", "accepts") and self._terms.get("payment") in _FREE:
            self._terms["payment"] = name
        elif name == "reporting" and self._terms:
            self._terms["reporting"] = True

    def _end(self, tag: str) -> None:
        if self._foreign:
            self._foreign -= 1
            return
        name = self._path.pop()
        if name in ("permits", "prohibits") and self._path[-1:] == ["license"]:
            words = frozenset(filter(None, _SPACES.split("".join(self._text).lower())))
            told = self._terms[name]
            told[self._kind] = told.get(self._kind, frozenset()) | words
        elif name == "license" and self._path[-1:] == ["content"]:
            self._licences.append(_licence(self._terms))
        elif name == "content" and self._path == ["rsl"]:
            self.contents.append(_content(*self._content, tuple(self._licences)))


def _refuse(*_: object) -> NoReturn:
    raise _Flaw("it has a DTD")


def _content(attributes: Mapping[str, str], line: int, licences: tuple[Licence, ...]) -> Content:
    url = attributes.get("url", "").strip()
    scheme, slashes, place = url.partition("://")
    absolute = bool(slashes) and scheme.lower() in ("http", "https")
    if absolute:
        host, _, path = place.partition("/")
        written = f"//{host.lower()}/{path}"
    else:
        written = url if url.startswith(("/", "*")) or not url else f"/{url}"
    return Content(url, bool(attributes.get("server", "").strip()), licences, line, pattern(written), absolute)


def _licence(terms: Mapping[str, Any]) -> Licence:
    said = [
        f"{verb} {kind}: {' '.join(sorted(words))}"
        for verb in ("permits", "prohibits")
        for kind, words in terms[verb].items()
    ]
    if terms["payment"] is not None:
        said.append(f"payment: {terms['payment'] or 'free'}")
    if terms["reporting"]:
        said.append("reporting")
    return Licence(**terms, text="; ".join(said) or "no terms")


def signal(document: Document, url: str, document_url: str, field: str = "") -> Signal | None:
    """What a document says about training on a file; None if it says nothing about that file.

    Args:
        document: From `read`.
        url: Of the file.
        document_url: Where the document was read.
        field: Where it stood, if not in a file of its own.
    """
    if document.flaw:
        return Signal(name="rsl", says="unknown", value=document.flaw, url=document_url, field=field)
    path, place = octets(path_of(url)), octets(f"//{host_of(url)}{path_of(url)}")
    told = [_content_says(content) for content in document.contents if content.covers(path, place)]
    if not told:
        return None
    says, content, licence = _deciding(told)
    value = f"content {content.url or '(here)'}: {licence.text if licence else 'no licence'}"
    line = licence.line if licence else content.line
    return Signal(name="rsl", says=says, value=value[:VALUE_CHARS], url=document_url, field=field, line=line)


_Told = tuple[Says, Content, Licence | None]


def _deciding(told: list[_Told]) -> _Told:
    """The longest pattern goes first, of equal ones the strictest.

    What a narrow one leaves unknown, a wider one may deny but not allow.
    """
    ranks = {"deny": 0, "unknown": 1, "allow": 2}
    unknown = None
    for item in sorted(told, key=lambda item: (-item[1].pattern.length, ranks[item[0]])):
        if item[0] == "deny":
            return item
        if item[0] == "allow":
            return unknown or item
        unknown = unknown or item
    assert unknown
    return unknown


def _content_says(content: Content) -> _Told:
    """What the licences of a content say together, and which of them decides.

    A licence is an offer, so the best one counts; but what any of them prohibits stays prohibited.
    """
    for licence in content.licences:
        if _prohibits(licence):
            return "deny", content, licence
    told = [(_licence_says(licence, server=content.server), licence) for licence in content.licences]
    for wanted in ("allow", "unknown", "deny"):
        for says, licence in told:
            if says == wanted:
                return says, content, licence
    return "unknown", content, None


def _prohibits(licence: Licence) -> bool:
    """Words that are not in the specification count, if they speak of training."""
    return any(word in _TRAINING or "train" in word for word in licence.prohibits.get("usage", ()))


def _licence_says(licence: Licence, *, server: bool) -> Says:
    """What one licence, which does not prohibit it, says about training by anybody and without payment."""
    usages = licence.permits.get("usage")
    if usages is not None and usages.isdisjoint(_TRAINING):
        return "deny"
    if server or licence.reporting or (licence.payment or "") not in _FREE | _CONDITIONS:
        return "deny"
    restricted = any(kind != "usage" for kind in (*licence.permits, *licence.prohibits))
    return "unknown" if usages is None or restricted or licence.payment in _CONDITIONS else "allow"


def rsl_urls(headers: Mapping[str, Sequence[str]], url: str) -> tuple[str, ...]:
    """Where the Link headers of a response say that its RSL document is: absolute URLs.

    Args:
        headers: Names in lower case.
        url: That answered.
    """
    return absolute((link.target for link in links(headers.get("link", ())) if is_rsl(link.rels, link.type)), url)


def is_rsl(rels: Iterable[str], media_type: str) -> bool:
    """Whether a link leads to an RSL document. Words in lower case; a type may have parameters, in any case."""
    return "license" in rels and media_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def absolute(targets: Iterable[str], base: str) -> tuple[str, ...]:
    """URLs, resolved, each once; those that are none, or not http(s), are left as they are written."""
    return tuple(dict.fromkeys(_absolute(target.strip(), base) for target in targets))


def _absolute(target: str, base: str) -> str:
    try:
        joined = ada_url.join_url(base, target)
    except ValueError:
        return target
    return joined if joined.startswith(("http://", "https://")) else target
