"""Which language a document is in, and how much of it is in others. Norwegian Bokmål (nb) and Nynorsk (nn) are two.

Three identifiers vote, each with its model inside the package. CLD2 and ELD, which captions use, too, are asked first:
together they take some 20 µs for a paragraph, and agree on three of four. py3langid is slower by a factor of forty, and is
loaded and asked only where they don't, or where CLD2 doesn't know what it says: short, noisy, rare. Close languages
(nb, nn, da · sr, mk, bg · hr, bs, sr) are told apart by their words before anybody votes.

`docs/decisions/0013-document-language.md` has the measurements, `benchmarks/document_language.py` repeats them.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import eldc
import pycld2

from allmende.filters.close_languages import closest, group_of
from allmende.filters.language import UNDECIDED, start_eld

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_CODES = {
    "no": "nb",
    "sr-ME": "sr",
    "iw": "he",
    "jw": "jv",
    "zh-Hant": "zh",
    "un": UNDECIDED,
    "sh": "hr",
    "zxx": UNDECIDED,
}
"""Codes of the three for what has another code here."""

_NO_LANGUAGES = frozenset({"crs", "ia", "ie", "tlh", "un", "vo", "zzp"})
"""What CLD2 may answer that nobody writes pages in: Klingon, Pig Latin, constructed languages; and a creole seen in noise."""

_OF_CLD2 = frozenset(code for name, code in pycld2.LANGUAGES if name in pycld2.DETECTED_LANGUAGES and "-" not in code)

_ALONE = frozenset({"af", "bs", "cy", "eo", "ga", "gd", "gl", "id", "kk", "km", "mk", "mt", "nn", "zu"})
"""Languages that ELD doesn't know, but in which there are enough pages to believe py3langid alone."""

KNOWN = (
    frozenset(_CODES.get(code, code) for code in (*_OF_CLD2, *eldc.LANGUAGES)) - _NO_LANGUAGES
    | _ALONE
    | {"zh", UNDECIDED}
)
"""Every code that `identify` may give: ISO 639-1, three letters where it has no two, and `und`."""

_AGREED, _TOLD, _TWO, _ONE = 0.99, 0.92, 0.98, 0.6
"""Share of right answers, measured, if CLD2 and ELD agree, if the words of a group tell, if two of three agree, if none do."""

_WINDOW = 2_000
"""Characters of each of the three places of a long text that are looked at."""

_THIRD = 1_000
"""Characters that py3langid is given: it takes 2 µs for each."""

_PARAGRAPH = 60
"""Letters that are enough to judge a paragraph by; shorter ones are judged with what follows."""


class Language(NamedTuple):
    """A language and how sure it is."""

    code: str
    """ISO 639-1; `und` for undecided."""
    score: float
    """Probability that `code` is right, 0..1, in steps; 0 for `und`."""


_NONE = Language(UNDECIDED, 0.0)
_ELD = start_eld()


def identify(text: str) -> Language:
    """The language of a text of any length that UTF-8 can encode. Of a long one, beginning, middle and end are looked at."""
    text = _excerpt(text)
    first, second = _cld2(text), _eld(text)
    if first == second and first not in {"sr", "hr"}:  # Macedonian and Bosnian, which ELD doesn't know, look like them
        return Language(first, _AGREED) if first != UNDECIDED else _NONE
    group = group_of(text, first, second)
    if group and {first, second} <= group:
        return _close(text, group, first)
    third = _third(text)
    if third in {first, second}:
        return Language(third, _TWO) if third != UNDECIDED else _NONE
    if group and third in group:
        return _close(text, group, third)
    return _decided(first, second, third)


def _close(text: str, group: frozenset[str], otherwise: str) -> Language:
    """Which of a group of close languages: by its words, or else by what py3langid says."""
    likely = closest(text, group)
    if len(likely) == 1:
        return Language(likely[0], _TOLD)
    third = _third(text)
    return Language(third if third in likely else otherwise if otherwise in likely else likely[0], _ONE)


def _decided(first: str, second: str, third: str) -> Language:
    """Whom to believe if all three differ: the last, unless it saw a language too rare to be likely."""
    for code in (third if third in eldc.LANGUAGES or third in _ALONE else UNDECIDED, second, first):
        if code != UNDECIDED:
            return Language(code, _ONE)
    return _NONE


def by_paragraph(text: str) -> list[tuple[str, float]]:
    """Languages of a text's paragraphs, each with its share of the characters, 0..1; the largest share first.

    A paragraph is a line, or several until there are `_PARAGRAPH` letters. Where CLD2 and ELD differ about it, it counts
    as in the language of the whole text if one of them says so, and as `und` if not.
    """
    whole = identify(text).code
    counted: dict[str, int] = {}
    for paragraph in _paragraphs(text):
        code = _paragraph_language(paragraph, whole)
        counted[code] = counted.get(code, 0) + len(paragraph)
    total = sum(counted.values())
    shares = [(code, length / total) for code, length in counted.items()]
    return sorted(shares, key=lambda share: (-share[1], share[0]))


def _paragraph_language(paragraph: str, whole: str) -> str:
    found = {_cld2(paragraph), _eld(paragraph)}
    group = group_of(paragraph, whole)
    if whole in found or (group and not group.isdisjoint(found)):
        return whole  # what a document's words tell, two lines can't
    return found.pop() if len(found) == 1 else UNDECIDED


def _paragraphs(text: str) -> Iterator[str]:
    """Lines, short ones joined with those that follow; what remains at the end goes with the last."""
    held = last = ""
    for line in text.splitlines():
        held = f"{held} {line}" if held else line
        if len(held) >= _PARAGRAPH and sum(map(str.isalpha, held)) >= _PARAGRAPH:
            if last:
                yield last
            last, held = held, ""
    if held := f"{last} {held}".strip():
        yield held


def _excerpt(text: str) -> str:
    if len(text) <= 3 * _WINDOW:
        return text
    middle = len(text) // 2 - _WINDOW // 2
    return f"{text[:_WINDOW]}\n{text[middle : middle + _WINDOW]}\n{text[-_WINDOW:]}"


def _cld2(text: str) -> str:
    try:
        _, _, ((_, code, _, _), *_) = pycld2.detect(text, isPlainText=True, bestEffort=True)
    except pycld2.error:  # a character that CLD2 does not take for text
        return UNDECIDED
    return _known(str(code))


def _eld(text: str) -> str:
    return _known(_ELD.detect_details(text).language)


def _third(text: str) -> str:
    middle = max(0, len(text) // 2 - _THIRD // 2)
    code, _ = _py3langid().classify(text[middle : middle + _THIRD])
    return _known(code)


def _known(code: str | None) -> str:
    found = _CODES.get(code, code) if code else UNDECIDED
    return found if found in KNOWN else UNDECIDED


@cache
def _py3langid() -> "LanguageIdentifier":
    """An identifier of our own: other users of the package may restrict theirs. Half a second and 100 MB."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
