"""E-mail addresses: name@host.tld, with (at) and its kin, and spelt out with at and dot.

An address is found from its @ outwards. To the left and to the right at most the 64 and 255 characters that RFC 5321
(4.5.3.1) allows are looked at, with patterns in which no two neighbours take the same character, so the work is a constant
for each @ whatever the text. Local parts may hold any letter (RFC 6531), but of the signs that RFC 5322 allows only
those that are used: `.`, `_`, `-`, `+`, `'`, `%`, `&`.
"""

import re
from collections.abc import Iterator

from allmende.safety.personal.kind import Finding, Kind

AT = "at|ät|aet|a|@|arroba|małpa|malpa|chiocciola|arobase|klammeraffe|zavináč|zavinac|apenstaartje|kukac|собака"
DOT = "dot|punkt|point|punto|ponto|kropka|tečka|tecka|pont|stip|точка"
"""How people of several languages spell @ and the dot."""

MAIL = "e-?mail|mail|mailto|contact|kontakt|courriel|correo|posta|poczta|e-?post|sähköposti"
"""Words before an address."""

_W = r"[\w\u0300-\u036f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
"""A letter, a digit, _, or a vowel sign of the Indic scripts, Thai and their neighbours."""
_L = r"(?!_)" + _W
_M = _W[:-1] + "-]"

_DOT_WORDS = tuple(f" {word} " for word in DOT.split("|"))

_SIGN = re.compile("@")
_BRACKETED = re.compile(rf"[(\[{{<] ?(?:{AT}) ?[)\]}}>] ?", re.IGNORECASE)
_SPELT = re.compile(rf" (?:{AT}) (?={_L}{_M}{{0,62}}+ (?P<dot>{DOT}) )", re.IGNORECASE)
_SPACED = re.compile(r" (?:@|at|\(at\)) ", re.IGNORECASE)

_LOCAL = re.compile(rf"(?:{_W}|\+){_W[:-1]}.+%&'-]{{0,63}}+")
"""A local part, backwards: it ends with a letter, a digit, _ or +."""

_GLUED = re.compile("[\u2e80-\u9fff\uac00-\ud7af]{1,64}+(?=[A-Za-z0-9])")
"""Chinese, Japanese and Korean words before an address in Latin letters: there is no space between them."""

_TLD = rf"(?:xn--[a-z0-9-]{{2,59}}+|(?:(?![\d_]){_W}){{2,24}}+)(?!\w|@)"
_HOST = re.compile(rf"(?:{_L}{_M}{{0,62}}+\.){{1,8}}{_TLD}", re.IGNORECASE)
_PLAIN_DOT = rf"(?: ?\. ?| ?[(\[{{<] ?(?:\.|{DOT}) ?[)\]}}>] ?)"
_LOOSE_HOST = re.compile(rf"(?:{_L}{_M}{{0,62}}+(?:\.|{_PLAIN_DOT}| (?:{DOT}) )){{1,8}}{_TLD}", re.IGNORECASE)
_SPELT_HOST = re.compile(rf"(?:{_L}{_M}{{0,62}}+ (?:{DOT}) ){{1,4}}{_TLD}", re.IGNORECASE)

_CUE = re.compile(
    rf"(?<![^\W_])(?:{MAIL})(?:-?adresse)?[ :=]{{0,3}}$",
    re.IGNORECASE,
)
"""What makes `name @ host.tld` and `name at host.tld` an address: "lunch @ café.berlin" is none."""

_FILES = frozenset({
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "tif", "tiff", "ico", "css", "js", "json",
    "html", "htm", "php", "xml", "pdf", "mp4", "mp3", "zip",
})  # fmt: skip
"""Ends of file names: icon@2x.png is no address."""

_WORDS = frozenset({
    "a", "an", "the", "this", "that", "each", "every", "my", "your", "his", "her", "its", "our",
    "their", "first", "last", "one", "any", "some", "no",
})  # fmt: skip
_VERBS = frozenset({"in", "is", "so", "to", "no", "me", "be", "it", "do", "as", "or", "my", "us", "am"})
"""Top-level domains that are English words: "look at polka dot in blue" is no address."""


def find_emails(text: str) -> Iterator[Finding]:
    """Addresses in a text (`kind.plain`), from left to right; may overlap."""
    if "@" in text:
        for at in _SIGN.finditer(text):
            yield from _around(text, at, _HOST)
    for at in _BRACKETED.finditer(text):
        yield from _around(text, at, _LOOSE_HOST)
    lowered = text.lower()
    if any(word in lowered for word in _DOT_WORDS):
        for at in _SPELT.finditer(text):
            yield from _around(text, at, _SPELT_HOST)
    for at in _SPACED.finditer(text):
        yield from _around(text, at, _LOOSE_HOST, cue=True)


def _around(text: str, at: re.Match[str], host: re.Pattern[str], *, cue: bool = False) -> Iterator[Finding]:
    """The address around an @, if there is one."""
    domain = host.match(text, at.end())
    if domain is None:
        return
    end = at.start()
    if at.re is _BRACKETED and text[end - 1 : end] == " ":
        end -= 1
    local = _LOCAL.match(text[max(0, end - 65) : end][::-1])
    if local is None:
        return
    begin = end - _length(local[0])
    glued = _GLUED.match(text, begin, end)
    begin = glued.end() if glued else begin
    if begin == end or not _plausible(text[begin:end], domain[0], at):
        return
    if cue and not _CUE.search(text, max(0, begin - 24), begin):
        return
    yield Finding(Kind.EMAIL, begin, domain.end())


def _length(backwards: str) -> int:
    """Length of a local part; signs at its front, such as a quotation mark, are not of it."""
    return len(backwards.rstrip(".%&'-"))


def _plausible(local: str, domain: str, at: re.Match[str]) -> bool:
    labels = re.split(r"[^\w-]+", domain.lower())
    if labels[-1] in _FILES:
        return False
    if local.lower() == "git":  # git@host:path is how repositories are named
        return False
    if at.re is _SPELT and at["dot"].lower() == "dot":
        return labels[-1] not in _VERBS and labels[0] not in _WORDS
    return not (local.isdecimal() and len(local) < 3 and len(labels) == 2 and labels[0].isdecimal())
