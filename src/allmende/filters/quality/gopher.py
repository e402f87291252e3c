"""What a document looks like: Gopher's quality measures (Rae et al. 2021, appendix A.1.1) as datatrove computes them.

The reference is datatrove's `GopherQualityFilter`. Words are those of `words.py`, punctuation marks included; a symbol
is a word of nothing but the characters in `marks.py`.
"""

from collections.abc import Set

import numpy as np

from allmende.filters.quality.text import Text


def word_count(text: Text) -> float:
    """Words that are no symbols. Gopher keeps 50 to 100,000."""
    return float(np.count_nonzero(text.words.plain))


def mean_word_length(text: Text) -> float:
    """Characters in a word that is no symbol, on average. Gopher keeps 3 to 10."""
    plain = text.words.plain
    return float(text.words.sizes[plain].mean()) if plain.any() else 0.0


def hash_ratio(text: Text) -> float:
    """Number signs for each word. Gopher drops above 0.1."""
    return text.text.count("#") / max(1, len(text.words))


def ellipsis_ratio(text: Text) -> float:
    """Ellipses for each word. Gopher drops above 0.1."""
    return (text.text.count("...") + text.text.count("…")) / max(1, len(text.words))


def bullet_line_frac(text: Text) -> float:
    """Share of lines that begin with a bullet or a hyphen. Gopher drops above 0.9."""
    return sum(line.lstrip().startswith(("•", "-")) for line in text.any_lines) / max(1, len(text.any_lines))


def ellipsis_line_frac(text: Text) -> float:
    """Share of lines that end with an ellipsis. Gopher drops above 0.3."""
    return sum(line.rstrip().endswith(("...", "…")) for line in text.any_lines) / max(1, len(text.any_lines))


def letter_word_frac(text: Text) -> float:
    """Share of words with at least one letter. Gopher drops below 0.8."""
    return float(text.words.with_letter.mean()) if len(text.words) else 0.0


def stop_word_count(text: Text, stop_words: Set[str]) -> float:
    """Different stop words, as written (case counts). Gopher drops below 2."""
    return float(np.count_nonzero(text.words.count_of(stop_words)))
