"""Gopher's measures as dolma computes them: the reference is dolma 1.2's `taggers/gopher.py` (Soldaini et al. 2024).

Words are what stands between white space, punctuation marks stick to them; of what repeats, all occurrences count.
"""

import numpy as np

from allmende.filters.quality.refinedweb import STOP_WORDS
from allmende.filters.quality.text import Text


def word_count(text: Text) -> float:
    """Words. Kept: 50 to 100,000."""
    return float(len(text.pieces))


def median_word_length(text: Text) -> float:
    """Characters in the word in the middle. Kept: 3 to 10."""
    return float(np.median(text.pieces.sizes)) if len(text.pieces) else 0.0


def symbol_ratio(text: Text) -> float:
    """Share of words with a number sign or an ellipsis. Dropped above 0.1."""
    if "#" not in text.text and "…" not in text.text:
        return 0.0
    return sum("#" in piece or "…" in piece for piece in text.pieces) / max(1, len(text.pieces))


def letter_word_frac(text: Text) -> float:
    """Share of words with at least one letter. Dropped below 0.8."""
    return float(text.pieces.with_letter.mean()) if len(text.pieces) else 0.0


def stop_word_count(text: Text) -> float:
    """Occurrences of stop words, as written (case counts). Dropped below 2."""
    return float(text.pieces.count_of(STOP_WORDS).sum())


def bullet_line_frac(text: Text) -> float:
    """Share of lines, empty ones too, that begin with a star or a hyphen. Dropped above 0.9."""
    lines = text.text.split("\n")
    return sum(line.startswith(("*", "-")) for line in lines) / len(lines)


def ellipsis_line_frac(text: Text) -> float:
    """Share of lines, empty ones too, that end with the character of an ellipsis. Dropped above 0.3."""
    lines = text.text.split("\n")
    return sum(line.endswith("…") for line in lines) / len(lines)


def dup_line_frac(text: Text) -> float:
    """Share of lines, empty ones too, that come more than once. Dropped above 0.3."""
    return _repeated_lines(text)[0]


def dup_line_char_frac(text: Text) -> float:
    """Characters in lines that come more than once, of those in words. Dropped above 0.3, not Gopher's 0.2."""
    return _repeated_lines(text)[1]


def top_gram_frac(text: Text, n: int) -> float:
    """Characters of all occurrences of the most frequent run of n words, of those in all words; the first of equals.

    Dropped above 0.2, 0.18 and 0.16 for n = 2, 3, 4.
    """
    if len(text.pieces) < n:
        return 0.0
    starts, runs = text.pieces.repeated(n)
    begin, times = 0, 1
    if len(starts):
        counts = np.bincount(runs)
        times = int(counts.max())
        begin = int(starts[np.argmax(counts[runs] == times)])
    ends = text.pieces.ends
    return times * int(ends[begin + n] - ends[begin]) / int(ends[-1])


def dup_gram_frac(text: Text, n: int) -> float:
    """Characters of runs of n words that come more than once, of those of all runs of n words.

    Dropped above 0.15, 0.14, 0.13, 0.12, 0.11 and 0.10 for n = 5 to 10.
    """
    starts, _ = text.pieces.repeated(n)
    if not len(starts):
        return 0.0
    ends = text.pieces.ends
    sizes = ends[n:] - ends[:-n]
    return float(sizes[starts].sum() / sizes.sum())


def _repeated_lines(text: Text) -> tuple[float, float]:
    counts: dict[str, int] = {}
    lines = text.text.split("\n")
    for line in lines:
        counts[line] = counts.get(line, 0) + 1
    again = {line: count for line, count in counts.items() if count > 1}
    chars = sum(len(line) * count for line, count in again.items())
    return sum(again.values()) / len(lines), chars / max(1, int(text.pieces.ends[-1]))
