"""The one form in which a caption is judged, stored and hashed.

The same capture read from WAT and from WARC must give the same `uid`, so both go through `normalise_caption`.
It changes what a reader can't see (control characters, bidi marks, invisible fillers, the kind of white space, the
order of combining marks) and undoes one kind of damage: UTF-8 that was read as Windows-1252 ("GrÃ¼n").

Why no ftfy for that: it repairs more (mixed and doubly broken text) but is 40 times slower, and nearly all of what it
finds in captions is the whole-text case, which a strict round trip repairs without a guess: see
`docs/decisions/0003-caption-language.md`.
"""

import re
import unicodedata

_SUSPECT = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e007f]"
)
"""A first look, true for few captions: one of the characters that the patterns below are about."""

_JOINS = "[\u0600-\u109f\u1780-\u18af\u1a00-\u1cff\ua800-\uabff\U00010a00-\U00011fff]"
"""Arabic, the Indic scripts, Mongolian and their kin, in which joiners change what a word looks like."""

_UNSPACED = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
"""Thai, Lao, Burmese, Khmer: a zero-width space marks where a word ends."""

_PICTURE = "[\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff]"
"""Emoji and their variation selector; a family or a profession is several of them with joiners."""

_NEEDED = (
    f"(?<={_JOINS})[\u200c\u200d](?={_JOINS})"
    f"|(?<={_UNSPACED})\u200b(?={_UNSPACED})"
    f"|(?<={_PICTURE})\u200d(?={_PICTURE})"
    "|\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"
)
"""Invisible characters that carry meaning; the last line is the flags of England, Scotland and Wales."""

_INVISIBLE = re.compile(
    f"({_NEEDED})"
    "|[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u061c\u115f\u1160\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Controls, soft hyphen, bidi marks, fillers, lone surrogates, non-characters, tags: gone unless needed."""

_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""A UTF-8 lead byte followed by a continuation byte, both read as Windows-1252 (RFC 3629, section 3)."""


def normalise_caption(text: str) -> str:
    """Bring words into the form in which they are judged, stored and hashed.

    Takes any `str`, lone surrogates included, with entities already decoded. Returns text that UTF-8 can encode, in
    Unicode normalisation form C, with white space collapsed to single spaces; it may be empty.
    Doing it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    if _MOJIBAKE.search(text):
        text = _undo_mojibake(text)
    if _SUSPECT.search(text):
        text = _drop_invisible(text)
    return " ".join(unicodedata.normalize("NFC", text).split())


def _drop_invisible(text: str) -> str:
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return _INVISIBLE.sub(r"\1", joined.replace("\u2800", " "))


def _undo_mojibake(text: str) -> str:
    """Read the text as Windows-1252 bytes of UTF-8, if all of it can be; else leave it.

    Text that was not damaged passes this round trip practically never: each accented letter would have to stand
    before a sign such as ¼ or © that continues it.
    """
    try:
        return bytes(map(_cp1252_byte, text)).decode()
    except (KeyError, UnicodeDecodeError):
        return text


_CP1252 = {bytes([code]).decode("cp1252", "ignore") or chr(code): code for code in range(256)}
"""Windows-1252 as browsers read it (WHATWG encoding standard): the five unassigned bytes are C1 controls."""

_cp1252_byte = _CP1252.__getitem__
