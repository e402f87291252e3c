"""Clusters of documents that share bands: connected components over all bands, in bounded memory.

Every document has a number; the smallest number of a cluster represents it. So the result depends on the numbering
alone, not on how bands are spread over files, processes or machines.

Labels move to smaller numbers until nothing changes: each document takes the smallest label of its bucket (documents
with the same band), and the label's own document learns it too (FastSV: Zhang, Azad and Hu 2020). Memory is 4 bytes a
document for labels and some 40 for the band at hand; 10 million documents take under 1 GB (`benchmarks/near_memory.py`).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Labels = NDArray[np.uint32]


class Buckets:
    """Documents that share one band, several at once: `members` cut at `starts`."""

    __slots__ = ("members", "starts")

    def __init__(self, band: Hashes, numbers: Labels | None = None):
        """Finds equal hashes.

        Args:
            band: One hash for each document that has a signature.
            numbers: The documents' numbers; by default 0 to n - 1.
        """
        order = np.argsort(band, kind="stable")
        ordered = band[order]
        same = ordered[1:] == ordered[:-1]
        inside = np.zeros(len(band), bool)
        inside[1:] |= same
        inside[:-1] |= same
        first = np.ones(len(band), bool)
        first[1:] = ~same
        members = order[inside].astype(np.uint32)
        self.members: Labels = members if numbers is None else numbers[members]
        self.starts = np.flatnonzero(first[inside])


def cluster(count: int, bands: int, load: Callable[[int], Buckets]) -> Labels:
    """The representative of each document: the smallest number of its cluster, itself if it is alone.

    Args:
        count: Documents, numbered 0 to count - 1.
        bands: How many bands there are.
        load: Gives the buckets of a band; called several times for each, so that one is in memory at a time.
    """
    labels = np.arange(count, dtype=np.uint32)
    changed = True
    while changed:
        changed = False
        for band in range(bands):
            buckets = load(band)
            if len(buckets.starts):
                changed |= _pull(labels, buckets)
    return labels


def _pull(labels: Labels, buckets: Buckets) -> bool:
    """One look at one band; True if a label changed."""
    members, starts = buckets.members, buckets.starts
    own = labels[members]
    least = np.repeat(np.minimum.reduceat(own, starts), np.diff(np.append(starts, len(members))))
    if np.array_equal(own, least):
        return False
    np.minimum.at(labels, own, least)  # whoever gave these labels learns of the smaller one
    np.minimum.at(labels, members, least)
    while True:  # shortcuts: a label's own label, until they are roots
        shorter = labels[labels]
        if np.array_equal(shorter, labels):
            return True
        labels[:] = shorter


def sizes(labels: Labels) -> NDArray[np.int64]:
    """For each document how many its cluster has."""
    return np.bincount(labels, minlength=len(labels))[labels]
