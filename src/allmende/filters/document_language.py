"""Which language a document is in. Norwegian Bokmål (nb) and Nynorsk (nn) are two."""

from typing import NamedTuple

from allmende.filters import language

UNDECIDED = language.UNDECIDED
KNOWN = (language.KNOWN - {"no"}) | {"nb"}
"""Every code that `identify` may give."""

_LOOKED_AT = 20_000
"""Characters from the beginning of a text that decide."""


class Language(NamedTuple):
    """A language and how sure it is."""

    code: str
    """ISO 639-1; `und` for undecided."""
    score: float
    """Confidence, 0..1."""


def identify(text: str) -> Language:
    """The language of a text of any length."""
    code, score = language.identify(text[:_LOOKED_AT])
    return Language("nb" if code == "no" else code, score)
