from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.words import bare_words, count_chars, count_words, is_unspaced, most_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a red car", 3),
        ("Haus - Garten | Küche", 3),
        ("don't e-mail 3", 3),
        ("***", 0),
        ("", 0),
        ("Sonnenuntergang", 2),  # fifteen letters: sun, set
        ("Rindfleischetikettierung", 3),
        ("koira", 1),
        ("lentokonetehdas", 2),
        ("猫", 0.5),
        ("東京タワー", 2.5),
        ("東京 tower", 2),
        ("高速鉄道の駅 3", 4),
        ("고양이", 1),
        ("해바라기밭", 2),
        ("แมวดำ", 1.25),
        ("ឆ្មាខ្មៅ", 2),
        ("लाल कार", 2),
    ],
)
def test_words_mean_about_the_same_in_every_script(text, words):
    assert count_words(text, inf) == words


@given(st.text(max_size=60), st.integers(0, 10))
def test_counting_may_stop_when_there_is_enough(text, enough):
    assert (count_words(text, enough) < enough) == (count_words(text, inf) < enough)


@given(st.text(max_size=40), st.text(max_size=40))
def test_more_text_has_no_fewer_words(a, b):
    assert count_words(f"{a} {b}", inf) == count_words(a, inf) + count_words(b, inf)
    assert count_chars(a + b) == count_chars(a) + count_chars(b) >= len(a) + len(b)


@given(st.lists(st.text(max_size=30) | st.sampled_from(["가나다라", "猫", "x" * 30, "แมว"]), max_size=8))
def test_the_cheap_bound_is_one(texts):
    caption = " ".join(" ".join(texts).split())
    assert count_words(caption, inf) <= most_words(caption)


def test_cjk_characters_count_two():
    assert [count_chars(text) for text in ("abc", "猫 a", "고양이", "αβγ")] == [3, 4, 6, 3]


@given(st.text(max_size=60) | st.text(st.characters(codec="latin-1"), max_size=60))
def test_the_shortcut_for_latin_scripts_gives_the_same_words(text):
    assert bare_words(text) == bare_words(text + " я")[:-1]


def test_bare_words_are_letters_in_lower_case():
    assert bare_words("»Bild 3«: L'Été_Straße!") == ["bild", "l", "été", "strasse"]
    assert is_unspaced("図")
    assert not is_unspaced("Bild")
