"""The seam between reading a page and judging its words: who decides which words become the caption.

`allmende.extract` finds images with all their words; a judge (built by `allmende.filters` from the recipe)
chooses the caption or says why the image is dropped. Extraction knows nothing of the judge but this.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from allmende.schema import Reason


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The caption chosen for one image link."""

    caption: str
    """White space collapsed; never empty."""
    source: str
    """Which of `schema.WORDS` it came from."""
    language: str
    """ISO 639-1 code, or `und`."""
    language_score: float
    """Confidence of `language`, 0..1."""


class Judge(Protocol):
    """Decides on one image link. Pure: the same link gets the same answer, whatever came before."""

    def __call__(self, url: str, words: Mapping[str, str]) -> Verdict | Reason:
        """Choose a caption, or give the Reason why there is none.

        Args:
            url: Normalised image URL (`allmende.extract.urls.normalise`).
            words: The places of `schema.WORDS` that have words, each with white space collapsed;
                a place without words is absent.

        Returns:
            A `Verdict`, or a `Reason` of the stages `extract` (`NO_CAPTION`) and `caption`.
        """
        ...
