"""Lists of what is never taken in, behind one seam; and what of them goes into a dataset's record.

Two groups of lists. Known illegal content: hashes of files, URLs and domains that hotlines and police share under
contract; a hit is counted and forgotten, see `allmende.safety.hits`. Unwanted content: public lists of domains and
URLs by category (trackers, piracy, adult), of which the recipe says which categories are dropped.

A list that silently matches nothing is the worst failure of all, so a line that is no entry, a list without entries or
a category that no list has stops the build before it starts. Messages name file and line, never the entry.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from allmende.recipe import Safety
from allmende.safety.block_list import About, BlockList, Found
from allmende.safety.domains import host_of
from allmende.safety.illegal import hash_list
from allmende.safety.pdq_index import MIN_QUALITY
from allmende.safety.unwanted import domain_lists


class Hit(NamedTuple):
    """Known illegal content was met."""

    about: About
    found: Found
    where: str
    """What hit: url, page, redirect or file."""
    url: str
    """The URL that was hit, or the URL of the file; a secret."""


class Lists(msgspec.Struct, frozen=True):
    """All lists of a recipe, loaded."""

    illegal: tuple[BlockList, ...] = ()
    unwanted: tuple[BlockList, ...] = ()

    @property
    def about(self) -> tuple[About, ...]:
        """What the dataset records."""
        return tuple(one.about for one in (*self.illegal, *self.unwanted))

    @property
    def digests(self) -> tuple[Literal["md5", "sha1"], ...]:
        """Digests that must be made of each file beside SHA-256."""
        kinds = {one.about.kind for one in self.illegal}
        asked: tuple[Literal["md5", "sha1"], ...] = ("md5", "sha1")
        return tuple(kind for kind in asked if kind in kinds)

    def illegal_urls(self, urls: Sequence[str], where: str) -> list[Hit | None]:
        """Which URLs are known for illegal content."""
        return [
            None if hit is None else Hit(hit[0], hit[1], where, url)
            for url, hit in zip(urls, _first(self.illegal, urls), strict=True)
        ]

    def unwanted_urls(self, urls: Sequence[str]) -> list[bool]:
        """Which URLs are of a category that is dropped."""
        return [hit is not None for hit in _first(self.unwanted, urls)]

    def illegal_file(self, url: str, hashes: dict[str, str], quality: int) -> Hit | None:
        """Whether a file is known.

        Args:
            url: Where it came from.
            hashes: By kind of list.
            quality: PDQ's; below `MIN_QUALITY` the perceptual hash is not compared.
        """
        for one in self.illegal:
            value = hashes.get(one.about.kind)
            if value is None or (one.about.kind == "pdq" and quality < MIN_QUALITY):
                continue
            if (found := one.find([value])[0]) is not None:
                return Hit(one.about, found, "file", url)
        return None


def load(safety: Safety) -> Lists:
    """Reads all lists of a recipe.

    Raises:
        RecipeError: if one can't be used, or would match nothing.
        MissingExtra: if one is encrypted, and decryption not installed.
    """
    illegal = tuple(hash_list(spec, safety) for spec in safety.hash_lists)
    return Lists(illegal, tuple(domain_lists(safety)))


class Record(msgspec.Struct, frozen=True):
    """`lists.json` of a dataset."""

    lists: tuple[About, ...]

    def encode(self) -> bytes:
        """As JSON, one list a line or so."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def _first(lists: Iterable[BlockList], urls: Sequence[str]) -> list[tuple[About, Found] | None]:
    """The first list of URLs or domains that each URL hits."""
    hits: list[tuple[About, Found] | None] = [None] * len(urls)
    hosts = [host_of(url) for url in urls]
    for one in lists:
        if one.about.kind not in ("url", "domain"):
            continue
        values = hosts if one.about.kind == "domain" else urls
        once = list(dict.fromkeys(values))
        found = dict(zip(once, one.find(once), strict=True))
        for at, value in enumerate(values):
            if hits[at] is None and (hit := found[value]) is not None:
                hits[at] = (one.about, hit)
    return hits
