"""MinHash signatures of texts: near-duplicates share a band (Broder 1997; bands as in FineWeb, Penedo et al. 2024).

Text is simplified, cut into words, and every run of `ngram` words hashed. Each of `bands x rows` hash functions
contributes the smallest value that it gives to any run; `rows` of these make a band. Two documents whose runs agree to a
share s (Jaccard) have a band in common with the probability 1 - (1 - s^rows)^bands: 0.92 at s = 0.8 with 14 x 8.

The hash functions are a x + b modulo 2**64 with odd a (multiply-shift, Dietzfelbinger et al. 1997) on values that are
mixed well already: no modulo a prime, which is what takes the time elsewhere. 64-bit words are hashed once each and remembered.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

REMEMBERED = 500_000
"""Words whose hash is remembered: some 60 MB."""

_AT_ONCE = 4_096
"""Runs that are hashed together: 112 functions on them take 3.7 MB."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as near. The defaults are FineWeb's and FineWeb-2's."""

    ngram: int = 5
    """Words in a run."""
    bands: int = 14
    rows: int = 8
    """Hash functions in a band."""
    seed: int = 1


def similarity_found(options: Options, jaccard: float) -> float:
    """Probability that two texts of this similarity share a band."""
    return float(1 - (1 - jaccard**options.rows) ** options.bands)


class Signer:
    """Makes signatures. Holds nothing but hash functions and remembered words.

    Args:
        options: See there.
        words: Cuts a simplified text into words.
    """

    def __init__(self, options: Options, words: Callable[[str], list[str]] = str.split):
        self._options = options
        self._words = words
        self._known: dict[str, int] = {}
        self._factors, self._shifts = _functions(options)

    def sign(self, text: str) -> Hashes | None:
        """The bands of a text, uint64 of shape (bands,); None if it has fewer words than a run."""
        runs = self.runs(text)
        if not len(runs):
            return None
        least = np.full(len(self._factors), np.iinfo(np.uint64).max, np.uint64)
        for begin in range(0, len(runs), _AT_ONCE):
            some = runs[begin : begin + _AT_ONCE]
            values = self._factors[:, None] * some[None, :]
            values += self._shifts[:, None]
            np.minimum(least, values.min(axis=1), out=least)
        return _chained(least.reshape(self._options.bands, self._options.rows).T)

    def runs(self, text: str) -> Hashes:
        """A hash for each run of `ngram` words; equal runs have equal hashes in every document and process."""
        words = self._words(simplify(text))
        count = len(words) - self._options.ngram + 1
        if count <= 0:
            return np.empty(0, np.uint64)
        known = self._known
        if len(known) > REMEMBERED:
            known.clear()
        try:
            hashes = np.array([known[word] for word in words], np.uint64)
        except KeyError:
            known.update((word, _hash(word)) for word in set(words) - known.keys())
            hashes = np.array([known[word] for word in words], np.uint64)
        return np.unique(_chained(np.stack([hashes[step : step + count] for step in range(self._options.ngram)])))


def _chained(values: Hashes) -> Hashes:
    """One hash for each column of a matrix; the order of its values counts."""
    chained = np.zeros(values.shape[1], np.uint64)
    for row in values:
        chained = _mix((chained + row) * _FACTOR)
    return chained


def _mix(x: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): every bit of the input moves half of the output's."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = x ^ (x >> np.uint64(31))
    return mixed


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@lru_cache(maxsize=8)
def _functions(options: Options) -> tuple[Hashes, Hashes]:
    """Factors (odd) and shifts of the hash functions, from BLAKE2b of the seed: the same on every machine."""
    count = options.bands * options.rows
    raw = b"".join(blake2b(f"{options.seed}/{i}".encode(), digest_size=16).digest() for i in range(count))
    numbers = np.frombuffer(raw, "<u8").astype(np.uint64)
    return numbers[::2] | np.uint64(1), numbers[1::2].copy()


_number = re.compile(r"\d+(?:[.,\u060c\u066b]\d+)?")
_not_word = re.compile(r"[\W_]+")


@cache
def _marks() -> Callable[[str, str], str]:
    """Replaces non-spacing marks (category Mn) of the Basic Multilingual Plane."""
    marks = [chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) == "Mn"]
    return re.compile(f"[{''.join(marks)}]+").sub


def simplify(text: str) -> str:
    """Lower case, without accents and punctuation, every number 0: what does not make a text another one.

    As datatrove's `simplify_text`, but that removes marks of the list that FineWeb counts as punctuation, and this all
    that are no letters, digits or combining marks.
    """
    text = _number.sub("0", text.lower())
    if not text.isascii():
        text = _marks()("", unicodedata.normalize("NFD", text))
    return _not_word.sub(" ", text).strip()
