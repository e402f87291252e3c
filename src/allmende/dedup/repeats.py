"""Lines or paragraphs that many pages of a host have: menus, notices, teasers that main-text extraction left.

As CCNet's paragraph dedup (Wenzek et al. 2020): lines are the unit, compared without case, punctuation and numbers, and one
that is frequent goes from every document. What is different: CCNet calls a line frequent that occurs twice in a group
of shards, whatever its host. Here it must be in many documents of one host, which spares what people quote all over the web.
C4's rule (all but one of any three sentences that occur twice in the whole dataset) isn't reproduced.

It takes two passes: `Counter` gets the hashed lines of all documents of some hosts, in any order, and finds the frequent ones;
`remove` takes these out of each text, or of its Markdown, whose marks don't count. Memory is 24 bytes for each
different line that is counted, three times that for moments; lines of too many documents can be counted in several turns.
"""

import re
from hashlib import blake2b
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allmende.dedup.simplify import simple_parts

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]

MOST_PARTS = 10_000
"""Lines of a document that are looked at; those after them stay and count for nothing."""

_PENDING = 1 << 20
"""Keys that wait before they are counted."""

_breaks = {"line": re.compile(r"\n"), "paragraph": re.compile(r"\n[^\S\n]*\n\s*")}
_gap = re.compile(r"\n{3,}")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is frequent."""

    unit: Literal["line", "paragraph"] = "line"
    """What is compared; paragraphs have empty lines between them."""
    documents: int = 10
    """In at least so many documents of the host."""
    share: float = 0.1
    """And in at least this share of them: 0 to 1."""


class Removed(NamedTuple):
    """What is left of a text."""

    text: str
    lines: int
    """Lines, or paragraphs, that went."""
    chars: int
    """Characters that it lost."""


class Counter:
    """Counts lines: in how many documents of its host is each?

    Args:
        options: What is frequent.
        turn: Which of several turns this is, and how many there are; each counts its share of the lines.
    """

    def __init__(self, options: Options, turn: tuple[int, int] = (0, 1)):
        self._options = options
        self._turn = turn
        self._lines = _Counts()
        self._hosts = _Counts()

    def add(self, documents: pa.RecordBatch) -> None:
        """Counts documents.

        Args:
            documents: Columns `host_key` (uint64) and `lines` (lists of uint64, from `different_lines`).
        """
        hosts, lines = documents.column("host_key").to_numpy(), documents.column("lines")
        self._hosts.add(hosts, hosts)
        keys, owners = pc.list_flatten(lines).to_numpy(), hosts[pc.list_parent_indices(lines).to_numpy()]
        number, turns = (np.uint64(value) for value in self._turn)
        mine = keys % turns == number
        self._lines.add(keys[mine], owners[mine])

    def frequent(self) -> tuple[Hashes, Hashes]:
        """Keys of frequent lines, sorted, and the host of each. Those of several turns may be joined."""
        keys, hosts, counts = self._lines.result()
        known, _, documents = self._hosts.result()
        enough = counts >= self._options.documents
        keys, hosts, counts = keys[enough], hosts[enough], counts[enough]
        of_host = documents[np.searchsorted(known, hosts)]
        many = counts >= self._options.share * of_host
        return keys[many], hosts[many]


def different_lines(text: str, host_key: int, options: Options) -> Hashes:
    """The key of each different line of a text that has letters or digits, sorted; for `Counter`."""
    keys = np.unique(line_keys(text, host_key, options)[0])
    return keys[1:] if len(keys) and not keys[0] else keys


def remove(text: str, host_key: int, frequent: Hashes, options: Options) -> Removed:
    """The text without frequent lines. Where lines went, at most one empty line is left.

    Args:
        text: A text, or the same as Markdown.
        host_key: Of its host.
        frequent: Keys of frequent lines, sorted; those of other hosts among them do nothing.
        options: Those with which they were counted.
    """
    keys, ends = line_keys(text, host_key, options)
    there = _within(keys, frequent)
    if not there.any():
        return Removed(text, 0, 0)
    kept = [
        text[begin:end] for (begin, end), gone in zip(pairwise([0, *ends]), there.tolist(), strict=True) if not gone
    ]
    rest = _gap.sub("\n\n", "".join([*kept, text[ends[-1] :]])).strip("\n")
    return Removed(rest, int(there.sum()), len(text) - len(rest))


def frequent_lines(text: str, host_key: int, frequent: Hashes, options: Options) -> list[str]:
    """The lines that `remove` takes out, in order, without white space around them."""
    keys, ends = line_keys(text, host_key, options)
    spans = zip(pairwise([0, *ends]), _within(keys, frequent).tolist(), strict=True)
    return [text[begin:end].strip() for (begin, end), gone in spans if gone]


def _within(keys: Hashes, frequent: Hashes) -> NDArray[np.bool_]:
    """Which keys are among the frequent ones, which are sorted."""
    at = np.searchsorted(frequent, keys)
    there = np.zeros(len(keys), np.bool_)
    inside = at < len(frequent)
    there[inside] = frequent[at[inside]] == keys[inside]
    return there


def line_keys(text: str, host_key: int, options: Options) -> tuple[Hashes, list[int]]:
    """A key for each line, 0 for one without letters and digits; and where each ends, its line feed included."""
    separator = _breaks[options.unit]
    ends = [found.end() for _, found in zip(range(MOST_PARTS), separator.finditer(text), strict=False)]
    if len(ends) < MOST_PARTS:
        ends.append(len(text))
    host = host_key.to_bytes(8, "little")
    parts = simple_parts(text[: ends[-1]], separator)[: len(ends)]
    keys = (blake2b(part.encode(), digest_size=8, key=host).digest() if part else bytes(8) for part in parts)
    return np.frombuffer(b"".join(keys), "<u8").astype(np.uint64), ends


class _Counts:
    """How often each key came, in little memory; each belongs to one host."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.uint64)
        self._hosts = np.empty(0, np.uint64)
        self._counts = np.empty(0, np.int64)
        self._waiting: list[tuple[Hashes, Hashes]] = []
        self._size = 0

    def add(self, keys: Hashes, hosts: Hashes) -> None:
        self._waiting.append((keys, hosts))
        self._size += len(keys) + 1
        if self._size > max(_PENDING, len(self._keys)):
            self._merge()

    def result(self) -> tuple[Hashes, Hashes, Counts]:
        """Keys, sorted, their hosts, and how often they came."""
        self._merge()
        return self._keys, self._hosts, self._counts

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
        hosts = np.concatenate([self._hosts, *(hosts for _, hosts in self._waiting)])
        counts = np.concatenate([self._counts, np.ones(len(keys) - len(self._keys), np.int64)])
        self._waiting, self._size = [], 0
        order = np.argsort(keys)
        keys = keys[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else order
        self._keys, self._hosts = keys[starts], hosts[order][starts]
        self._counts = np.add.reduceat(counts[order], starts) if len(keys) else counts
