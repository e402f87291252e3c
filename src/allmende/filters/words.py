"""What a word is, for rules that count or compare words in any script."""

import re

_TOKEN = re.compile(r"\S*[^\W_]\S*")
"""Something between spaces that has a letter or a digit: dashes and bars between words are no words."""

_TEN_LETTERS = re.compile(r"[^\W\d_]{10}")

_FOUR_SYLLABLES = re.compile("[\uac00-\ud7a3]{4}")

_TWO_A_WORD = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Han and kana."""

_FOUR_A_WORD = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese, Khmer; vowel signs count."""

_WIDE = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Han, kana, Hangul: one character says what two or three Latin letters say."""

_BARE_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def count_words(text: str) -> float:
    """How many words `text` has, so that a bound means about the same in every language.

    - A token between spaces counts one if it has a letter or digit.
    - Every ten letters in a row within a word count one more (four syllables in Hangul): "Sonnenuntergang" is "sun set".
    - Han and kana characters count half a word, Thai, Lao, Burmese and Khmer ones a quarter.

    The weights are fitted on 950 captions in 77 languages (`docs/decisions/0003-caption-language.md`).
    """
    if text.isascii():
        return len(_TOKEN.findall(text)) + len(_TEN_LETTERS.findall(text))
    text, halves = _TWO_A_WORD.subn(" ", text)
    text, quarters = _FOUR_A_WORD.subn(" ", text)
    further = len(_TEN_LETTERS.findall(text)) + len(_FOUR_SYLLABLES.findall(text))
    return len(_TOKEN.findall(text)) + further + halves / 2 + quarters / 4


def count_chars(text: str) -> int:
    """How many characters `text` has; Han, kana and Hangul count two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def bare_words(text: str) -> list[str]:
    """The words of `text` in lower case, without digits and punctuation; apostrophes inside a word stay."""
    return _BARE_WORD.findall(text.casefold())


def is_unspaced(text: str) -> bool:
    """Whether `text` has characters of a script that puts no spaces between words."""
    return bool(_TWO_A_WORD.search(text) or _FOUR_A_WORD.search(text))
