"""DCLM's heuristics: RefinedWeb's rules (Penedo et al. 2023) as DCLM-Baseline used them (Li et al. 2024).

The reference is mlfoundations/dclm at 361714b, `baselines_configs/dclm_baseline_refinedweb.yaml`, its steps that look
at the text: after the lists of URLs and the language. Thresholds in the docstrings are those of that file.

It measures otherwise than datatrove: words are what stands between white space, all occurrences of what repeats are
counted, not only those after the first, and n-grams are of words without punctuation.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from allmende.filters.quality.text import Text
from allmende.filters.quality.vocabulary import Ints

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_word_begin = re.compile(r"(?<![^ \n\r\t\v\f\0])[^\W_]")


def lines(text: Text) -> list[str]:
    """Lines without the white space around them; none is empty."""
    return _stripped(text.text.split("\n"))


def paragraphs(text: Text) -> list[str]:
    """Parts between empty lines, without the white space around them; none is empty."""
    return _stripped(text.text.split("\n\n"))


def word_count(text: Text) -> float:
    """Words that begin with a letter or digit, cut as fastText cuts them. Kept: 50 to 100,000."""
    return float(len(_word_begin.findall(text.text)))


def mean_word_length(text: Text) -> float:
    """Characters between white space, on average. Kept: 3 to 10."""
    return float(text.pieces.sizes.mean()) if len(text.pieces) else 0.0


def symbol_ratio(text: Text) -> float:
    """Number signs and ellipses for each word. Dropped above 0.1."""
    return sum(map(text.text.count, ("#", "...", ". . .", "…"))) / max(1, len(text.pieces))


def bullet_line_frac(text: Text) -> float:
    """Share of lines that begin with a bullet. Dropped above 0.9."""
    found = lines(text)
    return sum(line.startswith(("●", "•", "*", "-")) for line in found) / max(1, len(found))


def ellipsis_line_frac(text: Text) -> float:
    """Share of lines that end with an ellipsis. Dropped above 0.3."""
    found = lines(text)
    return sum(line.endswith(("...", ". . .", "…")) for line in found) / max(1, len(found))


def letter_word_frac(text: Text) -> float:
    """Share of words with at least one letter. Dropped below 0.8."""
    return float(text.pieces.with_letter.mean()) if len(text.pieces) else 0.0


def stop_word_count(text: Text) -> float:
    """Occurrences of stop words in any case. Dropped below 2."""
    return float(sum(piece.lower() in _STOP_WORDS for piece in text.pieces if len(piece) <= 4))


def dup_line_frac(text: Text) -> float:
    """Share of lines that come more than once; 0 if there is only one. Dropped above 0.3."""
    return _repeated(lines(text))[0]


def dup_line_char_frac(text: Text) -> float:
    """Characters in lines that come more than once, of those in all lines. Dropped above 0.2."""
    return _repeated(lines(text))[1]


def dup_para_frac(text: Text) -> float:
    """Share of paragraphs that come more than once; 0 if there is only one. Dropped above 0.3."""
    return _repeated(paragraphs(text))[0]


def dup_para_char_frac(text: Text) -> float:
    """Characters in paragraphs that come more than once, of those in all. Dropped above 0.2."""
    return _repeated(paragraphs(text))[1]


def top_gram_frac(text: Text, n: int) -> float:
    """Characters of all occurrences of the most frequent run of n words, of those in all words; 0 if none repeats.

    Of equally frequent runs the one with the most characters counts. Dropped above 0.2, 0.18, 0.16 for n = 2, 3, 4.
    """
    starts, runs = text.segments.repeated(n)
    if not len(starts):
        return 0.0
    counts = np.bincount(runs)
    frequent = starts[counts[runs] == counts.max()]
    ends = text.segments.ends
    return float(counts.max() * (ends[frequent + n] - ends[frequent]).max() / ends[-1])


def dup_gram_frac(text: Text, n: int) -> float:
    """Characters of words in any run of n that comes more than once, of those in all words.

    Dropped above 0.15, 0.14, 0.13, 0.12, 0.11 and 0.10 for n = 5 to 10.
    """
    starts, _ = text.segments.repeated(n)
    if not len(starts):
        return 0.0
    change: Ints = np.zeros(len(text.segments) + 1, np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, starts + n, -1)
    covered = np.cumsum(change[:-1]) > 0
    return float(text.segments.sizes[covered].sum() / text.segments.ends[-1])


_STOP_WORDS = frozenset(STOP_WORDS)


def _stripped(parts: list[str]) -> list[str]:
    return [stripped for part in parts if (stripped := part.strip())]


def _repeated(parts: Sequence[str]) -> tuple[float, float]:
    """Share of the parts that come more than once, and of their characters."""
    if len(parts) < 2:
        return 0.0, 0.0
    again = [(part, count) for part, count in Counter(parts).items() if count > 1]
    chars = sum(len(part) * count for part, count in again)
    return sum(count for _, count in again) / len(parts), chars / sum(map(len, parts))
