"""A document as the measures see it: its lines, paragraphs and words, each made once and only when asked for."""

import re
from functools import cached_property

from allmende.filters.quality.vocabulary import Words
from allmende.filters.quality.words import cut, pieces, segments

_paragraphs = re.compile(r"\n{2,}").split
_lines = re.compile(r"\n+").split


class Text:
    """One document.

    Args:
        text: Its main text, lines ended by line feeds.
        language: ISO 639-1 code: decides how words are cut.
    """

    def __init__(self, text: str, language: str):
        self.text = text
        self.language = language

    @cached_property
    def paragraphs(self) -> list[str]:
        """Parts between empty lines."""
        return _paragraphs(self.text.strip())

    @cached_property
    def lines(self) -> list[str]:
        """Parts between line feeds; runs of these count as one."""
        return _lines(self.text)

    @cached_property
    def full_lines(self) -> list[str]:
        """Lines that are not only white space."""
        return [line for line in self.text.split("\n") if line.strip()]

    @cached_property
    def any_lines(self) -> list[str]:
        """Lines as `str.splitlines` cuts them, empty ones included."""
        return self.text.splitlines()

    @cached_property
    def words(self) -> Words:
        """Words and punctuation marks, as spaCy cuts them."""
        return cut(self.text, self.language)

    @cached_property
    def pieces(self) -> Words:
        """What stands between white space."""
        return pieces(self.text)

    @cached_property
    def segments(self) -> Words:
        """Words between the boundaries that Unicode defines, those that begin with a letter or digit."""
        return segments(self.text)
