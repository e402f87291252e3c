"""What counts as personal, what is found, and the form of a text in which it is looked for."""

import re
import unicodedata
from enum import StrEnum
from functools import cache
from typing import NamedTuple, Self


class Kind(StrEnum):
    """A kind of personal data. Each member is `value, placeholder, explanation`.

    Placeholders are words in capitals and square brackets. Angle brackets (`<EMAIL>`) look like HTML tags to caption
    rules and browsers, and like special tokens (`<PAD>`) to tokenisers; an address such as `email@example.com` would be
    found again, and teaches a model to write addresses. Square brackets are plain text everywhere, no pattern here
    matches across them, and a reader sees what was there.
    """

    placeholder: str
    explanation: str

    def __new__(cls, value: str, placeholder: str, explanation: str) -> Self:  # noqa: D102 - as in schema.Reason
        member = str.__new__(cls, value)
        member._value_ = value
        member.placeholder = placeholder
        member.explanation = explanation
        return member

    EMAIL = "email", "[EMAIL]", "E-mail addresses, also with umlauts, (at), [at], and spelt out: name at host dot org."
    IBAN = (
        "iban",
        "[IBAN]",
        "Bank accounts of all countries in the IBAN registry. Length, structure, ISO 7064 MOD 97-10.",
    )
    IPV6 = "ipv6", "[IPV6]", "Global unicast addresses (2000::/3)."
    IPV4 = (
        "ipv4",
        "[IPV4]",
        "Public addresses; those of documentation count as public. A small one such as 4.3.2.1 only after a word like IP.",
    )
    SOCIAL_SECURITY = (
        "social_security",
        "[SOCIAL-SECURITY]",
        "German pension insurance numbers (Rentenversicherungsnummer). Date, area and check digit.",
    )
    TAX_ID = (
        "tax_id",
        "[TAX-ID]",
        "German tax numbers: Identifikationsnummer (repetition rule, ISO 7064 MOD 11,10); Steuernummer after its name.",
    )
    CARD = "card", "[CARD]", "Payment cards. Issuer's prefix, length, Luhn's check digit."
    PHONE = (
        "phone",
        "[PHONE]",
        "Phone numbers: international ones; after a word like Tel.; and national ones that are written as such.",
    )


class Finding(NamedTuple):
    """Where something personal stands."""

    kind: Kind
    begin: int
    """Index of its first character."""
    end: int
    """Index after its last."""


_FORMS = {0xFF20: "@", 0xFE6B: "@", 0xFF0E: ".", 0xFF08: "(", 0xFF09: ")", 0xFF0B: "+", 0xFF1A: ":", 0x2212: "-"}


def _plain(code: int) -> str:
    """The character that one counts as; empty if it is as good as any."""
    category = unicodedata.category(chr(code))
    if category == "Nd":
        return str(unicodedata.digit(chr(code)))
    return {"Zs": " ", "Pd": "-"}.get(category, _FORMS.get(code, ""))


@cache
def _forms() -> dict[str, str]:
    """Digits of other scripts, other spaces and dashes, and full-width signs of addresses: 30 ms to make, and often not needed."""
    return {chr(code): form for code in range(0xA0, 0x20000) if (form := _plain(code))}


@cache
def _not_plain() -> re.Pattern[str]:
    return re.compile(f"[{''.join(char for char in _forms() if char < chr(0x10000))}]")


_LARGE = re.compile("[\U00010000-\U0001ffff]")
"""Apart, because a set with characters beyond U+FFFF is tried one by one: ten times as slow."""


def other_digits() -> str:
    """Decimal digits of all scripts but ours."""
    return "".join(char for char, form in _forms().items() if form.isdigit())


def plain(text: str) -> str:
    """The text in which personal data is looked for: digits of all scripts as ASCII, one kind of space, one of dash.

    Character for character, so that places in it are places in `text`.
    """
    if text.isascii():
        return text
    forms = _forms()
    text = _not_plain().sub(lambda char: forms[char[0]], text)
    return _LARGE.sub(lambda char: forms.get(char[0], char[0]), text)


def blank(text: str, findings: list[Finding]) -> str:
    """The text with what was found covered, each character, in the way placeholders end: in brackets.

    So whoever looks next sees beside it what would be there after replacing. No pattern takes a bracket that closes for
    a place where something may begin: what is glued to a finding stays what it was, and doesn't come to light later.
    """
    parts, done = [], 0
    for finding in findings:
        parts += [text[done : finding.begin], "[", "]" * (finding.end - finding.begin - 1)]
        done = finding.end
    return "".join([*parts, text[done:]])
