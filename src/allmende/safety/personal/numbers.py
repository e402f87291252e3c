"""Numbers with a check digit: bank accounts, cards, German tax and pension insurance numbers.

python-stdnum knows the registries and the arithmetic; what is here is where in a text a number begins and ends.
Where one may begin is for `scan` to say. The pension insurance number is not in stdnum: its rule is in the VKVV, section 2.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from stdnum import iban, luhn, numdb
from stdnum.de import idnr, stnr

from allmende.safety.personal.kind import Finding, Kind

_IBAN_START = re.compile(r"[0-9](?<=(?<![A-Za-z0-9\]])[A-Za-z]{2}[0-9])[0-9](?=[ -]?[A-Za-z0-9])")
_CARD = re.compile(
    r"(?:[0-9]{14,19}+|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{2,4}(?:\1[0-9]{3})?|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9A-Za-z_]|[.-][0-9])"
)
_TAX_ID = re.compile(r"[1-9][0-9](?:[0-9]{9}|([ /.-])[0-9]{3}\1[0-9]{3}\1[0-9]{3})(?![0-9A-Za-z_]|[./-][0-9])")
_TAX_NUMBER = re.compile(
    r"[Ss](?<![\w\]][Ss])(?:teuernummer|teuer-?nr\.?|t\.? ?-? ?nr\.?)[ :]{0,3}([0-9]{2,5} ?/? ?[0-9]{3,4} ?/? ?[0-9]{4,5}|[0-9]{10,13})"
    r"(?![0-9]|/[0-9])",
    re.IGNORECASE,
)
_SOCIAL = re.compile(
    r"[0-9]{2}(?:[ -]?[0-9]{6}[ -]?[A-Za-z][ -]?[0-9]{3}| [0-9]{2} [0-9]{2} [0-9]{2} [A-Z] [0-9]{2} ?[0-9])(?![0-9A-Za-z_])"
)

_NETWORKS = (
    (("4",), (16, 19)),
    (tuple(str(n) for n in (*range(51, 56), *range(2221, 2721))), (16,)),
    (("34", "37"), (15,)),
    (("6011", "65", *map(str, range(644, 650))), (16, 19)),
    (tuple(map(str, range(3528, 3590))), (16,)),
    (("36", "38", "39", *map(str, range(300, 306))), (14,)),
    (("62",), (16, 17, 18, 19)),
)
"""Prefixes and lengths of Visa, Mastercard, American Express, Discover, JCB, Diners Club and UnionPay (ISO/IEC 7812).

Visa's 13 digits, which nobody issues any more, are left out: EAN-13 codes begin with 4, too. So is Maestro: its prefixes
and lengths are so wide that the check digit alone would decide.
"""

_WEIGHTS = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
_AREAS = frozenset(
    f"{n:02d}" for n in (*range(2, 5), *range(8, 30), *range(38, 40), *range(40, 83), 89)
)  # of the pension insurance's carriers


def find_ibans(text: str) -> Iterator[Finding]:
    """Bank accounts, in electronic or printed form."""
    for start in _IBAN_START.finditer(text):
        begin = start.start() - 2
        rest = _bban(text[begin : begin + 2].upper())
        if rest is None:
            continue
        match = rest.match(text, start.end())
        if match and iban.is_valid(text[begin : match.end()], check_country=False):
            yield Finding(Kind.IBAN, begin, match.end())


@cache
def _bban(country: str) -> re.Pattern[str] | None:
    """The characters after the check digits: as many as the registry says; None for a country without IBAN."""
    facts = numdb.get("iban").info(country + "00")[0][1]
    if not facts:
        return None
    size = sum(int(count) for count in re.findall(r"(\d+)!", facts["bban"]))
    return re.compile(rf"(?:[ -]?[A-Za-z0-9]){{{size}}}(?![A-Za-z0-9])")


def end_of_card(text: str, begin: int) -> int:
    """Where the card number ends that begins there, in the groups that are printed on cards; 0 if none does."""
    return _end(text, begin, _CARD, _is_card)


def _is_card(digits: str) -> bool:
    return luhn.is_valid(digits) and any(digits.startswith(p) and len(digits) in sizes for p, sizes in _NETWORKS)


def end_of_tax_id(text: str, begin: int) -> int:
    """The same for a German tax identification number."""
    return _end(text, begin, _TAX_ID, idnr.is_valid)


def end_of_social_security(text: str, begin: int) -> int:
    """The same for a German pension insurance number."""
    return _end(text, begin, _SOCIAL, is_social_security)


def find_tax_numbers(text: str) -> Iterator[Finding]:
    """German tax numbers (Steuernummer). They have no check digit: only after their name."""
    for match in _TAX_NUMBER.finditer(text):
        if stnr.is_valid(re.sub("[ /]", "", match[1])):
            yield Finding(Kind.TAX_ID, match.start(1), match.end(1))


def is_social_security(number: str) -> bool:
    """Check area, date and check digit of twelve characters such as 65170839J003.

    Day and month may be larger than dates are: 32 to 63 and so on tell apart people of the same day.
    """
    area, letter = number[:2], number[8].upper()
    if area not in _AREAS or not "01" <= number[2:4] <= "63" or not number[4:6] <= "72":
        return False
    digits = f"{number[:8]}{ord(letter) - 64:02d}{number[9:11]}"
    products = (int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return sum(product // 10 + product % 10 for product in products) % 10 == int(number[11])


def _end(text: str, begin: int, pattern: re.Pattern[str], valid: Callable[[str], bool]) -> int:
    match = pattern.match(text, begin)
    return match.end() if match and valid(re.sub("[ /.-]", "", match[0])) else 0
