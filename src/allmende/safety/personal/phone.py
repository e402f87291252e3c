"""Phone numbers.

Google's libphonenumber (package phonenumberslite) knows the world's numbering plans. Its own matcher wants to know the
country beforehand, takes numbers of any length that look right in it, and is slow; so where a number begins is decided here.

Taken for a phone number is what is written

- internationally: +49 30 ..., 0049 30 ..., if the country's plan has numbers of that length;
- after a word such as Tel., Fax, mobil, Téléphone, kom., ☎: seven digits or more;
- nationally with the leading zero and in the groups of phone numbers, or as (202) 555-0123, if valid in a country where
  one writes so. Spanish or Polish numbers without any zero (912 345 678) need the word: numbers of people, money and
  parts look the same.

Dates, and numbers after words such as Nr., ISBN, Art., stay. Each number is at most 20 digits with three separators
between two, so there is a constant of work for each group of digits.
"""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

_CUT = re.compile(r"(?<=[0-9)])[ /.(-]{1,3}(?=[0-9(+])")
_NEXT = re.compile(r" {0,2}\(| ?/ ?0[0-9]")
_WORD = re.compile(r"\w")
_SEPARATORS = re.compile(r"[^0-9+]")

_CUE = re.compile(
    r"(?:(?<![^\W_])(?:tel|tel?e?fono?|telefon\w{0,8}|tele?phone|telephone|téléphone|tél|teléfono|telefone|telemóvel|phone"
    r"|fon|ph|fax|telefax|mobil\w{0,7}|mobile|móvil|cellulare|cell|handy|portable|hotline|whatsapp|call|ruf|rufnummer|sms"
    r"|tlf|puh|puhelin|kom|komórka|gsm|τηλ|тел|факс|моб|durchwahl|signal|text|dzwoń|appelez|llame|llama|chiama)"
    r"|[☎☏✆📞📱🕿])"
    r"\.?(?: ?(?:nr|no|num|number|nummer|us|uns|now|us at|us on|an|au|al|mobil|unter)\.?)?[ :=/]{0,3}\(?$",
    re.IGNORECASE,
)
_NO_CUE = re.compile(
    r"(?<![^\W_])(?:nr|no|n°|nº|num|numer|número|numéro|numero|isbn(?:-1[03])?|issn|ean|gtin|upc|art|artikel|artikelnr|sku"
    r"|model|modell|modèle|order|bestell-?nr|ref|réf|id|patent|hrb|hra|ust|pzn|doi|din|iso|en|serial|serien-?nr|part"
    r"|teile-?nr|oem|az|aktenzeichen|konto|blz|kto|code|plz|inv|inventar|lot|katalog|cat|kat|signatur|zdb|ppn|gnd|nip|regon|pesel|krs|siret|siren"
    r"|cif|nif|p\.? ?iva)[.:]?(?:[ -]?(?:nr|no|number|nummer))?[.:]?[ #:]{0,3}\(?$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r" ?(?:€|\$|£|%|°|eur\b|usd\b|zł|pln\b|kč|km\b|cm\b|mm\b|px\b|kg\b|[x\u00d7] ?[0-9]|[,:;][0-9]|[ .-][0-9]{2}(?![0-9]))",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\(?(?:(?:[12][0-9]|0?[1-9]|3[01])(?P<a>[./ -])(?:1[0-2]|0?[1-9])(?P=a)(?:(?:19|20)?[0-9]{2})(?![0-9]|(?P=a)[0-9])"
    r"|(?:19|20)[0-9]{2}[./-](?:1[0-2]|0[1-9])[./-][0-9]{2}(?![0-9]))"
)
_DECIMAL = re.compile(r"\(?\+?[0-9]{1,3}\.[0-9]{1,7}$")

_SHAPES = tuple(
    (re.compile(pattern), regions)
    for pattern, regions in (
        (r"\(?0[1-9](?P<s>[ .-])[0-9]{2}(?:(?P=s)[0-9]{2}){3}", ("FR",)),
        (r"0 ?[1-9][0-9]{0,4}(?: [0-9]{2})? ?[/-] ?[0-9]{2,9}(?:[ -][0-9]{1,5}){0,4}", ("DE", "AT", "CH", "BE", "NL", "SE", "FI")),
        (r"\(0 ?[1-9][0-9]{0,4}(?: [0-9]{2})?\) ?[/-]? ?[0-9]{2,9}(?:[ /-][0-9]{1,5}){0,4}", ("DE", "AT", "CH", "GB", "NL", "IE", "SI")),
        (r"0[1-9][0-9]{0,4}(?: [0-9]{2,8}){1,4}(?:-[0-9]{1,5})?", ("DE", "AT", "CH", "GB", "NL", "BE", "SK", "RO", "IE")),
        (r"\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-][0-9]{4}|(?:1[ .-])?[2-9][0-9]{2}([.-])[2-9][0-9]{2}\1[0-9]{4}", ("US",)),
    )
)  # fmt: skip
"""How national numbers are written, and where."""

_ABROAD = re.compile(r"\(?00(?:[34]|[1-9][0-9]{0,2}[ (/-])")
"""00 and a country: of Europe, or set apart."""
_POSTCODE = re.compile(r" [0-9]{5}$")
_ZIP = re.compile("0[0-9]{4}-[0-9]{4}")
"""Postcodes of New England: the address of the Free Software Foundation is all over the web."""
_TOWN = re.compile(r" [A-ZÀ-Þ][^\W\d_]")

_MOBILE = re.compile(r"01[567][0-9]{8,9}|07[0-9]{8,9}|06(?:[0-9]{8}|[0-9]{9,11})")
_MOBILE_REGIONS = ("DE", "GB", "FR", "AT", "CH", "NL")
_EVERYWHERE = (
    "DE", "AT", "CH", "FR", "GB", "IT", "ES", "PL", "NL", "BE", "PT", "SE", "DK", "NO", "FI",
    "CZ", "SK", "HU", "RO", "GR", "BG", "HR", "SI", "IE", "LU", "LT", "LV", "EE", "US",
)  # fmt: skip
"""Countries whose plans are asked for a number after a word like Tel.: the Union's, and those of the demo's languages."""


def end_of_phone(text: str, begin: int, end: int, floor: int) -> int:
    """Where the phone number ends that begins at a place; 0 if none does.

    Args:
        text: As `kind.plain` gives it.
        begin: Index of a digit, + or (.
        end: Where the digits end that could belong to it.
        floor: What is before this belongs to another number.
    """
    if _DATE.match(text, begin):
        return 0
    before = text[max(floor, begin - 32) : begin]
    cue = _CUE.search(before) is not None
    end = _before_next(text, begin, end)
    ends = [begin + cut.start() for cut in reversed(list(_CUT.finditer(text[begin:end])))]
    if not _WORD.match(text, end):
        ends.insert(0, end)
    if not ends:
        return 0
    if len(ends) > 1 and _POSTCODE.search(text, begin, ends[0]) and _TOWN.match(text, ends[0]):
        ends[:2] = reversed(ends[:2])
    if text[begin : begin + 8].lstrip("(").startswith(("+", "00")):
        return _international(text, begin, ends, cue=cue)
    if cue:
        return _first(text, begin, ends, _EVERYWHERE) or (ends[0] if 7 <= _size(text[begin : ends[0]]) <= 13 else 0)
    if _NO_CUE.search(before):
        return 0
    return _national(text, begin, ends)


def _before_next(text: str, begin: int, end: int) -> int:
    """Where the digits end, if a bracket or a slash with a zero begins another number behind seven of them."""
    for mark in _NEXT.finditer(text, begin + 7, end):
        if _size(text[begin : mark.start()]) >= 7:
            return mark.start()
    return end


def _size(piece: str) -> int:
    return len(_SEPARATORS.sub("", piece).lstrip("+"))


def _international(text: str, begin: int, ends: list[int], *, cue: bool) -> int:
    """The longest valid number; else the longest of a length that the country's plan has."""
    possible = 0
    for end in ends:
        piece = text[begin:end]
        if not 8 <= _size(piece) <= 17 or _DECIMAL.match(piece):
            continue
        number = _SEPARATORS.sub("", piece.replace("(0)", ""))
        if number.startswith("00"):
            if not (cue or _ABROAD.match(piece)):
                return 0
            number = "+" + number[2:]
        try:
            parsed = phonenumbers.parse(number, None)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return end
        if phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE and not possible:
            possible = end
    return possible


def _national(text: str, begin: int, ends: list[int]) -> int:
    for end in ends:
        piece = text[begin:end]
        if _size(piece) < 9 or _ZIP.fullmatch(piece) or _AFTER.match(text, end):
            continue
        for shape, regions in _SHAPES:
            if shape.fullmatch(piece) and _valid(piece, regions):
                return end
        if _MOBILE.fullmatch(piece) and _valid(piece, _MOBILE_REGIONS, mobile=True):
            return end
    return 0


def _first(text: str, begin: int, ends: list[int], regions: tuple[str, ...]) -> int:
    return next((end for end in ends if _size(text[begin:end]) >= 7 and _valid(text[begin:end], regions)), 0)


def _valid(piece: str, regions: tuple[str, ...], *, mobile: bool = False) -> bool:
    digits = _SEPARATORS.sub("", piece)
    for region in regions:
        try:
            number = phonenumbers.parse(digits, region)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) and not (
            mobile and phonenumbers.number_type(number) != PhoneNumberType.MOBILE
        ):
            return True
    return False
