"""What the JSON-LD of a page says: its images with words, and its licence (schema.org ImageObject and license).

Any JSON is taken as it is and walked, with bounds; JSON-LD's own rules (contexts, references) are not followed.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from allmende.extract.head import Mention
from allmende.extract.words import collapse, unescape_attribute

LONGEST = 2_000_000
"""Characters of a script; a longer one is not read."""
MOST_VALUES = 50_000
"""Objects and lists that are looked at in one script."""

_IMAGE_TYPES = frozenset({"imageobject", "photograph"})
_WORDS = ("caption", "name", "description")
_URLS = ("contentUrl", "url")


def read_json_ld(text: str) -> tuple[list[Mention], str]:
    """Images with words, in the order in which they stand there, and the licence of what is no image; else empty.

    An object counts as an image if its type is ImageObject, or if it is the value of an `image` property.
    """
    images: list[Mention] = []
    license_url = ""
    for value, is_image in _objects(_parsed(text)):
        if is_image or not _IMAGE_TYPES.isdisjoint(_types(value)):
            words = next(filter(None, (_text(value.get(name)) for name in _WORDS)), "")
            url = next(filter(None, (_url(value.get(name)) for name in _URLS)), "")
            if url and words:
                images.append(Mention(url, "json-ld", words))
        elif not license_url:
            license_url = _url(value.get("license"))
    return images, license_url


def _parsed(text: str) -> Any:
    text = text.strip()
    if len(text) > LONGEST or not text:
        return None
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        pass
    # What is wrong most often: line breaks in strings, comments around it, a semicolon behind it.
    text = text.removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>")
    try:
        return json.loads(text.strip().removesuffix(";"), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(root: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every object, outer ones first, and whether it is the value of `image`."""
    waiting: list[tuple[Any, bool]] = [(root, False)]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        value, is_image = waiting.pop()
        if isinstance(value, dict):
            yield value, is_image
            inside = [(inner, name == "image") for name, inner in value.items() if isinstance(inner, (dict, list))]
        elif isinstance(value, list):
            inside = [(inner, is_image) for inner in value if isinstance(inner, (dict, list))]
        else:
            continue
        waiting += reversed(inside)


def _types(value: dict[str, Any]) -> set[str]:
    """The types, in lower case, without `schema:` or `https://schema.org/`."""
    told = value.get("@type")
    names = told if isinstance(told, list) else [told]
    return {name.rpartition("/")[2].rpartition(":")[2].lower() for name in names if isinstance(name, str)}


def _text(value: Any) -> str:
    """A text; of several (as for several languages) the first. Many sites escape it as if it stood in HTML."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@value") or value.get("text")
    return collapse(unescape_attribute(value)) if isinstance(value, str) else ""


def _url(value: Any) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("@id") or value.get("url")
    return value if isinstance(value, str) else ""
