"""A document as the measures see it: its lines, paragraphs and words, each made once and only when asked for."""

import re
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from allmende.filters.quality.words import words

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_paragraphs = re.compile(r"\n{2,}").split
_lines = re.compile(r"\n+").split
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that multiplying loses nothing: 2**64 divided by the golden ratio (Knuth, TAOCP 6.4)."""


class Text:
    """One document.

    Args:
        text: Its main text, lines ended by line feeds.
        language: ISO 639-1 code: decides how words are cut.
    """

    def __init__(self, text: str, language: str):
        self.text = text
        self.language = language

    @cached_property
    def paragraphs(self) -> list[str]:
        """Parts between empty lines."""
        return _paragraphs(self.text.strip())

    @cached_property
    def lines(self) -> list[str]:
        """Parts between line feeds; runs of these count as one."""
        return _lines(self.text)

    @cached_property
    def full_lines(self) -> list[str]:
        """Lines that are not only white space."""
        return [line for line in self.text.split("\n") if line.strip()]

    @cached_property
    def any_lines(self) -> list[str]:
        """Lines as `str.splitlines` cuts them, empty ones included."""
        return self.text.splitlines()

    @cached_property
    def words(self) -> list[str]:
        """Words and punctuation marks."""
        return words(self.text, self.language)

    @cached_property
    def _numbering(self) -> tuple[list[str], Ints]:
        numbers: dict[str, int] = {}
        ids = [numbers.setdefault(word, len(numbers)) for word in self.words]
        return list(numbers), np.array(ids, np.int64)

    @property
    def vocabulary(self) -> list[str]:
        """Different words, in the order of their first occurrence."""
        return self._numbering[0]

    @property
    def ids(self) -> Ints:
        """For each word its place in `vocabulary`."""
        return self._numbering[1]

    @cached_property
    def sizes(self) -> Ints:
        """Characters of each word of `vocabulary`."""
        return np.fromiter(map(len, self.vocabulary), np.int64, len(self.vocabulary))

    @cached_property
    def ends(self) -> Ints:
        """Where each word would end if all were written without spaces; begins with 0, one longer than `words`."""
        ends = np.zeros(len(self.ids) + 1, np.int64)
        np.cumsum(self.sizes[self.ids], out=ends[1:])
        return ends

    def grams(self, n: int) -> Hashes:
        """A hash for each run of n words, in order; equal runs have equal hashes.

        A polynomial over mixed word numbers modulo 2**64: different runs of a document of 100,000 words collide
        with a probability of some 1e-10.
        """
        mixed = self._mixed
        count = len(mixed) - n + 1
        if count <= 0:
            return np.empty(0, np.uint64)
        hashes = mixed[:count].copy()
        for step in range(1, n):
            hashes *= _FACTOR
            hashes += mixed[step : step + count]
        return hashes

    @cached_property
    def _mixed(self) -> Hashes:
        """Word numbers spread over 64 bits (the finaliser of SplitMix64: Steele et al. 2014)."""
        x = (self.ids.astype(np.uint64) + np.uint64(1)) * _FACTOR
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
