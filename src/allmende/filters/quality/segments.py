"""Words between the boundaries that Unicode defines (UAX 29), as DCLM counts n-grams.

Only words that begin with a letter or digit are kept, so only these are looked for. Of the rules, those for scripts
with spaces, for numbers, and for scripts without (a word for each character, runs of katakana whole) are here.
"""

import re
from functools import cache
from unicodedata import category, name

_MID_LETTER = ":·\u0387\u055f\u05f4\u2027\ufe13\ufe55\uff1a"
_MID_BOTH = ".'\u2018\u2019\u2024\ufe52\uff07\uff0e"
_MID_NUMBER = ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b"
_ASCII = re.compile(
    r"(?:[A-Za-z0-9_]|(?<=[A-Za-z])[:.'](?=[A-Za-z])|(?<=[0-9])[.',;](?=[0-9]))+",
)


def cut_segments(piece: str) -> list[str]:
    """The words of a piece without white space that begin with a letter or digit."""
    pattern = _ASCII if piece.isascii() else _unicode()
    return [word for word in pattern.findall(piece) if word[0].isalnum()]


@cache
def _unicode() -> re.Pattern[str]:
    """The rules for all characters; made from Python's tables when first needed (some 0.3 s)."""
    letters: list[str] = []
    alone: list[str] = []
    kana: list[str] = []
    marks: list[str] = []
    digits: list[str] = []
    for code in range(0x80, 0x20000):
        char = chr(code)
        kind = category(char)
        if kind in {"Mn", "Mc", "Me"} or (kind == "Cf" and code != 0x200B):
            marks.append(char)
        elif kind == "Nd":
            digits.append(char)
        elif kind[0] == "L" or kind == "Nl":
            script = name(char, "").partition(" ")[0]
            (kana if script == "KATAKANA" else alone if script in _ALONE else letters).append(char)
        elif char.isalnum():
            alone.append(char)
    mark = f"[{_ranges(marks)}]*"
    letter, digit = f"A-Za-z{_ranges(letters)}", f"0-9{_ranges(digits)}"
    return re.compile(
        f"[{_ranges(alone)}\U00020000-\U0003ffff]{mark}"
        f"|[{_ranges(kana)}]{mark}(?:[{_ranges(kana)}_]{mark})*"
        f"|(?:[{letter}{digit}_]{mark}"
        f"|(?<=[{letter}{_ranges(marks)}])[{_MID_LETTER}{_MID_BOTH}](?=[{letter}])"
        f"|(?<=[{digit}])[{_MID_NUMBER}{_MID_BOTH}](?=[{digit}]))+"
    )


_ALONE = frozenset({"CJK", "HIRAGANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC"})


def _ranges(chars: list[str]) -> str:
    """Characters in order, as ranges for a pattern."""
    parts: list[list[int]] = []
    for char in chars:
        if parts and ord(char) == parts[-1][1] + 1:
            parts[-1][1] += 1
        else:
            parts.append([ord(char), ord(char)])
    return "".join(f"{re.escape(chr(begin))}-{re.escape(chr(end))}" for begin, end in parts)
