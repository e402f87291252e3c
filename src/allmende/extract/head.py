"""What the head of a page and its HTTP headers say: language, licence, reservations, and images that stand for it.

Both sources of pages use this, so that a fact from a WAT and from a WARC is the same.
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from allmende.commoncrawl.wat import HeadLink, Meta
from allmende.extract.page import Facts, Links
from allmende.extract.urls import normalise
from allmende.extract.words import collapse
from allmende.permission import meta_robots, rsl, tdmrep
from allmende.permission.agents import listed
from allmende.permission.licences import license_id
from allmende.permission.meta_robots import AGENT_ENDS
from allmende.permission.x_robots_tag import OURS
from allmende.schema import Reason

Headers = Mapping[str, str | list[str]]
"""HTTP headers as they came: any case, a list where one came several times."""


class Mention(msgspec.Struct, frozen=True, gc=False):
    """An image that the head names, or JSON-LD."""

    url: str
    """As it stands there."""
    found_in: str
    """og:image, twitter:image, image_src or json-ld."""
    text: str
    """What is said about it. In the head: its own alt text, else the page's og:title or twitter:title."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """The head of a page, read."""

    facts: Facts
    mentions: list[Mention]


_HEADERS = frozenset({"x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage", "link", "content-language"})
_IMAGES = {
    "og:image": "og:image",
    "og:image:url": "og:image",
    "og:image:secure_url": "og:image",
    "twitter:image": "twitter:image",
    "twitter:image:src": "twitter:image",
}
_ALTS = {"og:image:alt": "og:image", "twitter:image:alt": "twitter:image"}
_TITLES = frozenset({"og:title", "twitter:title"})
_SIGNALS = frozenset({"tdm-reservation", "tdm-policy", "html@/lang", "html@/xml:lang", "content-language"})
_NO_RULES = _IMAGES.keys() | _ALTS.keys() | _TITLES | _SIGNALS
_WANTED = _NO_RULES | meta_robots.ROBOTS | OURS | listed()
_MOST_NAMES, _LONGEST_NAME = 10_000, 100
_MOST_SCRIPT = 10_000
"""Characters of an RSL licence in a page that are kept. One that is longer can't be read any more, and is unknown."""


class _Names(dict[str, str]):
    """Names as they are written, to lower case; empty for those that are not wanted.

    The same few hundred are met over and over: to look one up costs a third of finding out.
    """

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        super().__init__()
        self._is_wanted = is_wanted

    def __missing__(self, written: str) -> str:
        lower = written.lower()
        known = lower if self._is_wanted(lower) else ""
        if len(self) >= _MOST_NAMES:
            self.clear()
        if len(written) <= _LONGEST_NAME:
            self[written] = known
        return known


META_NAMES = _Names(lambda name: name in _WANTED or name.endswith(AGENT_ENDS))
HEADER_NAMES = _Names(_HEADERS.__contains__)
RELS = _Names(lambda rel: "license" in rel or "image_src" in rel)


def read_head(
    metas: Iterable[Meta],
    links: Iterable[HeadLink],
    headers: Headers,
    base: str,
    license_url: str,
    scripts: Iterable[str] = (),
) -> Reading:
    """Facts and images of a page's head.

    Args:
        metas: Its <meta> tags; `<html lang>` as a meta named `HTML@/lang`, as a WAT has it.
        links: Its <link> tags.
        headers: Its HTTP headers.
        base: What links are relative to.
        license_url: Target of rel=license in the body, as it stands there; the head's own goes first.
        scripts: RSL licences that stand in the page; a WAT has none.
    """
    told = [
        (name, meta.content) for meta in metas if (name := META_NAMES[meta.property or meta.name or meta.http_equiv])
    ]
    # Most <link> are style sheets and icons: only those that may be wanted are looked at closely.
    marked = [link for link in links if RELS[link.rel]]
    return read_wanted(told, marked, _lines(headers), base, license_url, scripts)


def read_wanted(
    told: list[tuple[str, str]],
    links: Iterable[HeadLink],
    lines: dict[str, list[str]],
    base: str,
    license_url: str,
    scripts: Iterable[str] = (),
) -> Reading:
    """`read_head` for someone who has chosen already.

    Args:
        told: Names and contents of the <meta> tags that have a name in `META_NAMES`: what stands there.
        links: Those <link> tags whose rel has one in `RELS`.
        lines: Values of each HTTP header that has one in `HEADER_NAMES`.
        base: See `read_head`.
        license_url: See there.
        scripts: See there.
    """
    said: dict[str, list[str]] = {}
    for name, content in told:
        said.setdefault(name, []).append(content)
    marked = [(RELS[link.rel].split(), link) for link in links]
    licenses = [link.url for rels, link in marked if link.url and "license" in rels and not rsl.is_rsl(rels, link.type)]
    sources = [link.url for rels, link in marked if "image_src" in rels]
    if license_url:
        licenses.append(license_url)
    if "link" in lines and "icense" not in "\n".join(lines["link"]):  # most are about something else
        del lines["link"]
    rules = None if said.keys() <= _NO_RULES else _rules(told)
    terms = [link.url for rels, link in marked if link.url and rsl.is_rsl(rels, link.type)]
    rsl_lines = _rsl_lines(terms, lines, base, scripts) if terms or scripts or "link" in lines else None
    return Reading(
        _facts(said, lines, base, licenses, rules, rsl_lines),
        _mentions(told, sources) if sources or not said.keys().isdisjoint(_IMAGES) else [],
    )


def _lines(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        if value != [] and (wanted := HEADER_NAMES[name]):
            found.setdefault(wanted, []).extend([value] if isinstance(value, str) else value)
    return found


def _rules(told: list[tuple[str, str]]) -> str | None:
    return meta_robots.stored((name, collapse(content)) for name, content in told if name not in _NO_RULES)


def _rsl_lines(linked: list[str], headers: Mapping[str, list[str]], base: str, scripts: Iterable[str]) -> str | None:
    urls = (*rsl.rsl_urls(headers, base), *rsl.absolute(linked, base))
    lines = dict.fromkeys(map(collapse, (*urls, *(script[:_MOST_SCRIPT] for script in scripts))))
    return "\n".join(filter(None, lines)) or None


def _reservation(places: list[list[str]]) -> str | None:
    """The value of the first place that says 0 or 1; else of the first that says anything."""
    if not places:
        return None
    told = [signal for values in places if (signal := tdmrep.value_signal([*map(collapse, values)], tdmrep.META))]
    told.sort(key=lambda signal: signal.says == "unknown")
    return told[0].value if told else None


def _facts(
    said: Mapping[str, list[str]],
    headers: Mapping[str, list[str]],
    base: str,
    licenses: list[str],
    rules: str | None,
    rsl_lines: str | None,
) -> Facts:
    license_at = _license(licenses[0], base) if licenses else None
    return Facts(
        _first("html@/lang", said)
        or _first("html@/xml:lang", said)
        or _first("content-language", said)
        or _first("content-language", headers),
        None if isinstance(license_at, Reason) else license_at,
        rules,
        _joined("x-robots-tag", headers),
        _reservation([of["tdm-reservation"] for of in (said, headers) if "tdm-reservation" in of]),
        _first("tdm-policy", said) or _first("tdm-policy", headers),
        _joined("content-usage", headers),
        rsl_lines,
    )


def _first(name: str, values: Mapping[str, list[str]]) -> str | None:
    return (collapse(values[name][0]) or None) if name in values else None


def _joined(name: str, values: Mapping[str, list[str]]) -> str | None:
    return "\n".join(filter(None, map(collapse, values[name]))) or None if name in values else None


def _license(target: str, base: str) -> str | Reason:
    """A licence's URL; or its name, as some write where schema.org wants a URL."""
    is_name = "/" not in target and license_id(target)
    return collapse(target) if is_name else normalise(target, base)


def _mentions(told: list[tuple[str, str]], sources: list[str]) -> list[Mention]:
    """Images in the order of the head. An alt belongs to the image before it, as the Open Graph protocol says."""
    titles = {name: text for name, content in reversed(told) if name in _TITLES and (text := collapse(content))}
    title = titles.get("og:title") or titles.get("twitter:title") or ""
    images: list[tuple[str, str, str]] = []
    for name, content in told:
        kind = _IMAGES.get(name)
        if kind and not (name.endswith("url") and images and images[-1][0] == kind):
            images.append((kind, content, ""))
        elif images and images[-1][0] == _ALTS.get(name):
            images[-1] = (*images[-1][:2], images[-1][2] or collapse(content))
    images += [("image_src", source, "") for source in sources]
    return [Mention(url, kind, alt or title) for kind, url, alt in images]


def add_mentions(
    images: Links, dropped: dict[Reason, int], mentions: Iterable[Mention], base: str, longest: int
) -> None:
    """Add the images that the head or JSON-LD names to those of the page.

    One that the page shows too is the same image: it gets those words in addition, and no second link.

    Args:
        images: Links of the page; new ones are appended.
        dropped: Counts by Reason; those without a URL or words are added.
        mentions: From `read_head`, `read_json_ld`.
        base: What links are relative to.
        longest: Most characters of a URL.
    """
    named = []
    for mention in mentions:
        url = normalise(mention.url, base, longest)
        if isinstance(url, Reason):
            dropped[url] = dropped.get(url, 0) + 1
        else:
            named.append((url, mention.found_in, mention.text))
    if wordless := images.add_named(named):
        dropped[Reason.NO_CAPTION] = dropped.get(Reason.NO_CAPTION, 0) + wordless
