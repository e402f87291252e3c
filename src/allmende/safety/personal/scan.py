"""Numbers made of digits: a text is read once from left to right, and where one may begin, each kind is asked.

So whether a group of digits is the middle of something longer is decided by what was found to its left, and looking again
finds nothing new, however long the row of numbers.
"""

import re
from collections.abc import Iterator

from allmende.safety.personal.kind import Finding, Kind
from allmende.safety.personal.numbers import end_of_card, end_of_social_security, end_of_tax_id
from allmende.safety.personal.phone import end_of_phone

_DIGITS = re.compile(
    r"[+(0-9](?<![\w,/=#+(\])-][+(0-9])(?<![0-9]\.[0-9])\+?(?:[ ./()-]{0,3}+[0-9]){6,19}+",
)
"""Seven to twenty digits with at most three separators between two; not after a letter, nor in the middle of a number."""
_GROUP = re.compile("[+(]{0,3}[0-9]{0,20}")

_CHECKED = (
    (Kind.SOCIAL_SECURITY, end_of_social_security),
    (Kind.TAX_ID, end_of_tax_id),
    (Kind.CARD, end_of_card),
)


def find_numbers(text: str) -> Iterator[Finding]:
    """Cards, tax, insurance and phone numbers in a text (`kind.plain`), from left to right, without overlap."""
    position = floor = 0
    while match := _DIGITS.search(text, position):
        found = _at(text, match.start(), match.end(), floor)
        if found:
            yield found
            position = floor = found.end
        else:
            group = _GROUP.match(text, match.start())
            position = max(match.start() + 1, group.end() if group else 0)


def _at(text: str, begin: int, end: int, floor: int) -> Finding | None:
    """What begins there, at a digit, + or (; a bracket is of the number only if it closes in it."""
    if text[begin] == "(" and ")" not in text[begin:end]:
        begin += 1
    if begin - 2 >= floor and text[begin - 1] == " " and text[begin - 2].isdigit() and text[begin] != "+":
        return None  # a group in the middle of something longer
    for kind, end_of in _CHECKED:
        stop = end_of(text, begin)
        if stop:
            return Finding(kind, begin, stop)
    stop = end_of_phone(text, begin, end, floor)
    return Finding(Kind.PHONE, begin, stop) if stop else None
