"""Lines of a document: FineWeb's measures (Penedo et al. 2024, section 3.6) as datatrove's `FineWebQualityFilter`."""

from allmende.filters.quality.marks import TERMINAL
from allmende.filters.quality.repetition import repeats
from allmende.filters.quality.text import Text

SHORT_LINE = 30
"""A line of at most so many characters is short."""

_ENDS = tuple(sorted(TERMINAL))


def line_punct_ratio(text: Text) -> float:
    """Share of lines that end in a mark that ends a sentence. FineWeb drops below 0.12."""
    return sum(line.endswith(_ENDS) for line in text.full_lines) / max(1, len(text.full_lines))


def short_line_ratio(text: Text) -> float:
    """Share of lines of at most 30 characters. FineWeb drops above 0.67."""
    return sum(len(line) <= SHORT_LINE for line in text.full_lines) / max(1, len(text.full_lines))


def char_dup_ratio(text: Text) -> float:
    """Characters in lines that repeat an earlier one, of all but line feeds. FineWeb drops above 0.01."""
    return repeats(text.full_lines)[1] / max(1, len(text.text) - text.text.count("\n"))


def list_ratio(text: Text) -> float:
    """Line feeds for each word. FineWeb drops above 0.3."""
    return text.text.count("\n") / max(1, len(text.words))
