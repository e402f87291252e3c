"""The Link header (RFC 8288, section 3): `<target>; rel="license"; type="application/rsl+xml", <...>`.

Own code, because what there is either splits at commas, which URLs and quoted strings may contain (requests,
`parse_header_links`), or has not been touched for ten years (LinkHeader). A malformed link costs itself, never those
behind it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TARGET = re.compile(r"<([^<>]*)>")
_PARAMETER = re.compile(r'\s*;\s*([^\s=;,"<>]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class HeaderLink(NamedTuple):
    """One link."""

    target: str
    """As written."""
    parameters: dict[str, str]
    """Names in lower case; of one that comes twice, the first counts (RFC 8288, section 3.3)."""

    @property
    def rels(self) -> list[str]:
        """Its relation types, in lower case."""
        return self.parameters.get("rel", "").lower().split()

    @property
    def type(self) -> str:
        """The media type that its target is said to have."""
        return self.parameters.get("type", "")


def links(values: Sequence[str]) -> Iterator[HeaderLink]:
    """All links in the values of some Link headers."""
    for value in values:
        at = 0
        while target := _TARGET.search(value, at):
            at = target.end()
            parameters: dict[str, str] = {}
            while found := _PARAMETER.match(value, at):
                at = found.end()
                name, quoted, token = found.groups()
                written = _ESCAPED.sub(r"\1", quoted) if quoted is not None else token or ""
                parameters.setdefault(name.lower().rstrip("*"), written)
            yield HeaderLink(target[1].strip(), parameters)
