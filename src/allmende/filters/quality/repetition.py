"""How much of a document repeats itself: Gopher's measures (Rae et al. 2021, table A1) as datatrove computes them.

No two implementations agree on what is counted; the reference here is datatrove's `GopherRepetitionFilter`. All values
are shares of the document's characters or lines, 0..1.
"""

from collections.abc import Sequence

import numpy as np

from allmende.filters.quality.text import Text


def dup_para_frac(text: Text) -> float:
    """Share of paragraphs that repeat an earlier one. Gopher drops above 0.30."""
    return repeats(text.paragraphs)[0] / len(text.paragraphs)


def dup_para_char_frac(text: Text) -> float:
    """Characters in paragraphs that repeat an earlier one. Gopher drops above 0.20."""
    return repeats(text.paragraphs)[1] / len(text.text)


def dup_line_frac(text: Text) -> float:
    """Share of lines that repeat an earlier one. Gopher drops above 0.30."""
    return repeats(text.lines)[0] / len(text.lines)


def dup_line_char_frac(text: Text) -> float:
    """Characters in lines that repeat an earlier one. Gopher drops above 0.20."""
    return repeats(text.lines)[1] / len(text.text)


def repeats(items: Sequence[str]) -> tuple[int, int]:
    """How many items repeat an earlier one, and their characters."""
    different = set(items)
    return len(items) - len(different), sum(map(len, items)) - sum(map(len, different))


def top_gram_frac(text: Text, n: int) -> float:
    """Characters of all occurrences of the most frequent run of n words, spaces between them included.

    Of equally frequent runs the first counts. Gopher drops above 0.20, 0.18 and 0.16 for n = 2, 3, 4.
    """
    grams = text.grams(n)
    if not len(grams):
        return 0.0
    _, first, counts = np.unique(grams, return_index=True, return_counts=True)
    most = int(counts.max())
    begin = int(first[counts == most].min())
    size = int(text.ends[begin + n] - text.ends[begin]) + n - 1
    return most * size / len(text.text)


def dup_gram_frac(text: Text, n: int) -> float:
    """Characters in runs of n words that were there before, read from left to right without overlap.

    Gopher drops above 0.15, 0.14, 0.13, 0.12, 0.11 and 0.10 for n = 5 to 10.
    """
    grams = text.grams(n)
    if len(np.unique(grams)) == len(grams):
        return 0.0
    ends = text.ends
    seen: set[int] = set()
    repeated = at = 0
    values = grams.tolist()
    while at < len(values):
        if values[at] in seen:
            repeated += int(ends[at + n] - ends[at])
            at += n
        else:
            seen.add(values[at])
            at += 1
    return repeated / len(text.text)
