"""What DCLM's heuristics take out of a text: addresses before its rules, and lines that are no prose after them.

The reference is mlfoundations/dclm at 361714b, `baselines/mappers/modifiers.py`. It is reproduced with its mistakes: web
addresses only go if the text itself begins with the name of a top-level domain, in words such as "as" or "into" (a
`match` where `search` was meant), and the dots of "Read more..." stand for any character.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files

from allmende.filters.quality.refinedweb import word_count
from allmende.filters.quality.rule import Edit, Edited, Limit
from allmende.filters.quality.text import Text
from allmende.filters.quality.vocabulary import MOST_CHARS

MAX_UPPERCASE = 0.5
"""Lines with a larger share of capital letters go."""

MIN_WORDS = 2
"""Lines with fewer words go, empty ones excepted."""

PHRASE_LINE_WORDS = 10
"""Phrases are taken out of lines of at most so many words."""

_ADDRESS = r"(?:(?:https?|ftp)://)?[-a-zA-Z0-9@:%._\+~#=]{1,256}\."
_PATH = r"[-a-zA-Z0-9()@:%_\+.~#?&//=]*"
_ip = re.compile(rf"\b(?:(?:https?|ftp)://)?(?:[0-2]?[0-9]{{1,2}}\.){{3}}[0-2]?[0-9]{{1,2}}{_PATH}")
_parts = re.compile(r"(\s+)").split
_after_dot = re.compile(r"\.(\w+)").findall
_line_feeds = re.compile(r"\n{3,}")
_counter = re.compile(
    r"^\W*\d(?:,|\.|\d)*[kmb]?\s+"
    r"(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|downloads|views|followers)\W*$"
)
_phrases = {
    "items in cart": re.compile(r"\s?items in cart", re.IGNORECASE),
    "read more": re.compile(r"\s?read more...$", re.IGNORECASE),
    "sign-in": re.compile(r"^sign-in\s?", re.IGNORECASE),
}


def without_addresses(text: Text) -> Edited:
    """Takes out web and IP addresses, and line feeds after the second of a row."""
    left = text.text
    if _begins_with_domain(left):
        left = _sub(left, _address_in, 1)
    left = _sub(left, lambda _: _ip, 3)
    return Edited(_line_feeds.sub("\n\n", left), {})


def without_noise(text: Text) -> Edited:
    """Takes out lines in capitals, of digits, counters ("3 likes"), single words, and three phrases."""
    before = word_count(text)
    left = text.text
    for keep in (_is_no_shout, _is_no_number, _is_no_counter):
        left = "\n".join(filter(keep, left.split("\n"))).strip()
    left = "\n".join(line for line in left.split("\n") if not line or len(line.split()) >= MIN_WORDS)
    for words, phrase in _phrases.items():
        if words in left.lower():
            left = "\n".join(_without(phrase, left.split("\n")))
        left = left.strip()
    after = word_count(Text(left, text.language))
    return Edited(left, {"removed_word_frac": (before - after) / max(1.0, before)})


ADDRESSES = Edit(name="addresses", change=without_addresses)
NOISE = Edit(name="noise", change=without_noise, limits=(Limit(name="removed_word_frac", high=0.05),))


def _is_no_shout(line: str) -> bool:
    return not line or line.islower() or sum(map(str.isupper, line)) / len(line) <= MAX_UPPERCASE


def _is_no_number(line: str) -> bool:
    return not line.isdigit()


def _is_no_counter(line: str) -> bool:
    return not _counter.search(line.lower())


def _without(phrase: re.Pattern[str], lines: list[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        left = phrase.sub("", line) if len(line.split()) <= PHRASE_LINE_WORDS else line
        if not line or left.strip():
            kept.append(left)
    return kept


def _sub(text: str, pattern_for: Callable[[str], re.Pattern[str] | None], min_dots: int) -> str:
    """Takes what a pattern finds out of each piece, with up to ten characters of white space before it.

    Only pieces with enough dots are looked at; one above 1,000 characters stays, it would cost too much.
    """
    parts = _parts(text)
    for at in range(0, len(parts), 2):
        piece = parts[at]
        if "." not in piece or len(piece) > MOST_CHARS or piece.count(".") < min_dots:
            continue
        pattern = pattern_for(piece)
        if pattern is None:
            continue
        if at and pattern.match(piece):
            parts[at - 1] = parts[at - 1][:-10]
        parts[at] = pattern.sub("", piece)
    return "".join(parts)


def _address_in(piece: str) -> re.Pattern[str] | None:
    found = _domains().intersection(_after_dot(piece))
    return _address(tuple(sorted(found))) if found else None


@lru_cache(maxsize=500)
def _address(domains: tuple[str, ...]) -> re.Pattern[str]:
    """Addresses with one of these domains; a pattern with all of them would be slow."""
    return re.compile(rf"{_ADDRESS}(?:{'|'.join(domains)})\b{_PATH}")


@cache
def _domains() -> frozenset[str]:
    """The top-level domains that DCLM knows, in small letters; those in punycode never match there."""
    listed = files("allmende.filters.quality").joinpath("data/top_level_domains.txt").read_text("utf-8")
    return frozenset(listed.split())


def _begins_with_domain(text: str) -> bool:
    begin = text[:24].lower()
    return any(begin[:size] in _domains() for size in range(1, len(begin) + 1))
