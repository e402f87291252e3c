"""Bytes in memory: claims are granted while the budget lasts, and wait in line when it does not.

Never exceeds the total, and never deadlocks. A body of known size claims all of it before its first byte is kept, so
it waits while it holds nothing. A body of unknown size claims a little at first, which is enough for most images, and
the largest size there is when that is used up. Those first claims together leave room for one largest claim:
whoever waits for one gets it at last, because everybody else either finishes or is one of the first claims.
"""

from collections import deque
from collections.abc import Callable

FIRST_CLAIM = 256 * 1024
"""Bytes that a body of unknown size claims at first: enough for most images."""


class Claim:
    """Bytes of one body. Belongs to the budget that grants it."""

    __slots__ = ("first", "held", "waiting", "wanted")

    def __init__(self) -> None:
        self.held = 0
        """Bytes granted."""
        self.first = False
        """True while the claim is a first one, of unknown final size."""
        self.wanted = 0
        self.waiting: Callable[[], None] | None = None


class Budget:
    """A number of bytes to share out.

    Args:
        total: Bytes there are.
        largest: Bytes of the largest claim; at most `total`.
    """

    def __init__(self, total: int, largest: int):
        assert 0 < largest <= total
        self.total = total
        self.held = 0
        """Bytes granted now."""
        self._largest = largest
        self._first_total = total - largest
        self._first_held = 0
        self._line: deque[Claim] = deque()
        self._first_line: deque[Claim] = deque()

    @property
    def waiting(self) -> bool:
        """True if a claim waits: nobody should start what will need another one."""
        return bool(self._line or self._first_line)

    def claim(self, claim: Claim, size: int, granted: Callable[[], None]) -> bool:
        """Raises a claim to `size` bytes, at most `largest`. True if granted now, else `granted` is called later."""
        claim.wanted = min(size, self._largest)
        if not self._line and self._fits(claim):
            self._grant(claim)
            return True
        claim.waiting = granted
        self._line.append(claim)
        return False

    def claim_first(self, claim: Claim, granted: Callable[[], None]) -> bool:
        """A first claim of a body of unknown size. True if granted now, else `granted` is called later."""
        if self._first_total < FIRST_CLAIM:
            return self.claim(claim, self._largest, granted)
        claim.wanted, claim.first = FIRST_CLAIM, True
        if not self.waiting and self._fits(claim):
            self._grant(claim)
            return True
        claim.waiting = granted
        self._first_line.append(claim)
        return False

    def settle(self, claim: Claim, size: int) -> None:
        """The body is whole: the claim shrinks to its size."""
        self._give_back(claim, max(0, claim.held - size))
        self._serve()

    def release(self, claim: Claim) -> None:
        """The body is gone. May be called more than once."""
        if claim.waiting is not None:
            claim.waiting = None
            (self._first_line if claim.first and not claim.held else self._line).remove(claim)
        self._give_back(claim, claim.held)
        self._serve()

    def _give_back(self, claim: Claim, size: int) -> None:
        if claim.first:
            self._first_held -= claim.held
            claim.first = False
        claim.held -= size
        self.held -= size

    def _fits(self, claim: Claim) -> bool:
        if claim.first and not claim.held and self._first_held + claim.wanted > self._first_total:
            return False
        return self.held + claim.wanted - claim.held <= self.total

    def _grant(self, claim: Claim) -> None:
        self.held += claim.wanted - claim.held
        if claim.first:
            if claim.held:
                self._first_held -= claim.held
                claim.first = False
            else:
                self._first_held += claim.wanted
        claim.held = claim.wanted

    def _serve(self) -> None:
        for line in (self._line, self._first_line):
            while line and self._fits(line[0]):
                claim = line.popleft()
                self._grant(claim)
                granted, claim.waiting = claim.waiting, None
                assert granted is not None
                granted()
