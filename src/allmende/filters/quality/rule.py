"""What a preset is made of: rules that measure a text, and edits that take lines out of it first."""

from collections.abc import Callable, Mapping

import msgspec

from allmende.filters.quality.text import Text


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a document may have."""

    name: str
    """Of the value, and of the reason for which a document is dropped."""
    low: float = float("-inf")
    """Smallest value that stays."""
    high: float = float("inf")
    """Largest value that stays."""

    def keeps(self, value: float) -> bool:
        """True if a document with this value stays."""
        return self.low <= value <= self.high


class Rule(Limit, frozen=True, kw_only=True):
    """A limit, and how its value is measured."""

    measure: Callable[[Text], float]

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Itself."""
        return (self,)

    def take(self, text: Text) -> tuple[Text, dict[str, float]]:
        """The text as it was, and the value."""
        return text, {self.name: self.measure(text)}


class Edited(msgspec.Struct, frozen=True):
    """What an edit makes of a text."""

    text: str
    values: Mapping[str, float]
    """By the names of the edit's limits."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the text; what comes after it sees the changed one."""

    name: str
    change: Callable[[Text], Edited]
    limits: tuple[Limit, ...] = ()
    """Of the values that it finds on the way."""

    def take(self, text: Text) -> tuple[Text, Mapping[str, float]]:
        """The changed text, and the values."""
        edited = self.change(text)
        same = edited.text == text.text
        return text if same else Text(edited.text, text.language), edited.values


Step = Rule | Edit


class Outcome(msgspec.Struct, frozen=True):
    """What becomes of a document."""

    text: str
    """What is left of it, without the lines that the preset takes out. Not for release if there is a reason."""
    reason: str | None
    """Name of the first limit that it breaks, or `empty`; None if it stays."""
    signals: dict[str, float]
    """Values of all limits that were looked at."""


def judge(text: Text, steps: tuple[Step, ...], *, signals: bool = False) -> Outcome:
    """Takes the steps, one after the other.

    Args:
        text: The document.
        steps: Of a preset, for its language.
        signals: Measure on after the first broken limit, so that all values are known.
    """
    found: dict[str, float] = {}
    reason: str | None = None
    for step in steps:
        if not text.text.strip():
            return Outcome("", reason or EMPTY, found)
        text, values = step.take(text)
        found.update(values)
        for limit in step.limits:
            if reason is None and not limit.keeps(values[limit.name]):
                reason = limit.name
        if reason and not signals:
            break
    if not text.text.strip():
        return Outcome("", reason or EMPTY, found)
    return Outcome(text.text, reason, found)


EMPTY = "empty"
"""Reason of documents without text, or of which an edit left nothing."""
