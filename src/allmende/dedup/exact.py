"""Exact duplicates and frequencies inside one bucket, on narrow columns of 64-bit keys.

A bucket holds all rows of its hosts, so equal URLs always meet. Only 20 bytes a row are in memory here: the caller streams the
wide rows past the answer. Two rows are the same if the hash of their URL (64 bits) and the first half
of their uid (64 bits, a hash of URL and caption) agree: 128 bits together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Unique:
    """What `unique_rows` found."""

    rows: Counts
    """Row numbers that represent their group, ordered by URL key, then uid."""
    seen: Counts
    """For each of them: how many occurrences it stands for."""
    url_seen: Counts
    """For each of them: how many occurrences its URL has in all, under whatever caption."""
    earlier: int
    """Number of rows dropped because an earlier dataset has them."""


def unique_rows(url_key: Keys, uid_key: Keys, seen: Counts, earlier_url: Keys, earlier_uid: Keys) -> Unique:
    """Finds the first row of each (URL, caption).

    Args:
        url_key: n hashes of the rows' URLs.
        uid_key: n hashes of URL and caption.
        seen: n occurrence counts, 1 for a row that stands for itself.
        earlier_url: m URL hashes of what earlier datasets have.
        earlier_uid: m uid hashes of the same.
    """
    known = len(earlier_url)
    urls, uids = np.concatenate((earlier_url, url_key)), np.concatenate((earlier_uid, uid_key))
    weight = np.concatenate((np.zeros(known, np.int64), seen))
    if not len(urls):
        return Unique(weight, weight, weight, 0)
    order = np.lexsort((uids, urls))  # stable: of equal rows the first stays first, and earlier ones precede all
    urls, uids, weight = urls[order], uids[order], weight[order]
    url_starts = np.flatnonzero(np.concatenate(([True], urls[1:] != urls[:-1])))
    starts = np.flatnonzero(np.concatenate(([True], (urls[1:] != urls[:-1]) | (uids[1:] != uids[:-1]))))
    group_seen = np.add.reduceat(weight, starts)
    url_total = np.add.reduceat(weight, url_starts)
    first = order[starts]
    new = first >= known
    # Earlier datasets may repeat a row among themselves: only rows of this one count.
    ours = np.add.reduceat((order >= known).astype(np.int64), starts)
    url_of_group = np.searchsorted(url_starts, starts, side="right") - 1
    return Unique(
        rows=(first[new] - known).astype(np.int64),
        seen=group_seen[new],
        url_seen=url_total[url_of_group][new],
        earlier=int(ours[~new].sum()),
    )


def frequent(keys: Keys, limit: int) -> Keys:
    """Keys that occur more than `limit` times, sorted."""
    values, counts = np.unique(keys, return_counts=True)
    return values[counts > limit]
