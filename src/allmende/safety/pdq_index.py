"""Which hash of a list is near a PDQ hash? An index over 256-bit hashes; exact, in bounded memory.

Multi-index hashing (Norouzi, Punjani, Fleet 2012): a hash is cut into 16 bands of 16 bits. If two hashes differ in at
most d bits, then in one of the bands at least by no more than d // 16 bits (pigeonhole principle). So it is enough to
look up, in a table for each band, the query's band and its neighbours (17 of them for d = 31), and to compare the
whole hash with what stands there: some 4,000 entries of a list of a million. `benchmarks/pdq_index.py`, one core,
1,000,000 entries: 0.2 ms a query, 300,000 images a minute; comparing with all entries in numpy takes 18 ms; faiss-cpu
(66 MB more to install) 0.9 ms by comparing with all, and 1.3 ms with its multi-index hashing.

A list whose hashes crowd in few places (blank pages, say) makes queries slower, never wrong.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

BANDS = 16
"""Of 16 bits each: a table of 65,536 places for each band suits lists of a hundred thousand to some millions."""
MAX_DISTANCE = 31
"""Bits that may differ, says the paper: at 31 or less two images are the same picture with high confidence
(Facebook 2019, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm")."""
MIN_QUALITY = 50
"""Hashes of images with less detail are not compared (same paper): a blue sky is near every other."""
LARGEST_DISTANCE = 63
"""Beyond it a query would look at half of the list."""
_COMPARED_AT_ONCE = 1 << 20
"""Entries of the list that are compared in one go, unless one place has more: some 50 MB while queries run."""
_QUERIES_AT_ONCE = 1_000


def parse(text: str) -> Hashes:
    """A hash from its 64 hexadecimal digits, as 4 words.

    Raises:
        ValueError: if it is none.
    """
    if len(text) != 64:
        raise ValueError(f"{len(text)} characters, a PDQ hash has 64 hexadecimal digits")
    return np.frombuffer(bytes.fromhex(text), ">u8").astype(np.uint64)


class PdqIndex:
    """The hashes of a list, ready to be searched.

    Args:
        hashes: n x 4 words; see `parse`.
        distance: Bits that may differ.

    Raises:
        ValueError: if the distance is not between 0 and `LARGEST_DISTANCE`.
    """

    def __init__(self, hashes: Hashes, distance: int = MAX_DISTANCE):
        if not 0 <= distance <= LARGEST_DISTANCE:
            raise ValueError(f"distance {distance}, it must be between 0 and {LARGEST_DISTANCE}")
        hashes = np.ascontiguousarray(hashes, np.uint64).reshape(-1, 4)
        self._words = np.ascontiguousarray(hashes.T)
        self._distance = distance
        self._masks = _masks(distance // BANDS)
        count = len(hashes)
        # For each band: entries ordered by their value there, and where each value begins.
        self._entries = np.empty((BANDS, count), np.uint32)
        self._begins = np.zeros((BANDS, 65_537), np.uint32)
        for band, values in enumerate(_bands(hashes).T):
            self._entries[band] = np.argsort(values, kind="stable")
            np.cumsum(np.bincount(values, minlength=65_536), out=self._begins[band, 1:])

    @property
    def memory(self) -> int:
        """Bytes that the index holds: 96 for each entry, and 4 MB."""
        return int(self._words.nbytes + self._entries.nbytes + self._begins.nbytes)

    def __len__(self) -> int:
        return int(self._words.shape[1])

    def text(self, entry: int) -> str:
        """An entry in hexadecimal digits."""
        return self._words[:, entry].astype(">u8").tobytes().hex()

    def nearest(self, queries: Hashes) -> tuple[Numbers, Numbers]:
        """The nearest entry of each query.

        Args:
            queries: m x 4 words.

        Returns:
            For each query: number of the entry (of several equally near ones the first), or -1 if none is within the
            distance; and how many bits differ (257 if none is).
        """
        queries = np.ascontiguousarray(queries, np.uint64).reshape(-1, 4)
        found = np.full(len(queries), -1, np.int64)
        differing = np.full(len(queries), 257, np.int64)
        for first in range(0, len(queries), _QUERIES_AT_ONCE):
            block = slice(first, first + _QUERIES_AT_ONCE)
            self._search(queries[block], found[block], differing[block])
        return found, differing

    def _search(self, queries: Hashes, found: Numbers, differing: Numbers) -> None:
        """`nearest` for some queries, in pieces that are small whatever stands in the places they look up."""
        begins, lengths = self._places(queries)
        owners = np.repeat(np.arange(len(queries)), BANDS * len(self._masks))
        load = np.cumsum(lengths)
        first = 0
        while first < len(lengths):
            before = load[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(load, before + _COMPARED_AT_ONCE, side="right")))
            piece = slice(first, last)
            self._compare(queries, (begins[piece], lengths[piece], owners[piece]), found, differing)
            first = last

    def _places(self, queries: Hashes) -> tuple[Numbers, Numbers]:
        """The runs that the queries look up: where in `_entries`, read as one row, each begins, and how long it is."""
        probes = _bands(queries)[:, :, None] ^ self._masks  # m x 16 x probes
        flat = (probes.astype(np.int64) + (np.arange(BANDS) * 65_537)[:, None]).ravel()
        starts = self._begins.ravel()
        begins = starts[flat].astype(np.int64)
        lengths = starts[flat + 1] - begins
        begins += np.tile(np.repeat(np.arange(BANDS) * len(self), len(self._masks)), len(queries))
        return begins, lengths

    def _compare(
        self, queries: Hashes, runs: tuple[Numbers, Numbers, Numbers], found: Numbers, differing: Numbers
    ) -> None:
        """Compares queries with the entries of some runs (begin, length, query); notes what is nearer than before."""
        begins, lengths, owners = runs
        ends = np.cumsum(lengths)
        # The runs one after the other: position of each entry = its run's begin + its number in the run.
        at = np.arange(ends[-1]) + np.repeat(begins - (ends - lengths), lengths)
        entries = self._entries.ravel()[at]
        owners = np.repeat(owners, lengths)
        bits = np.zeros(len(entries), np.uint8)
        for word in range(4):  # after two words nearly all are out: of unlike hashes some 64 of 128 bits differ
            bits += np.bitwise_count(self._words[word][entries] ^ queries[owners, word])
            if word:
                near = np.flatnonzero(bits <= self._distance)
                entries, owners, bits = entries[near], owners[near], bits[near]
        order = np.lexsort((entries, bits, owners))
        first = order[np.r_[True, owners[order][1:] != owners[order][:-1]][: len(order)]]
        owners, entries, bits = owners[first], entries[first], bits[first]
        nearer = (bits < differing[owners]) | ((bits == differing[owners]) & (entries < found[owners]))
        found[owners[nearer]] = entries[nearer]
        differing[owners[nearer]] = bits[nearer]


def _bands(hashes: Hashes) -> npt.NDArray[np.uint16]:
    """The 16 bands of each hash, n x 16. Which bit is where does not matter, as long as it is the same everywhere."""
    return hashes.view(np.uint16).reshape(-1, BANDS)


def _masks(radius: int) -> npt.NDArray[np.uint16]:
    """All 16-bit numbers with at most `radius` bits set."""
    return np.array(
        [sum(1 << bit for bit in bits) for n in range(radius + 1) for bits in combinations(range(16), n)], np.uint16
    )
