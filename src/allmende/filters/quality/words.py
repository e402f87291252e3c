"""Text into words as spaCy's blank pipelines cut it, because datatrove counts these words.

Text is split at white space; of each piece spaCy takes prefixes and suffixes off, looks for exceptions (don't: do n't)
and URLs, and cuts the rest at infixes. The rules of 33 languages ship as data (`data/tokenizers.json.zst`). The web
repeats its pieces, so each is cut once and remembered: 40 times as fast as spaCy, with the same words.

Other languages use spaCy's rules for `xx`. Japanese, Thai, Lao, Khmer and Burmese have no spaces: there each character is a
word. In Chinese it is a pair of characters, which gives nearly the decisions of jieba's dictionary, that datatrove uses:
cut by single characters, a third of documents was judged otherwise by the rules on runs of words.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from allmende.filters.quality.segments import cut_segments
from allmende.filters.quality.vocabulary import Vocabulary, Words

SPACELESS = frozenset({"zh", "ja", "th", "lo", "km", "my"})
"""Languages written without spaces."""
_SAME = {"nn": "nb"}
"""datatrove cuts Nynorsk as Bokmål."""

_maltese_parts = re.compile(
    r"[^\W\d_]+[-'\u2019](?=[^\W\d_])|\b(?:ta|ma|sa|bi|fi)['\u2019]|.+?(?=\b[^\W\d_]+[-'\u2019])|.+"
).findall
_character = re.compile(r"\S").findall
_HAN = "[\u3400-\u9fff\U00020000-\U0003ffff]"
_ALONE = "[\u7684\u5728\u662f\u548c\u4e86\u65bc\u70ba\u4e3a\u8207\u4e0e\u4e5f\u800c\u7531\u88ab\u4ed6]"
"""The commonest words of one character, in both scripts: of, in, is, and, ..."""

_chinese = re.compile(rf"{_ALONE}|{_HAN}{{1,2}}?(?={_ALONE})|{_HAN}{{1,2}}|[A-Za-z0-9]+(?:\.[0-9]+)?|\S").findall
"""Chinese without a dictionary: pairs of characters, but for the commonest ones, which are words of their own."""


SUFFIX_CHARS = 16
"""A suffix is looked for in so many last characters, and in dots at the end: no other is longer."""

MOST_AFFIXES = 100
"""So many prefixes and suffixes are taken off a piece, or one of nothing but marks would take quadratic time."""


class Tokenizer:
    """Cuts the text of one language.

    Args:
        rules: Patterns for prefix, suffix, infix, URL and whole token, and the exceptions.
    """

    def __init__(self, patterns: list[str], exceptions: dict[str, list[str]]):
        self._prefix, self._suffix, self._infix, self._url, self._token = (
            re.compile(pattern) if pattern else _NEVER for pattern in patterns
        )
        self._exceptions = {piece: tuple(words) for piece, words in exceptions.items()}

    def cut(self, piece: str) -> tuple[str, ...]:
        """The words of a piece without white space: the algorithm of spaCy as `Tokenizer.explain` states it."""
        if piece.isalpha() or (piece.isascii() and piece.isdecimal()):
            return self._exceptions.get(piece, (piece,))
        head: list[str] = []
        tail: list[str] = []
        rest = piece
        for _ in range(MOST_AFFIXES):
            if not rest or rest in self._exceptions or self._token.match(rest):
                break
            before = rest
            prefix = self._prefix.match(rest)  # all its alternatives begin with ^
            if prefix and prefix.end():
                head.append(rest[: prefix.end()])
                rest = rest[prefix.end() :]
                if rest in self._exceptions:
                    break
            suffix = self._suffix.search(rest, max(0, len(rest.rstrip(".")) - SUFFIX_CHARS))
            if suffix and suffix.start() < len(rest):
                tail.append(rest[suffix.start() :])
                rest = rest[: suffix.start()]
            if rest == before:
                break
        if rest:
            head += self._middle(rest)
        return tuple(word for word in (*head, *reversed(tail)) if word.strip())

    def _middle(self, rest: str) -> tuple[str, ...] | list[str]:
        """What is left between prefixes and suffixes."""
        if rest in self._exceptions:
            return self._exceptions[rest]
        if self._token.match(rest) or self._url.match(rest):
            return (rest,)
        words: list[str] = []
        begin = 0
        for infix in self._infix.finditer(rest):
            if infix.start() == infix.end() and infix.start() == begin:
                continue
            if begin < infix.start():
                words.append(rest[begin : infix.start()])
            if infix.start() != infix.end():
                words.append(infix.group())
            begin = infix.end()
        if begin < len(rest):
            words.append(rest[begin:])
        return [word for part in words for word in self._exceptions.get(part, (part,))]


_NEVER = re.compile(r"(?!)")


def cut(text: str, language: str) -> Words:
    """The words of a text, punctuation marks included, in order; none is empty or white space.

    Args:
        text: Any.
        language: ISO 639-1 code; one without rules of its own gets those for all languages.
    """
    if language == "zh":
        return Words(_chinese(text), _remembered(language, lambda piece: (piece,)))
    if language in SPACELESS:
        return Words(_character(text), _remembered(language, tuple))
    return Words(
        text.split(),
        _remembered(language, _maltese if language == "mt" else tokenizer(_SAME.get(language, language)).cut),
    )


def _maltese(piece: str) -> list[str]:
    """Articles and prepositions with their hyphen or apostrophe are words, as the stop words of FineWeb-2 have them: il-, ta'."""
    rules = tokenizer("xx")
    parts = _maltese_parts(piece)
    return [
        word
        for part in parts
        for word in ((part,) if part[-1] in "-'\u2019" and part[:-1].isalpha() else rules.cut(part))
    ]


def pieces(text: str) -> Words:
    """The parts of a text between white space."""
    return Words(text.split(), _remembered("pieces", lambda piece: (piece,)))


def segments(text: str) -> Words:
    """The words of a text by Unicode's boundaries (`segments.py`)."""
    return Words(text.split(), _remembered("segments", cut_segments))


_vocabularies: dict[str, Vocabulary] = {}


def _remembered(name: str, cut: Callable[[str], Iterable[str]]) -> Vocabulary:
    """The vocabulary of this process for a way of cutting. Documents made with an older one keep that one."""
    known = _vocabularies.get(name)
    if known is None or known.full:
        known = _vocabularies[name] = Vocabulary(cut)
    return known


@cache
def tokenizer(language: str) -> Tokenizer:
    """The tokenizer of a language; made once."""
    rules = _rules()
    own = rules["languages"].get(language) or rules["languages"]["xx"]
    return Tokenizer([rules["patterns"][number] for number in own["patterns"]], own["exceptions"])


@cache
def _rules() -> dict[str, Any]:
    import zstandard

    packed = files("allmende.filters.quality").joinpath("data/tokenizers.json.zst").read_bytes()
    rules: dict[str, Any] = msgspec.json.decode(zstandard.decompress(packed))
    return rules
