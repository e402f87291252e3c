"""C4's rules (Raffel et al. 2020, section 2.2): bad lines go, then pages that are left with too little.

Several sets of parameters are in use under this name. The reference here is datatrove's `C4QualityFilter`; the ones of
the original (tensorflow_datasets, `c4_utils.py`) are another `Options`.
"""

import re
import unicodedata

import msgspec

from allmende.filters.quality.marks import TERMINAL
from allmende.filters.quality.words import words

_citation = re.compile(r"\[\d*]|\[edit]|\[citation needed]")

POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
"""A line with one of these goes."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is done, and from which number on."""

    min_sentences: int = 5
    """Pages with fewer sentences go (original: 3)."""
    min_words: int = 3
    """Lines with fewer words go (original: 5)."""
    max_word_chars: int = 1_000
    """Lines with a longer word go."""
    ends: tuple[str, ...] = (".", "?", "!", '"', "'")
    """Lines that end otherwise go; empty: none does."""


DATATROVE = Options()
FINEWEB = Options(ends=())
"""As FineWeb uses it: lines without a mark at their end stay."""
ORIGINAL = Options(min_sentences=3, min_words=5, ends=(".", "?", "!", '"'))


class Cleaned(msgspec.Struct, frozen=True):
    """What is left of a page."""

    text: str
    """The lines that stayed; empty if the page goes."""
    dropped: str
    """Why the page goes: lorem_ipsum, curly_bracket or too_few_sentences; empty if it stays."""


def clean(text: str, language: str, options: Options = DATATROVE) -> Cleaned:
    """Removes lines, and decides on the page."""
    kept: list[str] = []
    sentences = 0
    for raw in text.splitlines():
        line = raw.strip()
        parts = line.split()
        if any(len(part) > options.max_word_chars for part in parts):
            continue
        line = _citation.sub("", line)
        lower = line.lower()
        if _is_cut_off(line, options) or len(parts) < options.min_words:
            continue
        if "lorem ipsum" in lower:
            return Cleaned("", "lorem_ipsum")
        if "javascript" in lower:
            continue
        if "{" in line:
            return Cleaned("", "curly_bracket")
        if any(policy in lower for policy in POLICIES):
            continue
        sentences += sentence_count(line, language)
        kept.append(line)
    if sentences < options.min_sentences:
        return Cleaned("", "too_few_sentences")
    return Cleaned("\n".join(kept).strip(), "")


def _is_cut_off(line: str, options: Options) -> bool:
    return bool(options.ends) and (not line.endswith(options.ends) or line.endswith("..."))


def sentence_count(text: str, language: str) -> int:
    """Number of sentences, counted as spaCy's `sentencizer` does: one ends where a word follows a terminal mark."""
    found = words(text, language)
    count = min(1, len(found))
    ended = False
    for word in found:
        if word in TERMINAL:
            ended = True
        elif ended and not _is_punctuation(word):
            count += 1
            ended = False
    return count


def _is_punctuation(word: str) -> bool:
    return all(unicodedata.category(letter).startswith("P") for letter in word)
