"""Which language a caption is in, with a score that means what it says.

Two compact identifiers, both with their models inside the package: ELD (60 languages, of the identifiers measured the
most accurate on short captions) and CLD2 (another training set). ELD answers. Whether CLD2 agrees tells how sure one can
be, and for nine languages that ELD doesn't know, Irish and Maltese among them, CLD2 answers where ELD is at a loss.

The score is the probability that the answer is right: a logistic regression fitted on half of 29,000 captions in 54
languages, and confirmed on the other half. `docs/decisions/0003-caption-language.md` has the measurements and their
limits, `benchmarks/caption_language.py` repeats them.
"""

from collections.abc import Iterable
from math import exp, log, log1p
from typing import NamedTuple

import eldc
import pycld2

from allmende.errors import RecipeError

UNDECIDED = "und"


class Language(NamedTuple):
    """A language and how sure it is."""

    code: str
    """ISO 639-1; `und` for undecided."""
    score: float
    """Probability that `code` is right, 0..1; 0 for `und`."""


_NONE = Language(UNDECIDED, 0.0)

_CLD2_ALONE = {
    "af": 0.99, "cy": 0.99, "eo": 0.99, "ga": 0.94, "gd": 0.98, "gl": 0.87, "km": 0.99, "mt": 0.93, "zu": 0.99,
}  # fmt: skip
"""Languages that ELD doesn't know, with the share of right answers where CLD2 gave them and ELD was unsure."""

KNOWN = frozenset({*eldc.LANGUAGES, *_CLD2_ALONE, UNDECIDED})
"""Every code that `identify` may give."""

ALIASES = {"bs": "hr", "id": "ms", "iw": "he", "nb": "no", "nn": "no", "zh-Hant": "zh"}
"""Codes of CLD2, and of users, for what is one language here.

Bosnian counts as Croatian, Indonesian as Malay, and Norwegian is one: captions are too short to tell them apart.
"""


def known_languages(codes: Iterable[str]) -> frozenset[str]:
    """`captions.languages` as `identify` gives them.

    Raises:
        RecipeError: if one is none that can be identified.
    """
    known = {ALIASES.get(code, code) for code in codes}
    if unknown := sorted(known - KNOWN):
        raise RecipeError(
            f"captions.languages: {', '.join(code + meant(code, KNOWN) for code in unknown)} can't be identified. "
            f"Known are: {', '.join(sorted(KNOWN))}."
        )
    return frozenset(known)


def meant(language: str, known: frozenset[str]) -> str:
    """A question to add to an unknown code that is a language's English name: ` (de?)` for `german`; else nothing."""
    codes = (code for name, code in pycld2.LANGUAGES if name.lower() == language.lower())
    return next((f" ({code}?)" for code in codes if code in known), "")


def start_eld() -> "eldc.Instance":
    """An identifier of our own, with its model and settings."""
    eldc.init()
    detector = eldc.instance()  # own settings, whatever else in this process uses the package
    detector.set_scores(2)
    return detector


_ELD = start_eld()


def identify(caption: str) -> Language:
    """Find the language of a caption; takes any text that UTF-8 can encode."""
    found = _ELD.detect_details(caption)
    second = _cld2(caption)
    score = _probability([*found.scores.values()], found.language == second)
    if score < 0.5 and second in _CLD2_ALONE and (caption.count(" ") >= 2 or second == "km"):
        return Language(second, _CLD2_ALONE[second])  # two words are mostly a name; Khmer has a script of its own
    return Language(found.language, score) if score else _NONE


def _cld2(caption: str) -> str:
    try:
        _, _, ((_, code, _, _), *_) = pycld2.detect(caption, isPlainText=True, bestEffort=True)
    except pycld2.error:  # a character that CLD2 does not take for text
        return UNDECIDED
    return ALIASES.get(code, str(code))


def _probability(scores: list[float], agreed: bool) -> float:
    """Probability that ELD's answer is right, 0..1, from its scores, best first, and whether CLD2 gives the same.

    ELD's score s is 1 - exp(-q), with q the mean weight of the matched n-grams. The regression takes q of the best, the
    logarithm of its lead over the second, and the agreement.
    """
    if not scores:
        return 0.0
    best, second, *_ = *(-log1p(-min(score, 0.9999)) for score in scores), 0.0
    logit = 0.83 * log(best - second + 0.001) + 0.64 * best + 2.12 * agreed + 0.25
    return 1.0 / (1.0 + exp(-logit))
