"""The seam of lists, and the three kinds of them: exact digests, perceptual hashes, names of places."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain
from typing import NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np

from allmende.errors import RecipeError
from allmende.safety.digest_set import DigestSet
from allmende.safety.list_file import ListFile
from allmende.safety.pdq_index import PdqIndex, parse


class About(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a dataset records of a list: never an entry of it."""

    name: str
    kind: str
    date: str
    entries: int
    sha256: str
    """Of the file as it lies on disk, encrypted or not."""
    category: str = ""
    """Of unwanted content; empty for known illegal content."""
    salted: bool = False
    encrypted: bool = False
    skipped: int = 0
    """Lines that are no entry, or that have too little detail to be compared (pdq)."""
    distance: int | None = None
    """Bits that may differ (pdq)."""


class Found(NamedTuple):
    """An entry that was hit."""

    entry: str
    """As the list spells it; a secret."""
    distance: int | None = None


class BlockList(Protocol):
    """A list that values can be looked up in. Made once, then only read."""

    @property
    def about(self) -> About:
        """What may be told of it."""

    def find(self, values: Sequence[str]) -> list[Found | None]:
        """The entry that each value hits, or None.

        Args:
            values: Of the list's kind: digests and PDQ hashes in lower-case hexadecimal, URLs as `extract.urls`
                normalises them, hosts as they stand in these.
        """


class DigestList:
    """Exact digests of files: md5, sha1, sha256; or keyed hashes of these."""

    def __init__(self, about: About, digests: DigestSet, key: Callable[[str], bytes] | None):
        self.about = about
        self._digests = digests
        self._key = key or bytes.fromhex

    def find(self, values: Sequence[str]) -> list[Found | None]:
        """See `BlockList.find`."""
        keys = [self._key(value) for value in values]
        return [Found(key.hex()) if hit else None for key, hit in zip(keys, self._digests.has(keys), strict=True)]


class PdqList:
    """Perceptual hashes: near ones hit too."""

    def __init__(self, about: About, index: PdqIndex):
        self.about = about
        self._index = index

    def find(self, values: Sequence[str]) -> list[Found | None]:
        """See `BlockList.find`."""
        if not values:
            return []
        found, bits = self._index.nearest(np.stack([parse(value) for value in values]))
        return [
            None if at < 0 else Found(self._index.text(at), near)
            for at, near in zip(found.tolist(), bits.tolist(), strict=True)
        ]


class NameList:
    """Domains or URLs, which also hit what is below them; or keyed hashes of these."""

    def __init__(
        self,
        about: About,
        digests: DigestSet,
        forms: Callable[[str], Iterator[str]],
        key: Callable[[str], bytes] | None = None,
    ):
        self.about = about
        self._digests = digests
        self._forms = forms
        self._key = key or name_key

    def find(self, values: Sequence[str]) -> list[Found | None]:
        """See `BlockList.find`."""
        forms = [list(self._forms(value)) for value in values]
        keys = [self._key(form) for form in chain.from_iterable(forms)]
        hits = iter(self._digests.has(keys).tolist())
        found: list[Found | None] = []
        for some in forms:
            hit = [form for form in some if next(hits)]
            found.append(Found(hit[0]) if hit else None)
        return found


def name_key(name: str) -> bytes:
    """What is kept in memory of a domain or URL: 128 bits, whatever its length."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


T = TypeVar("T", bound=BlockList)


def about_of(file: ListFile, kind: str, entries: int, *, skipped: int = 0, distance: int | None = None) -> About:
    """What is recorded of a list that was read."""
    return About(
        name=file.heading.name,
        kind=kind,
        date=file.heading.date,
        entries=entries,
        sha256=file.sha256,
        category=file.heading.category,
        salted=bool(file.heading.salt),
        encrypted=file.encrypted,
        skipped=skipped,
        distance=distance,
    )


def filled(found: T) -> T:
    """The list, if it has entries."""
    if not found.about.entries:
        raise RecipeError(f"List {found.about.name} has no entries: it would match nothing.")
    return found
