"""What a word is, for rules that count or compare words in any script."""

import re

_TEN_LETTERS = re.compile(r"[^\W\d_]{10}")

_FOUR_SYLLABLES = re.compile("[\uac00-\ud7a3]{4}")

_TWO_A_WORD = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Han and kana."""

_FOUR_A_WORD = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese, Khmer; vowel signs count."""

_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\uff9f\U00020000-\U0003ffff]")
"""A first look: all of the above, and some more."""

_WIDE = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Han, kana, Hangul: one character says what two or three Latin letters say."""

_BARE_WORD = re.compile(r"[^\W\d_]+")


_LETTERS_OR_SPACES = bytes(code if _BARE_WORD.match(chr(code)) else 32 for code in range(256))
"""A table for `bytes.translate`: Latin-1 letters stay, all else becomes spaces. Five times as fast as the pattern."""


def count_words(text: str, enough: float) -> float:
    """How many words `text` has, so that a bound means about the same in every language.

    - A token between spaces counts one if it has a letter or digit.
    - Every ten letters in a row count one more, and every four syllables in Hangul: "Sonnenuntergang" is two words.
    - Han and kana characters count half a word, Thai, Lao, Burmese and Khmer ones a quarter.

    Counting may stop at `enough`. The weights come from 950 captions in 77 languages, see
    `docs/decisions/0003-caption-language.md`.
    """
    count = 0.0
    if not text.isascii() and _DENSE.search(text):
        text, halves = _TWO_A_WORD.subn(" ", text)
        text, quarters = _FOUR_A_WORD.subn(" ", text)
        count = halves / 2 + quarters / 4 + len(_FOUR_SYLLABLES.findall(text))
    for token in text.split():
        if count >= enough:
            break
        if token.isalnum() or any(map(str.isalnum, token)):
            count += 1 + (len(token) >= 10 and len(_TEN_LETTERS.findall(token)))
    return count


def most_words(text: str) -> float:
    """An upper bound of `count_words` that costs little."""
    if not text.isascii() and _DENSE.search(text):
        return len(text)
    return text.count(" ") + 1 + len(text) / 10


def count_chars(text: str) -> int:
    """How many characters `text` has; Han, kana and Hangul count two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def bare_words(text: str) -> list[str]:
    """The runs of letters in `text`, in lower case ("ß" is "ss")."""
    folded = text.casefold()
    try:
        return folded.encode("latin-1").translate(_LETTERS_OR_SPACES).decode("latin-1").split()
    except UnicodeEncodeError:
        return _BARE_WORD.findall(folded)


def is_unspaced(text: str) -> bool:
    """Whether `text` has characters of a script that puts no spaces between words."""
    return _TWO_A_WORD.search(text) is not None or _FOUR_A_WORD.search(text) is not None
