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
    if len(different) == len(items):
        return 0, 0
    return len(items) - len(different), sum(map(len, items)) - sum(map(len, different))


def top_gram_frac(text: Text, n: int) -> float:
    """Characters of all occurrences of the most frequent run of n words, spaces between them included.

    Of equally frequent runs the first counts. Gopher drops above 0.20, 0.18 and 0.16 for n = 2, 3, 4.
    """
    if len(text.words) < n:
        return 0.0
    starts, runs = text.words.repeated(n)
    begin, times = 0, 1
    if len(starts):
        counts = np.bincount(runs)
        times = int(counts.max())
        begin = int(starts[np.argmax(counts[runs] == times)])
    ends = text.words.ends
    return times * (int(ends[begin + n] - ends[begin]) + n - 1) / len(text.text)


def dup_gram_frac(text: Text, n: int) -> float:
    """Characters in runs of n words that were there before, read from left to right without overlap.

    Gopher drops above 0.15, 0.14, 0.13, 0.12, 0.11 and 0.10 for n = 5 to 10.
    """
    starts, runs = text.words.repeated(n)
    if not len(starts):
        return 0.0
    ends = text.words.ends
    sizes = (ends[starts + n] - ends[starts]).tolist()
    seen: set[int] = set()
    repeated = free = 0
    for start, run, size in zip(starts.tolist(), runs.tolist(), sizes, strict=True):
        if start < free:
            continue
        if run in seen:
            repeated += size
            free = start + n
        else:
            seen.add(run)
    return repeated / len(text.text)
