"""The one form in which a caption is judged, stored and hashed.

The same capture read from WAT and from WARC must give the same `uid`, so both go through `normalise_caption`. It changes
what a reader can't see: control characters, bidi marks, invisible fillers, the kind of white space, the order of
combining marks. And it undoes two kinds of damage that are found all over the web: entities that were escaped twice
(`&amp;#39;` in the page), and UTF-8 that was read as Windows-1252 ("GrÃ¼n").

Why not ftfy for that: see `docs/decisions/0003-caption-language.md`.
"""

import html
import re

from allmende.extract.words import composed
from allmende.filters.charset_damage import MOJIBAKE, undone

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,31}\d{0,2});", re.IGNORECASE | re.ASCII)

_INVISIBLE = (
    "\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u061c\u115f\u1160\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
"""Controls, soft hyphen, joiners, bidi marks, fillers, surrogates, non-characters, tags (with which text can be hidden)."""

_ANY_INVISIBLE = re.compile(f"[{_INVISIBLE}]")

_JOINING = "[\u0600-\u109f\u1780-\u18af\u1a00-\u1cff\ua800-\uabff\U00010a00-\U00011fff]"
"""Arabic, the Indic scripts, Mongolian and their kin, in which a joiner changes what a word looks like."""

_UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
"""Thai, Lao, Burmese, Khmer: a zero-width space marks where a word ends."""

_PICTOGRAM = "[\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff]"
"""Emoji and their variation selector: a family or a profession is several of them, joined."""

_UNNEEDED = re.compile(
    f"((?<={_JOINING})\u200d|(?<={_JOINING})\u200c(?={_JOINING})|(?<={_UNSPACED})\u200b(?={_UNSPACED})"
    f"|(?<={_PICTOGRAM})\u200d(?={_PICTOGRAM})|\U0001f3f4[\U000e0030-\U000e007a]{{1,6}}\U000e007f)"
    f"|[{_INVISIBLE}]"
)
"""An invisible character; in the group, those that carry meaning. The last are the flags of England, Scotland, Wales.

A joiner at the end of a word has a meaning too: Malayalam writes some consonants so (Unicode standard, 12.9).
"""


def normalise_caption(text: str) -> str:
    """Bring words into the form in which they are judged, stored and hashed.

    Takes any `str`, lone surrogates included. Returns text that UTF-8 can encode, in Unicode normalisation form C, with
    white space collapsed to single spaces; it may be empty. Doing it again changes nothing.
    """
    if text.isascii() and text.isprintable() and "&" not in text:
        return " ".join(text.split())
    while (cleaned := _clean(text)) != text:
        text = cleaned
    return text


def _clean(text: str) -> str:
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if MOJIBAKE.search(text):
        text = undone(text)
    if _ANY_INVISIBLE.search(text):
        text = _UNNEEDED.sub(r"\1", _join_surrogates(text))
    return " ".join(composed(text).replace("\u2800", " ").split())


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
