"""Which licence a page names: Creative Commons and other open licences by their URLs or names, as facts.

A fact, never a verdict: that a page links to a licence says neither what on it is licensed nor by whom, and a licence to
copy is no word on mining. Ids are those of the SPDX licence list 3.27 in lower case, such as `cc-by-sa-3.0-de`; what SPDX
does not list is named in the same manner: ports (`cc-by-2.0-uk`), versions left out (`cc-by`), retired licences.

schema.org has `license` as a URL or a CreativeWork; people also write names ("CC BY-SA 4.0") there.
"""

import re
from functools import lru_cache

VERSION = "SPDX licence list 3.27; Creative Commons licences and public domain tools, all versions and ports"

_MOST_CHARS = 500
_ELEMENTS = ("by", "nc", "nd", "sa")
"""In the order of SPDX; version 1.0 wrote nd before nc."""
_SPECIAL = {
    "sampling": "cc-sampling",
    "sampling+": "cc-sampling-plus",
    "nc-sampling+": "cc-nc-sampling-plus",
    "devnations": "cc-devnations",
    "publicdomain": "cc-pddc",
    "gpl": "gpl",
    "lgpl": "lgpl",
    "bsd": "bsd",
    "mit": "mit",
}
"""Retired licences of Creative Commons, and those of others that it wrapped."""

_CC_PLACE = re.compile(
    r"(?:(?:[a-z-]+\.)?creativecommons\.(?:org|ca|net)|licensebuttons\.net)"
    r"/(?P<kind>licen[cs]es?|publicdomain|l|p)/(?P<path>[^?#]*)"
)
_VERSION = re.compile(r"\d\.\d")
_PORT = re.compile(r"[a-z]{2}|igo|scotland")
_NAME = re.compile(
    r"(?:cc|creative[ -]commons)[ -]*"
    r"(?P<parts>(?:(?:by|nc|nd|sa|attribution|non-?commercial|no-?deriv(?:ative)?s(?: works)?|share-?alike)[ /-]*)+)"
    r"(?:licen[cs]e )?(?:v(?:ersion)?\.? ?)?(?P<version>\d\.\d)?"
    r"(?:[ -]+(?:international|unported|generic|(?P<port>[a-z]{2}|igo)))?(?: (?:public )?licen[cs]e)?"
)
_WORDS = {"attribution": "by", "non": "nc", "no": "nd", "share": "sa"}
_ZERO_NAME = re.compile(
    r"(?:cc[ -]?0|cc[ -]zero|creative[ -]commons[ -]zero)(?:[ -]*v?(?P<version>1\.0))?(?: universal)?"
)

_OTHERS = {
    "apache.org/licenses/license-2.0": "apache-2.0",
    "opensource.org/license/mit": "mit",
    "opensource.org/licenses/mit": "mit",
    "opensource.org/licenses/apache-2.0": "apache-2.0",
    "opendatacommons.org/licenses/by": "odc-by-1.0",
    "opendatacommons.org/licenses/by/1-0": "odc-by-1.0",
    "opendatacommons.org/licenses/odbl": "odbl-1.0",
    "opendatacommons.org/licenses/odbl/1-0": "odbl-1.0",
    "opendatacommons.org/licenses/odbl/1.0": "odbl-1.0",
    "opendatacommons.org/licenses/pddl": "pddl-1.0",
    "opendatacommons.org/licenses/pddl/1-0": "pddl-1.0",
    "opendatacommons.org/licenses/pddl/1.0": "pddl-1.0",
    "nationalarchives.gov.uk/doc/open-government-licence": "ogl-uk",
    "nationalarchives.gov.uk/doc/open-government-licence/version/1": "ogl-uk-1.0",
    "nationalarchives.gov.uk/doc/open-government-licence/version/2": "ogl-uk-2.0",
    "nationalarchives.gov.uk/doc/open-government-licence/version/3": "ogl-uk-3.0",
    "govdata.de/dl-de/by-1-0": "dl-de-by-1.0",
    "govdata.de/dl-de/by-2-0": "dl-de-by-2.0",
    "govdata.de/dl-de/zero-2-0": "dl-de-zero-2.0",
    "gnu.org/licenses/fdl": "gfdl",
    "gnu.org/copyleft/fdl": "gfdl",
    "gnu.org/licenses/fdl-1.2": "gfdl-1.2",
    "gnu.org/licenses/fdl-1.3": "gfdl-1.3",
    "gnu.org/licenses/old-licenses/fdl-1.2": "gfdl-1.2",
    "gnu.org/licenses/gpl-3.0": "gpl-3.0",
    "gnu.org/licenses/old-licenses/gpl-2.0": "gpl-2.0",
    "artlibre.org/licence/lal": "lal-1.3",
    "unsplash.com/license": "unsplash",
    "pexels.com/license": "pexels",
    "pixabay.com/service/license": "pixabay",
    "pixabay.com/service/license-summary": "pixabay",
    "rightsstatements.org/vocab/inc/1.0": "rightsstatements-inc-1.0",
    "rightsstatements.org/vocab/noc-nc/1.0": "rightsstatements-noc-nc-1.0",
    "rightsstatements.org/vocab/noc-okli/1.0": "rightsstatements-noc-oklr-1.0",
    "rightsstatements.org/vocab/noc-us/1.0": "rightsstatements-noc-us-1.0",
    "rightsstatements.org/vocab/und/1.0": "rightsstatements-und-1.0",
    "rightsstatements.org/vocab/cne/1.0": "rightsstatements-cne-1.0",
}
"""By host and path, without www., file ending and last slash."""


@lru_cache(maxsize=16_384)
def license_id(text: str) -> str | None:
    """The id of a licence; None if it is none that we know.

    Args:
        text: A URL in any spelling, with or without scheme, to deed, legal code or badge; an SPDX id; or a name.
    """
    text = " ".join(text[:_MOST_CHARS].lower().split())
    place = re.sub(r"^(?:https?:)?//", "", text)
    if match := _CC_PLACE.match(place):
        return _of_url(match["kind"], match["path"])
    if "/" in place and "." in place.partition("/")[0]:
        path = re.sub(r"[?#].*$", "", place).removeprefix("www.").removesuffix("/")
        return _OTHERS.get(re.sub(r"\.(?:html?|txt|php|[a-z]{2}\.html)$|/deed\.[a-z]{2}$", "", path))
    return _of_name(text)


def _of_url(kind: str, path: str) -> str | None:
    words = [word for word in path.split("/") if word]
    if not words:
        return None
    name, *rest = words
    version = next((word for word in rest if _VERSION.fullmatch(word)), "")
    if kind in ("publicdomain", "p"):
        return {"zero": f"cc0-{version or '1.0'}", "mark": f"cc-pdm-{version or '1.0'}"}.get(name)
    if name in _SPECIAL:
        return "-".join(filter(None, (_SPECIAL[name], version)))
    elements = name.split("-")
    if not set(elements) <= set(_ELEMENTS):
        return None
    after = rest[rest.index(version) + 1 :] if version else []
    port = next((word for word in after[:1] if _PORT.fullmatch(word)), "")
    return _joined(elements, version, port)


def _joined(elements: list[str], version: str, port: str) -> str:
    ordered = [element for element in _ELEMENTS if element in elements]
    return "-".join(filter(None, ("cc", *ordered, version, port)))


def _of_name(text: str) -> str | None:
    if match := _ZERO_NAME.fullmatch(text):
        return "cc0-1.0"
    if text in ("public domain mark", "public domain mark 1.0", "cc-pdm-1.0"):
        return "cc-pdm-1.0"
    if not (match := _NAME.fullmatch(text)):
        return text if text in _OTHERS.values() else None
    words = re.findall(r"attribution|non|no(?=-?deriv)|share|by|nc|nd|sa", match["parts"])
    elements = [_WORDS.get(word, word) for word in words]
    return _joined(elements, match["version"] or "", match["port"] or "")
