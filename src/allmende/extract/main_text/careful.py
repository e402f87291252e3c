"""The careful tier: trafilatura, told by the cheap tier when to look twice.

    fast ──► less than half of what the cheap tier found? ──► in full ──► still far less? ──► the cheap text
      └────────────────────────┴──────► lines that the cheap tier has not are left out, if they are few

trafilatura's fast mode takes 60 % of the time of its standard mode, which also runs readability and jusText and chooses
by length. Where fast mode fails it finds next to nothing, and the cheap text shows that; so the standard mode runs
for one page in ten or twenty only. What the cheap tier has not seen as content, and trafilatura has, is mostly what
stands around it: dates, authors, teasers. Leaving such lines out is worth a point of precision.

Scores on public sets, and what else was tried: docs/decisions/0015-main-text.md, benchmarks/main_text.py.
"""

import re

from lxml.etree import LxmlError, _Element, strip_elements
from lxml.html import HtmlElement, fromstring
from trafilatura import bare_extraction, load_html
from trafilatura.htmlprocessing import convert_tags
from trafilatura.settings import Document, Extractor
from trafilatura.xml import xmltotxt

from allmende.extract.extractor import MainText, tidy
from allmende.extract.main_text.about import NOTHING, read_about
from allmende.extract.main_text.cheap import cheap_html
from allmende.extract.words import composed

TWICE = 0.5
"""Fast mode that found less than this share of the cheap text is followed by the standard mode."""
FAILED = 0.4
"""The careful text that is shorter than this share of the cheap text gives way to it."""
MOST_UNSHARED = 0.3
"""Share of the text that may be left out because the cheap tier has it not; if it is more, all stays."""
LONG, ENDS = 60, 40
"""A paragraph of more letters than `LONG` is shared if its first or last `ENDS` are."""

_BELONGING = frozenset({"list", "table", "code", "quote"})
"""Blocks that belong to what stands before them."""
_letters = re.compile(r"\W+").sub


def extract_careful(html: str, cheap: str, *, markdown: bool = False) -> MainText:
    """The main text of a page, with title, author and date.

    Takes time in proportion to the page, mostly; but there are pages over which trafilatura takes minutes: call it in
    a process that may be killed (`allmende.extract.main_text.tiers`).

    Args:
        html: The page, decoded and nested no deeper than browsers nest.
        cheap: What `extract_cheap` made of it.
        markdown: Whether Markdown is wanted too.
    """
    tree = _parsed(html)
    about = NOTHING if tree is None else read_about(tree)
    body, name = _body(tree, len(cheap), markdown=markdown)
    text = "" if body is None else _text(body)
    if len(text) < FAILED * len(cheap):
        body, name, text = None, "resiliparse", tidy(cheap)
    elif body is not None and _left_out(body, _letters("", cheap)):
        text = _text(body)
    return MainText(
        text=text,
        extractor=name,
        markdown=_markdown(html, body) if markdown else None,
        title=about.title,
        author=about.author,
        date=about.date,
    )


def _parsed(html: str) -> HtmlElement | None:
    """The page as a tree, without scripts, styles and drawings: trafilatura copies and walks it several times."""
    tree = load_html(html)
    if tree is None:
        return None
    for script in list(tree.iter("script")):
        parent = script.getparent()
        if parent is not None and "ld+json" not in script.get("type", ""):
            _remove(parent, script)
    strip_elements(tree, "style", "svg", with_tail=False)
    return tree


_OPTIONS = {
    (fast, formatting): Extractor(fast=fast, comments=False, formatting=formatting)
    for fast in (True, False)
    for formatting in (True, False)
}


def _body(tree: HtmlElement | None, cheap: int, *, markdown: bool) -> tuple[_Element | None, str]:
    """What trafilatura finds in a tree, and in which mode."""
    if tree is None:
        return None, ""
    found = _found(tree, _OPTIONS[True, markdown])
    if found is not None and len(_text(found)) >= TWICE * cheap:
        return found, "trafilatura-fast"
    return _found(tree, _OPTIONS[False, markdown]), "trafilatura"


def _found(tree: HtmlElement, options: Extractor) -> _Element | None:
    document = bare_extraction(tree, options=options)
    if not isinstance(document, Document) or document.body is None:
        return None
    for block in document.body.iter("p", "head", "item", "cell", "quote"):
        if block.text:  # how the page's source is indented; code keeps its own
            block.text = block.text.lstrip()
    return document.body


def _left_out(body: _Element, cheap: str) -> bool:
    """Takes out what the cheap text has not, unless that is much; whether anything went.

    Lists, tables, code and quotations that follow something shared stay whole: Resiliparse takes short lists for menus.

    Args:
        body: What trafilatura found; changed.
        cheap: Letters and digits of the cheap text.
    """
    total, unshared, alone, follows = 0, 0, list[_Element](), False
    for block in body:
        units = list(block.iter("item", "row")) if block.tag in {"list", "table"} else [block]
        letters = [_letters("", "".join(unit.itertext())) for unit in units]
        shared = [_is_in(unit, cheap) for unit in letters]
        total += sum(map(len, letters))
        if not (follows and block.tag in _BELONGING):
            alone += [unit for unit, is_shared in zip(units, shared, strict=True) if not is_shared]
            unshared += sum(len(unit) for unit, is_shared in zip(letters, shared, strict=True) if not is_shared)
        follows = any(shared)
    if not alone or unshared >= MOST_UNSHARED * total:
        return False
    for unit in alone:
        parent = unit.getparent()
        if parent is not None:
            _remove(parent, unit)
    return True


def _is_in(letters: str, cheap: str) -> bool:
    """Whether a unit stands in the cheap text, or at least one end of a long one does."""
    return letters in cheap or (len(letters) > LONG and (letters[:ENDS] in cheap or letters[-ENDS:] in cheap))


def _remove(parent: _Element, element: _Element) -> None:
    """Takes an element out; text that follows it stays."""
    before = element.getprevious()
    if element.tail and before is not None:
        before.tail = (before.tail or "") + element.tail
    elif element.tail:
        parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _text(body: _Element) -> str:
    return tidy(composed(xmltotxt(body, include_formatting=False)))


def _markdown(html: str, body: _Element | None) -> str:
    if body is None:
        try:
            tree = fromstring(f"<div>{cheap_html(html)}</div>")
        except LxmlError:
            return ""
        body = convert_tags(tree, _OPTIONS[True, True])
    return tidy(composed(xmltotxt(body, include_formatting=True)))
