import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.extract.words import collapse, composed, unescape_attribute
from allmende.filters.captions import normalise_caption


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a \n\t b  ", "a b"),
        ("a\u00a0\u3000b", "a b"),
        ("a  b", "a b"),
        ("\u200ba", "\u200ba"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
)
def test_collapse(text, expected):
    assert collapse(text) == expected


@settings(deadline=None)
@given(st.text(st.characters()))
def test_collapsed_text_stays_so_and_can_be_encoded(text):
    result = collapse(text)
    assert collapse(result) == result
    assert " ".join(result.split()) == result
    assert result.encode().decode() == result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27;", "a & b <c> \"d\" 'e'"),
        ("?a=1&copy=2&amp;b=3", "?a=1&copy=2&b=3"),
        ("&copy 2020 &copyx &notit; &auml;&ouml", "© 2020 &copyx &notit; äö"),
        ("&amp;amp;", "&amp;"),
        ("&#0;&#xD800;&#128512;", "\ufffd\ufffd\U0001f600"),
        ("& &; &# &#x;", "& &; &# &#x;"),
    ],
)
def test_unescape_attribute(text, expected):
    assert unescape_attribute(text) == expected


def test_rows_of_marks_are_cut_where_no_language_has_them():
    assert composed("e\u0301" * 600) == "é" * 600
    assert composed("x" + "\u0316\u0301" * 50_000) == "x" + "\u0316" * 15 + "\u0301" * 15
    assert normalise_caption("A caption x" + "\u0301" * 100_000).startswith("A caption x")


@given(st.text(max_size=2_000))
def test_other_text_is_composed_as_unicode_says(text):
    if not re.search(r"[\u0300-\u036f]{31}", text):
        assert composed(text) == unicodedata.normalize("NFC", text)
