"""Judges main texts: long enough, in a wanted language, good enough? The last word on every document."""

from typing import Any

from allmende.filters.charset_damage import damaged
from allmende.filters.document_language import Language, by_paragraph, identify
from allmende.recipe import Recipe
from allmende.schema import Reason
from allmende.steps.fates import Dropped
from allmende.steps.quality_rules import QualityRules

Row = dict[str, Any]
"""Columns of `schema.PAGES`, but `host_key`; once judged also what of `schema.DOCUMENTS` does not depend on the words in their
final form."""


class TextJudge:
    """Judges texts.

    Args:
        recipe: Its sections text and quality are used.
    """

    def __init__(self, recipe: Recipe):
        self._text = recipe.text
        self._rules = QualityRules(recipe.quality)
        self._languages = frozenset(recipe.text.languages)

    def flaw(self, text: str, repeated: int = 0) -> Reason | None:
        """What is wrong with a text in whatever language: its size, or its letters.

        Args:
            text: As it is.
            repeated: Characters that were taken out of it before.
        """
        chars, least = len(text), self._text.min_chars
        if repeated and chars < least <= chars + repeated:
            return Reason.TEXT_REPEATED
        if not chars:
            return Reason.TEXT_EMPTY
        if chars < least:
            return Reason.TEXT_SHORT
        if chars > self._text.max_chars:
            return Reason.TEXT_LONG
        return Reason.TEXT_GARBLED if damaged(text) > self._text.max_garbled else None

    def wants(self, language: str) -> bool:
        """Whether documents in a language are kept."""
        return (not self._languages or language in self._languages) and self._rules.knows(language)

    def judge(self, row: Row, language: Language | None = None) -> Row | Dropped:
        """The row with what was found out about its text; or why it is dropped.

        Args:
            row: Of a page.
            language: Of its text, if it is known.
        """
        text = row["text"]
        language = language or identify(text)
        if reason := self.flaw(text, row.get("repeated_chars") or 0):
            return Dropped(reason, language.code, row=row)
        if language.score < self._text.min_language_score or not self.wants(language.code):
            return Dropped(Reason.TEXT_LANGUAGE, language.code, row=row)
        judged = self._rules.judge(text, language.code)
        if judged.reason is not None:
            return Dropped(judged.reason, language.code, row=row)
        return row | {
            "text": judged.text,
            "language": language.code,
            "language_score": language.score,
            "languages": [{"language": code, "share": share} for code, share in by_paragraph(judged.text)],
            "quality": None if judged.values is None else list(judged.values.items()),
        }
