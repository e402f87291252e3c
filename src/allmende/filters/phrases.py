"""Placeholders and boilerplate: what pages say about images instead of describing them.

The phrases are in `phrases.toml`, a table a language, so that a translator edits one place and no code.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from allmende.filters.words import bare_words, is_unspaced

LONGEST = 8
"""Words in the longest whole caption of `phrases.toml`; a test counts them."""


class Phrases(NamedTuple):
    """`phrases.toml`, all languages together, in the form that makes a look-up cheap."""

    nouns: frozenset[str]
    """Words that mean "image" or name a part of a page; a caption of nothing but these is a placeholder."""
    placeholders: frozenset[str]
    """Whole captions that stand for a missing image or a missing caption."""
    whole: frozenset[str]
    """Instructions that are boilerplate only if there is nothing else."""
    anywhere: Mapping[str, tuple[str, ...]]
    """Instructions that are boilerplate wherever they stand, by their longest word: the one that is met least."""
    unspaced: re.Pattern[str]
    """The same for scripts without spaces."""


@cache
def load() -> Phrases:
    """Read `phrases.toml`, once."""
    languages = tomllib.loads(files("allmende.filters").joinpath("phrases.toml").read_text("utf-8")).values()
    anywhere = [phrase for language in languages for phrase in language["boilerplate"]]
    by_word = defaultdict(list)
    for words in (bare_words(phrase) for phrase in anywhere if not is_unspaced(phrase)):
        by_word[max(words, key=len)].append(f" {' '.join(words)} ")
    return Phrases(
        nouns=_keys(phrase for language in languages for phrase in language["nouns"]),
        placeholders=_keys(phrase for language in languages for phrase in language["placeholders"]),
        whole=_keys(phrase for language in languages for phrase in language["boilerplate_alone"]),
        anywhere={word: tuple(phrases) for word, phrases in by_word.items()},
        unspaced=re.compile("|".join(re.escape(phrase) for phrase in anywhere if is_unspaced(phrase))),
    )


def _keys(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(" ".join(bare_words(phrase)) for phrase in phrases)


def is_placeholder(caption: str) -> bool:
    """Whether the caption only says that there is an image, or that there is none: "Image 3", "kein Bild vorhanden".

    Case, digits and punctuation don't matter.
    """
    if len(caption) > 80:  # 8 words, and their digits, have less
        return False
    words = bare_words(caption)
    phrases = load()
    return 0 < len(words) <= LONGEST and (phrases.nouns.issuperset(words) or " ".join(words) in phrases.placeholders)


def is_boilerplate(caption: str) -> bool:
    """Whether the caption is, or contains, an instruction of the page: "click to enlarge", "zum Vergrößern klicken"."""
    phrases = load()
    words = bare_words(caption)
    if len(words) <= LONGEST and " ".join(words) in phrases.whole:
        return True
    if not phrases.anywhere.keys().isdisjoint(words) and _contains(words, phrases.anywhere):
        return True
    return not caption.isascii() and phrases.unspaced.search(caption) is not None


def _contains(words: list[str], phrases: Mapping[str, tuple[str, ...]]) -> bool:
    text = f" {' '.join(words)} "
    return any(phrase in text for word in words for phrase in phrases.get(word, ()))
