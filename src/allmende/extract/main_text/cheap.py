"""The cheap tier: Resiliparse's main content, a millisecond a page. It decides which pages meet the careful tier."""

from typing import Literal

from resiliparse.extract.html2text import extract_plain_text

PROSE = 70
"""Characters of a line from which on it is prose: jusText calls shorter blocks short."""


def extract_cheap(html: str) -> str:
    """The main text of a page, roughly: nearly all of it (recall .95-.98), and some of what stands around it.

    Alternative texts of images and comments are left out, as in Dolma's `resiliparse` linearizer: F1 on
    article-extraction-benchmark is .927 then, and .898 with both.

    Args:
        html: The page, decoded and nested no deeper than browsers nest (`allmende.extract.nesting`).
    """
    return _extract(html, True)


def extract_prose(html: str) -> str:
    """The long lines of a whole page, main content or not: articles have them, and menus, lists and error pages have not.

    For pages of which `extract_cheap` finds next to nothing. It takes all for menu on one page in fifteen of WCXB; three
    quarters of those have prose, and of 587 short pages of a crawl-like mix 17 have.
    """
    text = str(extract_plain_text(html, preserve_formatting=True, main_content=False, alt_texts=False, comments=False))
    return "\n".join(line for line in map(str.strip, text.split("\n")) if len(line) >= PROSE)


def cheap_html(html: str) -> str:
    """The same content as a little HTML: headings, paragraphs, lists and preformatted text."""
    return _extract(html, "minimal_html")


def _extract(html: str, form: Literal[True, "minimal_html"]) -> str:
    return str(extract_plain_text(html, preserve_formatting=form, main_content=True, alt_texts=False, comments=False))
