"""Which texts are the same; inside one bucket: on keys alone, some 50 bytes a row."""

from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from allmende.identity import key64

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def text_key(text: str) -> int:
    """64-bit hash of a text, case folded and white space collapsed: equal for exact duplicates."""
    return key64(_normalised(text))


def text_digest(text: str) -> str:
    """SHA-256 of a text normalised in the same way, 64 hex digits: by it a take-down log knows the text at any URL."""
    return sha256(_normalised(text).encode("utf-8", "surrogatepass")).hexdigest()


def _normalised(text: str) -> str:
    return " ".join(text.casefold().split())


class SameTexts(NamedTuple):
    """What `same_texts` found."""

    rows: Numbers
    """Row numbers that represent their text, ordered by its key."""
    seen: Numbers
    """For each of them: how many documents have this text."""
    earlier: NDArray[np.bool_]
    """For each of n rows: whether an earlier dataset has its text."""


def same_texts(text_key: Keys, captured: Numbers, uids: tuple[Keys, Keys], earlier: Keys) -> SameTexts:
    """Finds the row that represents each text: the one captured first; of these the one with the smallest uid.

    Of rows that agree in all this, the first stays.

    Args:
        text_key: n hashes of the texts.
        captured: n times; what has none takes the largest number.
        uids: First and second half of n uids.
        earlier: Hashes of the texts that earlier datasets have, in any order.
    """
    known = np.isin(text_key, earlier)
    fresh = np.flatnonzero(~known)
    order = fresh[np.lexsort((uids[1][fresh], uids[0][fresh], captured[fresh], text_key[fresh]))]
    keys = text_key[order]
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    seen = np.diff(np.append(starts, len(keys)))
    return SameTexts(order[starts].astype(np.int64), seen.astype(np.int64), known)
