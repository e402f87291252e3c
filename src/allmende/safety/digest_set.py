"""A set of digests of one length, small enough for tens of millions: their bytes, sorted, and nothing else."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


class DigestSet:
    """Digests that can be looked up.

    Args:
        content: All digests, one behind the other.
        width: Bytes of one; at least 8.
    """

    def __init__(self, content: bytes | bytearray, width: int):
        rows = np.frombuffer(content, np.uint8).reshape(-1, width)
        heads = _heads(rows)
        order = np.argsort(heads, kind="stable")
        self._heads = heads[order]
        self._tails = np.ascontiguousarray(rows[order, 8:])
        self.width = width

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def memory(self) -> int:
        """Bytes held: the width for each digest."""
        return self._heads.nbytes + self._tails.nbytes

    def has(self, digests: Sequence[bytes]) -> npt.NDArray[np.bool_]:
        """Which of the digests, each `width` long, are in the set."""
        found = np.zeros(len(digests), np.bool_)
        if not digests or not len(self):
            return found
        rows = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, self.width)
        heads = _heads(rows)
        at = np.searchsorted(self._heads, heads)
        # Nearly always one look is enough: digests rarely share their first 64 bits, unless they are equal.
        asked = np.flatnonzero(at < len(self))
        while len(asked := asked[self._heads[at[asked]] == heads[asked]]):
            found[asked] |= (self._tails[at[asked]] == rows[asked, 8:]).all(axis=1)
            at[asked] += 1
            asked = asked[~found[asked] & (at[asked] < len(self))]
        return found


def _heads(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The first 64 bits of each digest."""
    return np.ascontiguousarray(rows[:, :8]).view(">u8").ravel().astype(np.uint64)
