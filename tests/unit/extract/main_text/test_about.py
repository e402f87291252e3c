import pytest
from lxml.html import fromstring

from allmende.extract.main_text.about import About, read_about


def about(head="", body=""):
    return read_about(fromstring(f"<html><head>{head}</head><body>{body}</body></html>"))


def test_meta_tags_go_before_what_is_shown():
    said = '<title>Shown - Site</title><meta name="DC.title" content=" A  title "><meta name=author content=Ada>'
    assert about(said, "<h1>Heading</h1>") == About("A title", "Ada", None)


def test_json_ld_goes_before_headings_wherever_it_is_nested():
    script = '{"@graph": [{"@type": "WebSite"}, {"headline": "H", "author": [{"name": "B"}], "datePublished": "2020-01-02"}]}'
    head = f'<script type="application/ld+json">{script}</script><title>T</title>'
    assert about(head, "<h1>Heading</h1>") == About("H", "B", "2020-01-02")


@pytest.mark.parametrize("script", ["{", "[]", "3", '{"author": 7, "datePublished": []}', '{"author": [[]]}'])
def test_broken_json_ld_says_nothing(script):
    assert about(f'<script type="application/ld+json">{script}</script>') == About()


def test_heading_then_title():
    assert about("<title>T</title>", "<h1>A <i>h</i></h1>").title == "A h"
    assert about("<title>T</title>", "<h1> </h1>").title == "T"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024-02-29", "2024-02-29"),
        ("20240229", "2024-02-29"),
        ("2024/02/29", "2024-02-29"),
        ("2024-02-29T10:11Z", "2024-02-29T10:11:00Z"),
        ("2024-02-29 10:11:12.345 +0530", "2024-02-29T10:11:12+05:30"),
        ("29. Februar 2024", None),
        ("2024-13-01", None),
        ("2024-02-30", None),
        ("1700000000", None),
    ],
)
def test_dates_are_days_or_times_as_iso_8601_has_them(written, read):
    assert about(f'<meta property="article:published_time" content="{written}">').date == read
    assert about("", f'<time datetime="{written}">x</time>').date == read


def test_a_url_is_no_author_and_an_essay_is_no_title():
    assert about(f'<meta property="article:author" content="https://x.example/ada"><title>{"x" * 501}') == About()
