"""MinHash signatures of texts: near-duplicates share a band (Broder 1997; bands as in FineWeb, Penedo et al. 2024).

Text is simplified, cut into words, and every run of `ngram` words hashed. Each of `bands x rows` hash functions
contributes the smallest value that it gives to any run; `rows` of these make a band. Two documents whose runs agree to a
share s (Jaccard) have a band in common with the probability 1 - (1 - s^rows)^bands: 0.92 at s = 0.8 with 14 x 8.

The hash functions are a x + b modulo 2**32 with odd a (multiply-shift, Dietzfelbinger et al. 1997) on values that are
mixed well already: no modulo a prime, which is what takes the time elsewhere. 32 bits are enough for the smallest of a
document's values, since eight of these make a band; bands have 64 bits.
"""

from functools import lru_cache
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from allmende.dedup.simplify import Words, run_hashes, word_hashes

Hashes = NDArray[np.uint64]
Functions = NDArray[np.uint32]

_AT_ONCE = 1_024
"""Runs that are hashed together: 112 functions on them take 460 kB, which stays in the cache of a core."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as near. The defaults are FineWeb's and FineWeb-2's."""

    ngram: int = 5
    """Words in a run."""
    bands: int = 14
    rows: int = 8
    """Hash functions in a band."""
    seed: int = 1


class Signer:
    """Makes signatures. Holds nothing but hash functions.

    Args:
        options: See there.
        words: Another way to cut words than that of `simplify.py`, which suits languages with and without spaces.
    """

    def __init__(self, options: Options, words: Words | None = None):
        self._options = options
        self._words = words
        self._factors, self._shifts = _functions(options)

    def sign(self, text: str) -> Hashes | None:
        """The bands of a text, uint64 of shape (bands,); None if it has fewer words than a run."""
        runs = run_hashes(word_hashes(text, self._words), self._options.ngram)
        if not len(runs):
            return None
        values = (runs >> np.uint64(32)).astype(np.uint32)
        least = np.full(len(self._factors), np.iinfo(np.uint32).max, np.uint32)
        for begin in range(0, len(values), _AT_ONCE):
            hashed = self._factors * values[None, begin : begin + _AT_ONCE]
            hashed += self._shifts
            np.minimum(least, hashed.min(axis=1), out=least)
        rows = least.reshape(self._options.bands, self._options.rows).T.astype(np.uint64)
        signature: Hashes = run_hashes(rows, self._options.rows)[0]
        return signature


@lru_cache(maxsize=8)
def _functions(options: Options) -> tuple[Functions, Functions]:
    """Factors (odd) and shifts of the hash functions, as columns, from BLAKE2b of the seed: the same on every machine."""
    count = options.bands * options.rows
    raw = b"".join(blake2b(f"{options.seed}/{i}".encode(), digest_size=8).digest() for i in range(count))
    numbers = np.frombuffer(raw, "<u4").astype(np.uint32).reshape(count, 2)
    return numbers[:, :1] | np.uint32(1), numbers[:, 1:].copy()
