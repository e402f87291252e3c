"""Words as spaCy 3.8 cuts them: what stands here was written down from its blank pipelines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.quality.words import cut


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Don't pay $5.00 (or 3%)!", ["Do", "n't", "pay", "$", "5.00", "(", "or", "3", "%", ")", "!"]),
        ("en", "well-known e.g. U.S.A.", ["well", "-", "known", "e.g.", "U.S.A."]),
        ("en", "See https://a.example/x?y=1.", ["See", "https://a.example/x?y=1", "."]),
        ("de", "z.B. die Ost-West-Achse, 3,5 km.", ["z.B.", "die", "Ost-West-Achse", ",", "3,5", "km", "."]),
        ("fr", "L'eau, c'est-à-dire", ["L'", "eau", ",", "c'", "est", "-", "à", "-", "dire"]),
        ("mt", "Il-ktieb (fil-belt) ta' Malta.", ["Il-", "ktieb", "(", "fil-", "belt", ")", "ta'", "Malta", "."]),
        ("nn", "t.d. 3. mai", ["t.d", ".", "3.", "mai"]),  # as Bokmål
        ("zh", "你好 吗。他在北京的大学, v2.1", ["你好", "吗", "。", "他", "在", "北京", "的", "大学", ",", "v2.1"]),
        ("ja", "日本 語", ["日", "本", "語"]),
        ("de", " \n\t", []),
    ],
)
def test_words_are_spacys(language, text, expected):
    assert list(cut(text, language)) == expected


@given(st.text(max_size=200), st.sampled_from(["en", "de", "fr", "hu", "sv", "tr", "zh", "qq"]))
def test_nothing_visible_is_lost(text, language):
    assert "".join(cut(text, language)) == "".join(text.split())


def test_a_long_run_is_one_word():
    assert list(cut("a-" * 600, "en")) == ["a-" * 600]


def test_marks_without_end_are_cut_in_time():
    piece = "7" + "(.,)" * 240
    assert "".join(cut(piece, "en")) == piece
    assert list(cut("wait......................................", "en")) == ["wait", "." * 38]
