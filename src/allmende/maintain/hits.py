"""What a search for rows that a take-down log names found."""

import msgspec

from allmende.safety.veil import Kind
from allmende.steps.tombstone_screen import Mask


class Hits(msgspec.Struct):
    """What was found in one part."""

    part: str
    samples: Mask
    """A mask over the part's samples."""
    failures: Mask
    """A mask over its failures, which hold URL and words, too. Of text: over its pages, if they are stored; else empty."""
    by_kind: dict[Kind, int]
    """Samples by what named them; one may be named twice."""
    languages: dict[str, int]
    round: int
    """Of the part."""
    order_keys: list[int]
    """Of the samples found: they tell the shards."""
    dropped: dict[str, Mask] = {}
    """Of text: masks over pages that became no documents, if they are kept, by the step that has them; only those with hits."""

    @property
    def any(self) -> bool:
        """True if a row was found."""
        return bool(self.samples.any() or self.failures.any() or self.dropped)
