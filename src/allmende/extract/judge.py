"""The seam between reading a page and judging its words: who decides which words become the caption.

`allmende.extract` finds images with all their words; a judge (built by `allmende.filters` from the recipe)
chooses the caption or says why the image is dropped. Extraction knows nothing of the judge but this.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec
import pyarrow as pa
from msgspec.structs import astuple

from allmende.schema import CANDIDATES, WORDS, Reason


class Verdicts(NamedTuple):
    """What became of image links: columns of `schema.CANDIDATES`, a row for each link, null if it is dropped."""

    caption: pa.Array
    """White space collapsed; never empty."""
    caption_source: pa.Array
    """Which of `schema.WORDS` it came from."""
    language: pa.Array
    """ISO 639-1 code, or `und`."""
    language_score: pa.Array
    """Confidence of `language`, 0..1."""
    reason: pa.Array
    """Why the link is dropped, a `Reason` of the stages `extract` (`NO_CAPTION`) and `caption`; null if it is kept."""


_KINDS = (*(CANDIDATES.field(name).type for name in Verdicts._fields[:-1]), pa.string())


class Judge(Protocol):
    """Decides on image links. Pure: the same link gets the same answer, whatever stands around it."""

    def __call__(self, links: pa.RecordBatch) -> Verdicts:
        """Choose captions, or give the Reasons why there are none.

        Args:
            links: A row each: `url`, normalised (`allmende.extract.urls.normalise`), and those of `schema.WORDS` that any
                of them has, null in a link without, white space collapsed. Other columns are not for the judge.
        """
        ...


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The caption chosen for one image link: see `Verdicts`."""

    caption: str
    source: str
    language: str
    language_score: float


class LinkJudge(Protocol):
    """Decides on one image link."""

    def __call__(self, url: str, words: Mapping[str, str]) -> Verdict | Reason:
        """See `Judge`; a place without words is absent from `words`."""
        ...


class EachLink:
    """A judge that asks another about one link after the other."""

    __slots__ = ("_judge",)

    def __init__(self, judge: LinkJudge) -> None:
        self._judge = judge

    def __call__(self, links: pa.RecordBatch) -> Verdicts:
        """See `Judge`."""
        places = [name for name in links.schema.names if name in WORDS]
        columns = (links[name].to_pylist() for name in ("url", *places))
        told = [
            self._judge(url, {place: text for place, text in zip(places, words, strict=True) if text is not None})
            for url, *words in zip(*columns, strict=True)
        ]
        return _columns(told)


def _columns(told: Sequence[Verdict | Reason]) -> Verdicts:
    rows = [(None, None, None, None, str(of)) if isinstance(of, Reason) else (*astuple(of), None) for of in told]
    columns = zip(*rows, strict=True) if rows else [()] * len(Verdicts._fields)
    return Verdicts(*map(pa.array, columns, _KINDS))
