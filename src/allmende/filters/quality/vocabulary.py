"""Words as numbers: each different word is looked at once, not once for each time it is written.

The web repeats its words. A `Vocabulary` remembers how the pieces between white space are cut, numbers their words, and
notes for each what the measures ask: its length, and whether it has a letter, is a symbol, ends a sentence. A document
then is an array of numbers, and a measure an operation on arrays.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from allmende.filters.quality.marks import SYMBOLS, TERMINAL

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

REMEMBERED = 50_000
"""Pieces remembered: some 15 MB."""

REMEMBERED_CHARS = 2_000_000
"""Characters of words remembered: what is no language has long ones."""

MOST_CHARS = 1_000
"""Longer pieces are one word each: no language has such words, and the rules are not made for them."""

_LETTER, _PLAIN, _TERMINAL, _PUNCTUATION = 1, 2, 4, 8
_SYMBOLS = SYMBOLS | TERMINAL


class Vocabulary(dict[str, tuple[int, ...]]):
    """For each piece of text the numbers of its words. Pieces get in when they are first asked for.

    Args:
        cut: The words of a piece.
    """

    def __init__(self, cut: Callable[[str], Iterable[str]]):
        super().__init__()
        self._cut = cut
        self._numbers: dict[str, int] = {}
        self._sizes = array("q")
        self._flags = bytearray()
        self._chars = 0
        self.words: list[str] = []

    def __missing__(self, piece: str) -> tuple[int, ...]:
        cut = (piece,) if len(piece) > MOST_CHARS else self._cut(piece)
        numbers = tuple([self._number(word) for word in cut])
        if len(piece) <= MOST_CHARS:
            self[piece] = numbers
        return numbers

    @property
    def full(self) -> bool:
        """True if it is time to begin a new one, between two documents."""
        return len(self) > REMEMBERED or len(self.words) > REMEMBERED or self._chars > REMEMBERED_CHARS

    def number(self, word: str) -> int:
        """The number of a word; -1 if it never came."""
        return self._numbers.get(word, -1)

    def sizes(self, numbers: Ints) -> Ints:
        """Characters of each word."""
        return np.frombuffer(self._sizes, np.int64)[numbers]

    def flags(self, numbers: Ints, flag: int) -> Bools:
        """For each word whether a flag is set."""
        flags: NDArray[np.uint8] = np.frombuffer(self._flags, np.uint8)[numbers]
        return (flags & flag).astype(np.bool_)

    def flag(self, number: int) -> int:
        """All flags of a word."""
        return self._flags[number]

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self.words))
        if number == len(self.words):
            self.words.append(word)
            self._sizes.append(len(word))
            self._flags.append(_flags(word))
            self._chars += len(word)
        return number


def _flags(word: str) -> int:
    if word.isalpha() and word.isascii():
        return _LETTER | _PLAIN
    flags = _LETTER if any(map(str.isalpha, word)) else 0
    flags |= 0 if _SYMBOLS.issuperset(word) else _PLAIN
    flags |= _TERMINAL if word in TERMINAL else 0
    return flags | (_PUNCTUATION if not flags & _LETTER and all(category(char)[0] == "P" for char in word) else 0)


class Words(Sequence[str]):
    """The words of a document, in order.

    Args:
        pieces: Parts of the text.
        vocabulary: That cuts them.
    """

    def __init__(self, pieces: Iterable[str], vocabulary: Vocabulary):
        self._vocabulary = vocabulary
        self.numbers: Ints = np.fromiter(chain.from_iterable(map(vocabulary.__getitem__, pieces)), np.int64)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at):  # type: ignore[no-untyped-def] # the overloads of Sequence say it
        if isinstance(at, slice):
            return [self._vocabulary.words[number] for number in self.numbers[at]]
        return self._vocabulary.words[self.numbers[at]]

    @cached_property
    def sizes(self) -> Ints:
        """Characters of each word."""
        return self._vocabulary.sizes(self.numbers)

    @cached_property
    def ends(self) -> Ints:
        """Where each word would end if all were written without spaces; begins with 0, so it is one longer."""
        ends = np.zeros(len(self.numbers) + 1, np.int64)
        np.cumsum(self.sizes, out=ends[1:])
        return ends

    @property
    def with_letter(self) -> Bools:
        """True for each word that has a letter."""
        return self._vocabulary.flags(self.numbers, _LETTER)

    @cached_property
    def plain(self) -> Bools:
        """True for each word that is no symbol."""
        return self._vocabulary.flags(self.numbers, _PLAIN)

    def count_of(self, words: Iterable[str]) -> Ints:
        """How often each of some words comes."""
        wanted = np.array([self._vocabulary.number(word) for word in words], np.int64)
        counts: Ints = np.count_nonzero(self.numbers == wanted[:, None], axis=1)
        return counts

    def sentences(self) -> int:
        """Number of sentences, at least 1: one ends where after a terminal mark a word follows that is no punctuation.

        That is spaCy's `sentencizer`.
        """
        count = 1
        ended = False
        for number in self.numbers.tolist():
            flags = self._vocabulary.flag(number)
            if flags & _TERMINAL:
                ended = True
            elif ended and not flags & _PUNCTUATION:
                count += 1
                ended = False
        return count

    def repeated(self, n: int) -> tuple[Ints, Ints]:
        """Runs of n words that come more than once: where each begins, in order, and a number that equal runs share.

        A run can only repeat if both shorter ones in it do, so the longer the run, the fewer are looked at.
        """
        while len(self._repeated) < n:
            self._repeated.append(self._longer(len(self._repeated)))
        return self._repeated[n - 1]

    @cached_property
    def _repeated(self) -> list[tuple[Ints, Ints]]:
        if not len(self.numbers):
            return [(self.numbers, self.numbers)]
        starts = np.flatnonzero(np.bincount(self.numbers)[self.numbers] > 1)
        return [(starts, self.numbers[starts])]

    def _longer(self, n: int) -> tuple[Ints, Ints]:
        starts, runs = self._repeated[n - 1]
        follows = np.zeros(len(self.numbers) + 1, np.bool_)
        follows[starts] = True
        both = follows[starts + 1] if len(starts) else np.empty(0, np.bool_)
        starts, runs = starts[both], runs[both]
        if not len(starts):
            return starts, runs
        # Numbers of runs and of words are below 2**31, so each pair has a number of its own.
        pairs = runs * len(self._vocabulary.words) + self.numbers[starts + n]
        _, runs, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        again = counts[runs] > 1
        return starts[again], runs[again]
