"""One response, as it comes in: judged by its headers, then by its first bytes, then kept, under every cap.

`begin` is called when the headers are there, `feed` for each chunk, `finish` after the last one. What is not wanted is
read to its end if that is near, because a connection that is cut off can't be used again; else the exchange stops.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from allmende.fetch.budget import Budget, Claim
from allmende.fetch.kind import START_BYTES, Kind
from allmende.http_content import EncodingBroken, TooLarge, encodings, start, undo
from allmende.schema import Reason

Headers = Mapping[str, Sequence[str]]
"""Header names in lower case, each with its values in the order received."""

DRAIN_BYTES = 64 * 1024
"""An unwanted body up to this size is read and dropped, to keep the connection: about what a new one would cost."""

_SNIFFED_BYTES = 4 * 1024
"""Bytes of a compressed body that are undone to judge its start."""


class Flow(Enum):
    """What becomes of a chunk."""

    TAKEN = "taken"
    WAIT = "to be offered again when the budget has room"
    STOP = "not wanted, and neither is the rest"


class Body:
    """Receives one body.

    Args:
        budget: Where its bytes are claimed.
        limit: `fetch.max_bytes`.
        kind: What is wanted.
        resume: Called when the budget has room after `Flow.WAIT`.
    """

    __slots__ = (
        "_budget",
        "_chunks",
        "_content_type",
        "_cut",
        "_encodings",
        "_judged",
        "_kind",
        "_length",
        "_limit",
        "_resume",
        "_unwanted",
        "claim",
        "complete",
        "reason",
        "received",
    )

    def __init__(self, budget: Budget, limit: int, kind: Kind, resume: Callable[[], None]):
        self._budget = budget
        self._cut = kind.cut is not None
        self._limit = limit if kind.cut is None else kind.cut
        self._kind = kind
        self._resume = resume
        self._chunks: list[bytes] = []
        self._content_type: str | None = None
        self._encodings: tuple[str, ...] = ()
        self._length: int | None = None
        self._judged = False
        self._unwanted = False
        self.claim = Claim()
        """Holds the body's bytes; whoever takes the body must release it."""
        self.received = 0
        """Bytes on the wire."""
        self.reason: Reason | None = None
        """Why there is no body."""
        self.complete = False
        """True as soon as all bytes are there that the kind wants, though the server has more."""

    def begin(self, headers: Headers, reason: Reason | None) -> bool:
        """The headers are there. False if the rest should not be read.

        Args:
            headers: Of the response.
            reason: Why its body is not wanted, if that is known already.
        """
        self._content_type = first(headers, "content-type")
        self._encodings = encodings(",".join(headers.get("content-encoding", ())))
        length = first(headers, "content-length") or ""
        self._length = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else None
        if reason is None and (self._length or 0) > self._limit and not self._cut:
            reason = Reason.BODY_TOO_LARGE
        return reason is None or self._refuse(reason)

    def feed(self, chunk: bytes) -> Flow:
        """Takes the next bytes; after `Flow.WAIT` the same ones must be offered again."""
        if not self._unwanted and not self._judged:
            start = b"".join((*self._chunks, chunk))
            if len(start) >= START_BYTES:
                self._judge(start)
        if self._unwanted:
            self.received += len(chunk)
            return Flow.TAKEN if max(self.received, self._length or 0) <= DRAIN_BYTES else Flow.STOP
        if self._judged and not self._claim(self.received + len(chunk)):
            return Flow.WAIT
        self.received += len(chunk)
        if self.received > self._limit and not self._cut:
            self._refuse(Reason.BODY_TOO_LARGE)
            return Flow.STOP
        self._chunks.append(chunk)
        self.complete = self.received > self._limit
        return Flow.STOP if self.complete else Flow.TAKEN

    def finish(self) -> bytes:
        """All bytes, content encoding undone; empty, with a `reason`, if they are not to be had. Call it once."""
        body = b"".join(self._chunks)
        self._chunks = []
        if not body and self.reason is None:
            self.reason = Reason.BODY_EMPTY
        if not self._judged and self.reason is None:
            self._judge(body)
        if self._encodings and self.reason is None:
            body = self._undo(body)
        if self._cut:
            body = body[: self._limit]
        if self.reason is not None:
            self.drop()
            return b""
        self._budget.settle(self.claim, len(body))
        return body

    def drop(self) -> None:
        """Forgets the bytes. May be called more than once."""
        self._chunks = []
        self._resume = _nobody
        self._budget.release(self.claim)

    def _judge(self, start_bytes: bytes) -> None:
        self._judged = True
        if self._cut:
            return
        reason = self._kind.judge(self._content_type, start_bytes)
        if reason is None:
            self._encodings = ()  # the body is not compressed, whatever its header says
        elif self._encodings:
            try:
                undone = start(start_bytes[:_SNIFFED_BYTES], self._encodings, _SNIFFED_BYTES)
                reason = self._kind.judge(self._content_type, undone)
            except EncodingBroken:
                reason = Reason.BODY_ENCODING_BROKEN
        if reason is not None:
            self._refuse(reason)

    def _claim(self, needed: int) -> bool:
        """True if the budget covers that many bytes on the wire, and what is made of them."""
        claim = self.claim
        if claim.waiting is not None:
            return False
        if self._encodings:
            return bool(claim.held) or self._budget.claim(claim, 2 * self._limit, self._resume)
        if needed <= claim.held:
            return True
        if self._length is not None:
            return self._budget.claim(claim, max(self._length, needed), self._resume)
        if not claim.held:
            return self._budget.claim_first(claim, self._resume)
        return self._budget.claim(claim, self._limit, self._resume)

    def _undo(self, body: bytes) -> bytes:
        try:
            if self._cut:
                return start(body, self._encodings, self._limit)
            return undo(body, self._encodings, self._limit)
        except EncodingBroken:
            if self._cut:  # not compressed, most likely, whatever its header says
                return body
            self.reason = Reason.BODY_ENCODING_BROKEN
        except TooLarge:
            self.reason = Reason.BODY_TOO_LARGE
        return b""

    def _refuse(self, reason: Reason) -> bool:
        """Notes why, and drops what is there. True if the rest is short enough to be read nevertheless."""
        self.reason = reason
        self._unwanted = True
        self.drop()
        return (self._length or 0) <= DRAIN_BYTES


def _nobody() -> None:
    """Instead of `resume`, which knows who holds this body: without it both can go at once."""


def first(headers: Headers, name: str) -> str | None:
    """The first value of a header."""
    values = headers.get(name)
    return values[0] if values else None
