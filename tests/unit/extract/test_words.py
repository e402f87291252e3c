import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.extract.words import collapse, unescape_attribute


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
