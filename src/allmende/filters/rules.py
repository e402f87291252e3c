"""The caption rules: one pure function each, and the table in which order they are asked.

A rule takes a caption as `normalise_caption` leaves it and the recipe's `[captions]`, and says whether the caption
breaks it. It never raises, whatever the text. `docs/how-to/add-a-filter.md` shows how to add one.
Language is no line of the table: it is found, not only checked (`allmende.filters.language`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType

from allmende.filters.charset_damage import TRACES
from allmende.filters.file_names import is_file_name
from allmende.filters.phrases import is_boilerplate, is_placeholder
from allmende.filters.words import count_chars, count_words, most_words
from allmende.recipe import Captions
from allmende.schema import Reason

Rule = Callable[[str, Captions], bool]
"""True if the caption breaks the rule."""


def few_chars(caption: str, rules: Captions) -> bool:
    """Fewer than `min_chars` characters, a CJK character counting two. LAION-400M: 5."""
    return len(caption) < rules.min_chars and count_chars(caption) < rules.min_chars


def many_chars(caption: str, rules: Captions) -> bool:
    """More than `max_chars` characters. COYO-700M: 1000."""
    return len(caption) > rules.max_chars


def file_name(caption: str, rules: Captions) -> bool:
    """A file name, a camera's number or an upload's hash."""
    return rules.drop_file_names and is_file_name(caption)


def placeholder(caption: str, rules: Captions) -> bool:
    """Words for "image" and nothing else."""
    return rules.drop_placeholders and is_placeholder(caption)


def few_words(caption: str, rules: Captions) -> bool:
    """Fewer than `min_words` words, as `count_words` counts them. COYO-700M and DataComp's basic filter: 3."""
    return count_words(caption, enough=rules.min_words) < rules.min_words


def many_words(caption: str, rules: Captions) -> bool:
    """More than `max_words` words. COYO-700M: 256."""
    return most_words(caption) > rules.max_words and count_words(caption, enough=inf) > rules.max_words


_NO_ASCII_LETTER = bytes(code for code in range(128) if not chr(code).isalpha())


def few_letters(caption: str, rules: Captions) -> bool:
    """Less than `min_letter_ratio` of the characters that are not spaces are letters (Unicode L) or marks (M).

    Marks count because most vowels of the Indic scripts, Thai, Hebrew and Arabic are marks.
    """
    needed = rules.min_letter_ratio * (len(caption) - caption.count(" "))
    if caption.isascii():
        return len(caption.encode().translate(None, _NO_ASCII_LETTER)) < needed
    letters = sum(map(str.isalpha, caption))
    return letters < needed and letters + sum(unicodedata.category(char)[0] == "M" for char in caption) < needed


def repetitive(caption: str, rules: Captions) -> bool:
    """More than `max_repetition` of the caption repeats what was in it before.

    The share is the larger of two: characters in words that stood there already, over characters in words; and
    characters in further copies of a pattern of 1 to 16 characters within the longest word, over the same. Only what comes after the
    first copy counts, as in datatrove's reading of Gopher (Rae et al. 2021, table A1): "Bora Bora" is 0.5 and stays,
    "buy buy buy" is 0.67.
    """
    words = caption.casefold().split()
    bound = rules.max_repetition * sum(map(len, words))
    longest = max(words, key=len, default="")
    if _patterned_chars(longest, bound) > bound:
        return True
    repeats = len(words) - len(set(words))
    return repeats * len(longest) > bound and _repeated_chars(words) > bound


def _repeated_chars(words: list[str]) -> int:
    return sum((count - 1) * len(word) for word, count in Counter(words).items())


_PATTERN = re.compile(r"(.{1,16}?)\1{2,}")


def _patterned_chars(word: str, bound: float) -> int:
    """Characters in further copies, or 0 where they can't exceed `bound`: no copy adds a new character."""
    if len(word) - len(set(word)) <= bound:
        return 0
    return sum(len(run[0]) - len(run[1]) for run in _PATTERN.finditer(word))


_URL = re.compile(
    r"[a-z][a-z0-9+.-]+://\S|\bwww\.\w|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,18}/[\w?#]", re.IGNORECASE | re.ASCII
)
"""A scheme, `www.`, or a host name with a path. A bare host name ("Booking.com") is a name, not a URL."""


def has_url(caption: str, rules: Captions) -> bool:
    """Contains a URL."""
    return rules.drop_urls and ("/" in caption or "www." in caption.lower()) and _URL.search(caption) is not None


_MARKUP = re.compile(
    r"</?(?:a|b|i|u|p|br|em|div|img|font|span|small|strong|h[1-6])\b[^<>]*>"
    r"|\{\{|\}\}|\$\{|<%|%>|<\?php|\[/?caption\b|\[object Object\]",
    re.IGNORECASE,
)
"""HTML tags, and templates that nobody filled."""

_MARKUP_SIGN = re.compile(r"[<{}%\[]")


def garbled(caption: str, rules: Captions) -> bool:
    """Holds the traces of a wrong charset, of mark-up or of an unfilled template."""
    if not rules.drop_garbled:
        return False
    if not caption.isascii() and TRACES.search(caption):
        return True
    return _MARKUP_SIGN.search(caption) is not None and _MARKUP.search(caption) is not None


def boilerplate(caption: str, rules: Captions) -> bool:
    """An instruction of the page, such as "click to enlarge"."""
    return rules.drop_boilerplate and is_boilerplate(caption)


RULES: Mapping[Reason, Rule] = MappingProxyType(
    {
        Reason.CAPTION_FEW_CHARS: few_chars,
        Reason.CAPTION_MANY_CHARS: many_chars,
        Reason.CAPTION_FILE_NAME: file_name,
        Reason.CAPTION_PLACEHOLDER: placeholder,
        Reason.CAPTION_FEW_WORDS: few_words,
        Reason.CAPTION_MANY_WORDS: many_words,
        Reason.CAPTION_FEW_LETTERS: few_letters,
        Reason.CAPTION_HAS_URL: has_url,
        Reason.CAPTION_GARBLED: garbled,
        Reason.CAPTION_BOILERPLATE: boilerplate,
        Reason.CAPTION_REPETITIVE: repetitive,
    }
)
"""Every rule, in the order in which they are asked; the first that is broken gives the Reason."""

_IN_ORDER = tuple(RULES.items())


def broken_rule(caption: str, rules: Captions) -> Reason | None:
    """The first rule of `RULES` that `caption` breaks, or None."""
    for reason, breaks in _IN_ORDER:
        if breaks(caption, rules):
            return reason
    return None
