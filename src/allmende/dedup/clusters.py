"""Clusters of documents that share bands: connected components over all bands, in bounded memory.

Every document has a number; the smallest number of a cluster represents it. So the result depends on the numbering
alone, not on the order of bands, nor on how they are spread over files, processes or machines: bands, parts of a band (by hash)
and the labels of other machines can be joined in any order.

Each band is looked at once. Its documents carry the labels that the bands before have given them; a label that meets a smaller
one in a bucket (documents with the same band) is hooked to it, paths are halved until they end (Shiloach and Vishkin
1982), and buckets of one label are done. Memory is 4 bytes a document for labels and some 40 for the band at hand: 10
million documents take under 1 GB (`benchmarks/near_memory.py`).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Labels = NDArray[np.uint32]
Starts = NDArray[np.int64]

MOST = 1 << 32
"""Documents that can be numbered: labels have 32 bits."""


class Buckets:
    """Documents that share one band, several at once: `members` cut at `starts`."""

    __slots__ = ("members", "starts")

    def __init__(self, band: Hashes, numbers: Labels | None = None):
        """Finds equal hashes.

        Args:
            band: One hash for each document that has a signature.
            numbers: The documents' numbers; by default 0 to n - 1.
        """
        order = np.argsort(band)
        ordered = band[order]
        same = ordered[1:] == ordered[:-1]
        del ordered
        inside = np.zeros(len(band), bool)
        inside[1:] |= same
        inside[:-1] |= same
        first = np.ones(len(band), bool)
        first[1:] = ~same
        members = order[inside].astype(np.uint32)
        self.members: Labels = members if numbers is None else numbers[members]
        self.starts: Starts = np.flatnonzero(first[inside])


def cluster(count: int, bands: int, load: Callable[[int], Buckets]) -> Labels:
    """The representative of each document: the smallest number of its cluster, itself if it is alone.

    Args:
        count: Documents, numbered 0 to count - 1.
        bands: How many bands there are.
        load: Gives the buckets of a band; called once for each, so that one is in memory at a time.

    Raises:
        ValueError: if there are more than 2**32 documents.
    """
    labels = everyone_alone(count)
    for band in range(bands):
        join(labels, load(band))
    return labels


def everyone_alone(count: int) -> Labels:
    """Labels before any band is joined.

    Raises:
        ValueError: if there are more than 2**32 documents.
    """
    if count > MOST:
        raise ValueError(f"{count} documents are more than can be numbered: cluster each language apart")
    return np.arange(count, dtype=np.uint32)


def join(labels: Labels, buckets: Buckets) -> None:
    """Gives all documents of a bucket, and whatever hangs together with them, one label. In place.

    Labels made elsewhere are joined as `Buckets(other.astype(np.uint64))`.
    """
    starts = buckets.starts
    if not len(starts):
        return
    own = labels[buckets.members]
    while True:
        own, starts, least = _unsettled(own, starts)
        if not len(own):
            break
        np.minimum.at(labels, own, least)
        del least
        _shorten(labels, own)
        own = labels[own]
    while True:
        shorter = labels[labels]
        if np.array_equal(shorter, labels):
            return
        labels[:] = shorter


def _unsettled(own: Labels, starts: Starts) -> tuple[Labels, Starts, Labels]:
    """Buckets of more than one label, and for each label the smallest that it meets there."""
    least = np.minimum.reduceat(own, starts)
    open_ = np.maximum.reduceat(own, starts) != least
    lengths = np.diff(starts, append=len(own))
    own = own[np.repeat(open_, lengths)]
    lengths = lengths[open_]
    return own, np.cumsum(lengths) - lengths, np.repeat(least[open_], lengths)


def _shorten(labels: Labels, own: Labels) -> None:
    """Lets the labels that were hooked point to the end of their path."""
    while True:
        parents = labels[own]
        grandparents = labels[parents]
        if np.array_equal(parents, grandparents):
            return
        labels[own] = grandparents
