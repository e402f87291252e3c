"""Pages nested deeper than browsers allow are made flat before they are parsed.

The HTML parsing algorithm is quadratic in the depth of a page: 20 MB of `<div>` take a parser hours. Browsers stop
nesting at 512 elements; here, tags beyond that depth are taken out, the text between them stays. So are <b> and its
kin where too many are open: the algorithm opens all of them again in each paragraph.
"""

import re

MAX_DEPTH = 512
"""Open elements at most (as in WebKit and Blink)."""
MAX_REOPENED = 5_000_000
"""Elements like <b> that a page may open again, at worst."""
MAX_UNCHECKED = 4_000
"""Tags that a page may have without being checked: at worst such a page takes a fraction of a second."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})[^<>]*>?")
_FLAT = """
    area base br col embed hr img input link meta source track wbr frame param keygen p li dt dd td th tr tbody thead
    tfoot option optgroup colgroup caption rp rt html head body
"""
"""Elements without content, and those that the next of their kind ends."""
_FORMATTING = "a b big code em font i nobr s small strike strong tt u"
"""Their end tags close nothing but themselves, and they open again in the next paragraph."""
_SCOPES = "applet button marquee object table template"
"""An end tag does not reach out of these."""
_FLAT_NAMES, _FORMATTING_NAMES, _SCOPE_NAMES = (frozenset(names.split()) for names in (_FLAT, _FORMATTING, _SCOPES))
_REACH = 64
"""Elements that an end tag may close at once."""


def flattened(html: str) -> str:
    """The page, without the tags that would nest too deep. Takes time in proportion to the length."""
    if html.count("<") <= MAX_UNCHECKED:
        return html
    most = max(4, min(64, MAX_REOPENED // html.count("<")))
    pieces: list[str] = []
    kept, stack, formatting = 0, list[str](), 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _FLAT_NAMES:
            continue
        if tag[1] or name == "a":  # a link ends the one before
            formatting -= _close(stack, name)
        if tag[1]:
            continue
        if len(stack) < MAX_DEPTH and not (formatting >= most and name in _FORMATTING_NAMES):
            stack.append(name)
            formatting += name in _FORMATTING_NAMES
        else:
            pieces.append(html[kept : tag.start()])
            kept = tag.end()
    return "".join((*pieces, html[kept:])) if pieces else html


def _close(stack: list[str], name: str) -> int:
    """Take the innermost element of that name off, and what is in it; or leave the end tag without effect.

    Returns how many elements like <b> are closed for good; those that another element's end closes open again.
    """
    for at in range(len(stack) - 1, max(-1, len(stack) - 1 - _REACH), -1):
        if stack[at] == name:
            if name in _FORMATTING_NAMES:
                del stack[at]
                return 1
            del stack[at:]
            return 0
        if stack[at] in _SCOPE_NAMES:
            return 0
    return 0
