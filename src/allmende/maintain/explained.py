"""Closed lists whose members explain themselves."""

from enum import StrEnum
from typing import Self


class Explained(StrEnum):
    """Each member is `value, explanation`."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> Self:  # noqa: D102 - an enum member is its own doc
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member
