"""Both tiers on pages of known content, and on pages that nobody should meet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.extract.charset import decode_page
from allmende.extract.main_text.careful import extract_careful
from allmende.extract.main_text.cheap import extract_cheap
from allmende.extract.nesting import flattened

PARAGRAPH = (
    "Die Gemeinde nutzt die Wiese seit dem zwölften Jahrhundert gemeinsam, und niemand darf mehr Tiere auf sie treiben, "
    "als er über den Winter füttern kann. Wer dagegen verstößt, zahlt eine Buße in die gemeinsame Kasse."
)
ARTICLE = f"""<!DOCTYPE html><html lang="de"><head><title>Die Allmende - Dorfblatt</title>
<meta property="og:title" content="Die Allmende"><meta name="author" content="Anna Muster">
<meta property="article:published_time" content="2023-05-06T07:08:09+0200"></head><body>
<nav><ul><li><a href="/">Start</a></li><li><a href="/kontakt">Kontakt</a></li></ul></nav>
<main><article><h1>Die Allmende</h1><p>{PARAGRAPH}</p><h2>Wer darf was?</h2><p>{PARAGRAPH[::-1]}</p>
<ul><li>Kühe bis zum ersten Oktober</li><li>Ziegen bis zum ersten Schnee</li></ul>
<table><tr><th>Tier</th><th>Buße</th></tr><tr><td>Kuh</td><td>zwei Taler</td></tr></table>
<pre><code>for cow in meadow:
    cow.graze()</code></pre><p>So steht es <b>im Buch</b>. {PARAGRAPH.upper()}</p></article></main>
<footer>Impressum | Datenschutz | Alle Rechte vorbehalten</footer></body></html>"""


def careful(html, *, markdown=False):
    html = flattened(html)
    return extract_careful(html, extract_cheap(html), markdown=markdown)


def test_the_cheap_tier_has_the_content_and_not_the_navigation():
    text = extract_cheap(ARTICLE)
    assert PARAGRAPH in text
    assert "Kontakt" not in text
    assert "Impressum" not in text


def test_the_careful_tier_keeps_text_and_says_who_wrote_it_when():
    found = careful(ARTICLE)
    assert found.text.split("\n")[:2] == ["Die Allmende", PARAGRAPH]
    assert "Impressum" not in found.text
    assert "Kontakt" not in found.text
    assert (found.title, found.author, found.date) == ("Die Allmende", "Anna Muster", "2023-05-06T07:08:09+02:00")
    assert found.extractor == "trafilatura-fast"
    assert found.markdown is None


def test_markdown_has_headings_lists_tables_and_code():
    markdown = careful(ARTICLE, markdown=True).markdown
    for piece in (
        "# Die Allmende\n",
        "## Wer darf was?\n",
        "- Kühe bis zum ersten Oktober\n- Ziegen",
        "| Tier | Buße |\n|---|---|\n| Kuh | zwei Taler |",
        "```\nfor cow in meadow:\n    cow.graze()\n```",
        "**im Buch**",
    ):
        assert piece in markdown


def test_plain_text_is_the_same_with_and_without_markdown():
    assert careful(ARTICLE, markdown=True).text == careful(ARTICLE).text


def test_a_list_that_the_cheap_tier_takes_for_a_menu_stays_with_what_it_follows():
    assert "Ziegen" not in extract_cheap(ARTICLE)
    assert "- Ziegen bis zum ersten Schnee" in careful(ARTICLE).text


def test_what_only_one_tier_has_is_left_out_if_it_is_little():
    cheap = extract_cheap(ARTICLE).replace("Wer darf was?", "")
    assert "Wer darf was?" not in extract_careful(ARTICLE, cheap).text
    assert PARAGRAPH in extract_careful(ARTICLE, PARAGRAPH).text  # here it is nearly all


def test_a_page_on_which_trafilatura_finds_next_to_nothing_gets_the_cheap_text_and_its_markdown():
    cheap = f"{PARAGRAPH}\n" * 40
    found = extract_careful(ARTICLE, cheap, markdown=True)
    assert found.extractor == "resiliparse"
    assert found.text == cheap.strip()
    assert found.markdown.startswith("# Die Allmende\n")
    assert "## Wer darf was?\n" in found.markdown


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "<",
        "<html>",
        "no markup at all",
        "<p>one paragraph, nothing else",
        "<html><body>" + "<div>" * 100_000 + PARAGRAPH,
        "<html><body>" + "<b><i>" * 20_000 + PARAGRAPH,
        "<html><body><table>" + "<tr><td>cell</td><td colspan=99999>x</td></tr>" * 100,
        "<html><body>" + "<table><tr><td>" * 300 + PARAGRAPH,
        "<html><body>" + "<ul><li>" * 300 + PARAGRAPH,
        "<html><body><p>" + "<a href=x>link</a> " * 5_000,
        f"<html><body><p>\0{PARAGRAPH}\0</p><p>\x01\x02\x0b\ufffe</p>",
        f'<?xml version="1.0" encoding="latin-1"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{PARAGRAPH}</p></body></html>',
        f"<html><frameset><noframes>{PARAGRAPH}",
        f"<html><body><!-- {PARAGRAPH}",
        f'<html><script type="application/ld+json">{"[" * 20_000}</script><body><p>{PARAGRAPH}',
        "<html><body><svg><math><annotation-xml>" + PARAGRAPH,
        "<html><meta property=og:title><meta name=author content=' '><meta name=date content='0000-99-99'>",
    ],
    ids=lambda html: repr(html[:40]),
)
def test_no_page_is_too_odd(html):
    found = careful(html, markdown=True)
    found.text.encode()
    found.markdown.encode()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", "text/html; charset=utf-8", "text/html; charset=shift_jis", "x"]))
def test_no_bytes_raise(body, content_type):
    careful(decode_page(body, content_type)).text.encode()


TAGS = "p div table tr td th ul li b pre code h1 q br hr article details summary del sub dl dt dd form a img"
NAMES = TAGS.split()
PIECES = st.sampled_from(
    [
        *(f"<{name}>" for name in NAMES),
        *(f"</{name}>" for name in NAMES),
        *(
            PARAGRAPH,
            "x",
            " ",
            "\n",
            "&nbsp;",
            "&#0;",
            "|",
            "```",
            "\\[a\\]",
            "-1.",
            "#",
            "<a href=//x>",
            "<img src=a.png>",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_no_structure_raises(pieces):
    found = careful("<html><body>" + "".join(pieces), markdown=True)
    assert found.text == found.text.strip("\n")


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16", "iso-8859-15"])
def test_pages_of_any_charset_give_the_same_text(charset):
    body = ARTICLE.encode(charset)
    declared = "" if charset == "utf-16" else f"text/html; charset={charset}"
    assert careful(decode_page(body, declared)) == careful(ARTICLE)
