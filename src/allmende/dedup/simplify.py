"""What makes two texts the same to a reader: no case, accents or punctuation, every number 0. As text, or hashed word by word.

Texts are arrays of code points here and tables give what becomes of each, so that no word is ever made: 20 times as fast as
regular expressions and a hash for each word, and there is no vocabulary that grows. Python's Unicode tables decide; characters
that a newer version of Unicode adds are separators before it.

The rules follow `simplify_text` of datatrove, but that drops the punctuation of a list and keeps all other signs as words.
Here everything separates words that is no letter, digit or mark; marks above and below letters (Mn) go, and so do
characters without a shape (soft hyphens, joiners). A number is a run of digits with points or commas inside: 12.3.2024 is one.

White space is where words end: without punctuation that is what tokenizers of languages with spaces do, too. Chinese, Japanese,
Thai, Lao, Khmer and Burmese have none. There each letter is a word, whatever the language of the whole text is said to be, so
that a page has the same words under two labels. (datatrove has dictionaries for some: 5 of our words are some 3 of its.)
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Codes = NDArray[np.uint32]
Words = Callable[[str], list[str]]
"""Cuts a simplified text into words; none of them may be empty or have white space."""

AT_ONCE = 1 << 16
"""Characters that are looked at together: 2 MB of arrays, whatever the length of the text."""

LONGEST_WORD = 1 << 12
"""Characters; what has no white space for longer is cut where `AT_ONCE` ends."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that multiplying loses nothing: 2**64 divided by the golden ratio (Knuth, TAOCP 6.4)."""

_GONE, _INSIDE_NUMBERS, _SPACE, _DIGIT = 0, 1, 32, 48
_TABLE = 0x20000
"""Code points up to here are looked up; above are rare ideographs, which stay, and tags and selectors, which go."""

_MARK = "\U0003fffe"
"""Stands between parts while they are simplified: no character, and it stays."""

_space = re.compile(r"\s")
_SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # ideographs
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
_COMPOSED = ((0x0900, 0x1BFF), (0x11000, 0x11FFF))
_spaceless = "".join(f"{chr(first)}-{chr(last)}" for first, last in _SPACELESS)
_find_words = re.compile(f"[{_spaceless}]|[^ {_spaceless}]+").findall
_POWERS = np.cumprod(np.full(LONGEST_WORD, _FACTOR, np.uint64))


def simplify(text: str) -> str:
    """The simplified text, a space where there is anything between letters."""
    return " ".join(filter(None, (_single_spaced(_simple_codes(block)) for block in _blocks(text))))


def simple_words(text: str) -> list[str]:
    """The words of the simplified text: those that `word_hashes` counts."""
    return [word for block in _blocks(text) for word in _find_words(_decoded(_simple_codes(block)))]


def simple_parts(text: str, separator: re.Pattern[str]) -> list[str]:
    """The simplified text of each part, as many as `separator.split` finds; empty for a part without letters.

    One after the other would take 20 times as long.
    """
    marked = separator.sub(f" {_MARK} ", text.replace(_MARK, " "))
    return [part.strip() for part in simplify(marked).split(_MARK)]


def word_hashes(text: str, words: Words | None = None) -> Hashes:
    """A hash for each word of the simplified text, in order; equal words have equal hashes everywhere.

    Args:
        text: Any.
        words: Another way to cut words.
    """
    blocks = [_hashed(_simple_codes(block), words) for block in _blocks(text)]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def run_hashes(words: Hashes, length: int) -> Hashes:
    """A hash for each run of so many words, in order; n - length + 1 of them, none if there are fewer words."""
    count = len(words) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = words[:count].copy()
    for step in range(1, length):
        hashes *= _FACTOR
        hashes += words[step : step + count]
    return mix(hashes)


def mix(x: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): every bit of the input moves half of the output's."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = x ^ (x >> np.uint64(31))
    return mixed


def _blocks(text: str) -> Iterator[str]:
    """The text in pieces, cut at white space."""
    begin = 0
    while len(text) - begin > AT_ONCE:
        found = _space.search(text, begin + AT_ONCE - LONGEST_WORD, begin + AT_ONCE)
        end = found.end() if found else begin + AT_ONCE
        yield text[begin:end]
        begin = end
    yield text[begin:] if begin else text


def _simple_codes(text: str) -> Codes:
    """Code points of the simplified text; words are apart by one or more spaces."""
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    most = 0 if text.isascii() or not len(raw) else int(raw.max())
    if most < _TABLE:
        codes = _table()[raw]
    else:
        high = np.where(raw < 2 * _TABLE, raw, _GONE)
        codes = np.where(raw < _TABLE, _table()[np.minimum(raw, _TABLE - 1)], high).astype(np.uint32)
    codes = _without_gone(_numbers(_without_gone(codes)))  # a mark between two digits does not make them two numbers
    return _composed(codes) if most >= _COMPOSED[0][0] else codes


def _composed(codes: Codes) -> Codes:
    """Korean letters and Indic vowels that were written in parts.

    Accents are gone, so nothing is left that Python would sort, which takes it quadratic time.
    """
    if not _within(codes, _COMPOSED).any():
        return codes
    return np.frombuffer(unicodedata.normalize("NFC", _decoded(codes)).encode("utf-32-le"), "<u4")


def _numbers(codes: Codes) -> Codes:
    """All digits but the first of each number gone, with what stands between them."""
    digit = codes == _DIGIT
    between = codes == _INSIDE_NUMBERS
    if digit.any():
        number = digit.copy()
        number[1:-1] |= between[1:-1] & digit[:-2] & digit[2:]
        codes[1:][number[1:] & number[:-1]] = _GONE
        between &= ~number
    codes[between] = _SPACE
    return codes


def _without_gone(codes: Codes) -> Codes:
    return codes if codes.all() else codes[codes != _GONE]


def _decoded(codes: Codes) -> str:
    return codes.tobytes().decode("utf-32-le")


def _single_spaced(codes: Codes) -> str:
    again = np.zeros(len(codes), bool)
    again[1:] = (codes[1:] == _SPACE) & (codes[:-1] == _SPACE)
    return _decoded(codes[~again]).strip(" ")


def _hashed(codes: Codes, words: Words | None) -> Hashes:
    """A polynomial over the letters of each word, modulo 2**64, mixed."""
    if words is not None:
        codes = np.frombuffer(" ".join(words(_decoded(codes))).encode("utf-32-le"), "<u4")
    inside = codes != _SPACE
    letters: Hashes = codes[inside].astype(np.uint64)
    if not len(letters):
        return letters
    first = inside.copy()
    first[1:] &= ~inside[:-1]
    if words is None and int(codes.max()) >= _SPACELESS[0][0]:
        alone = _within(codes, _SPACELESS)
        first |= alone
        first[1:] |= alone[:-1] & inside[1:]
    starts = np.flatnonzero(first[inside])
    lengths = np.diff(starts, append=len(letters))
    places = np.arange(len(letters))
    places -= np.repeat(starts, lengths)
    if int(lengths.max()) > LONGEST_WORD:
        places %= LONGEST_WORD
    letters *= _POWERS[places]
    hashes: Hashes = np.add.reduceat(letters, starts)
    return mix(hashes)


def _within(codes: Codes, ranges: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    inside = np.zeros(len(codes), bool)
    for first, last in ranges:
        inside |= (codes >= first) & (codes <= last)
    return inside


@cache
def _table() -> Codes:
    """For each code point what becomes of it."""
    table = np.full(_TABLE, _SPACE, np.uint32)
    for code in range(_TABLE):
        table[code] = _simple(code)
    for code in map(ord, ".,\u060c\u066b\u066c"):
        table[code] = _INSIDE_NUMBERS
    table[0x200B] = _SPACE  # zero width, but it ends words in Thai and Khmer
    return table


def _simple(code: int) -> int:
    """What becomes of a character: a letter, 0 for all digits, a space, or nothing."""
    character = chr(code)
    category = unicodedata.category(character)
    if category == "Nd":
        return _DIGIT
    if category in {"Mn", "Me", "Cf"} or unicodedata.combining(character):
        return _GONE
    if category[0] not in "LMN":
        return _SPACE
    for form in (character.casefold(), character.lower()):
        base = [c for c in unicodedata.normalize("NFD", form) if unicodedata.category(c) != "Mn"]
        if len(base) == 1:
            return ord(base[0])
    return code
