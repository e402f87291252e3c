"""The cheap tier: Resiliparse's main content, a millisecond a page. It decides which pages meet the careful tier."""

from typing import Literal

from resiliparse.extract.html2text import extract_plain_text


def extract_cheap(html: str) -> str:
    """The main text of a page, roughly: nearly all of it (recall .95-.98), and some of what stands around it.

    Alternative texts of images and comments are left out, as in Dolma's `resiliparse` linearizer: F1 on
    article-extraction-benchmark is .927 then, and .898 with both.

    Args:
        html: The page, decoded and nested no deeper than browsers nest (`allmende.extract.nesting`).
    """
    return _extract(html, True)


def cheap_html(html: str) -> str:
    """The same content as a little HTML: headings, paragraphs, lists and preformatted text."""
    return _extract(html, "minimal_html")


def _extract(html: str, form: Literal[True, "minimal_html"]) -> str:
    return str(extract_plain_text(html, preserve_formatting=form, main_content=True, alt_texts=False, comments=False))
