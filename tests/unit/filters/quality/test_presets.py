"""Rules against plain, slow counts; thresholds against their sources."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.errors import RecipeError
from allmende.filters.quality import fineweb, gopher, repetition
from allmende.filters.quality.presets import PRESETS, find_preset, reasons
from allmende.filters.quality.text import Text

texts = st.lists(
    st.sampled_from(["the", "a", "cat", "cat.", "sat…", "#", "-", "1,5", "Straße", "\n", "\n\n", " ", "don't"]),
    min_size=1,
    max_size=60,
).map(" ".join)
languages = st.sampled_from(["en", "de", "fr", "xx"])


def plain_top(words, n, length):
    grams = [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    if not grams:
        return 0.0
    gram, count = Counter(grams).most_common(1)[0]
    return len(gram) * count / length


def plain_duplicates(words, n, length):
    seen, repeated, at = set(), 0, 0
    while at < len(words) - n + 1:
        gram = tuple(words[at : at + n])
        if gram in seen:
            repeated += sum(map(len, gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return repeated / length


@settings(max_examples=300)
@given(texts, languages, st.integers(2, 6))
def test_repeated_runs_are_those_of_a_plain_count(raw, language, n):
    text = Text(raw, language)
    assert repetition.top_gram_frac(text, n) == pytest.approx(plain_top(text.words, n, len(raw)))
    assert repetition.dup_gram_frac(text, n) == pytest.approx(plain_duplicates(text.words, n, len(raw)))


@given(texts, languages)
def test_measures_are_shares_or_counts_and_never_fail(raw, language):
    text = Text(raw, language)
    for name in PRESETS:
        if language in PRESETS[name].languages:
            values = PRESETS[name].apply(text, signals=True).signals
            assert all(value >= 0 for value in values.values())
            shares = {key for key in values if key.endswith("_frac")}
            if name == "gopher-dolma":  # it divides lines with their spaces by words without
                shares.discard("dup_line_char_frac")
            assert all(values[key] <= 1 for key in shares)


@given(st.text(max_size=300), languages)
def test_any_text_has_a_fate(raw, language):
    name = "fineweb" if language == "en" else "fineweb-2"
    if language in PRESETS[name].languages:
        outcome = find_preset(name).apply(Text(raw, language))
        assert outcome.reason in {None, *reasons()}
        assert outcome.text or outcome.reason


def test_lines_and_paragraphs_that_repeat():
    text = Text("one line\n\ntwo\n\none line\n\none line", "en")
    assert repetition.dup_para_frac(text) == 2 / 4
    assert repetition.dup_line_frac(text) == 2 / 4
    assert repetition.dup_line_char_frac(text) == 16 / len(text.text)
    assert fineweb.char_dup_ratio(text) == 16 / (len(text.text) - 6)


def test_the_look_of_a_document():
    text = Text("- first # point\n• second...\nthird of 3.", "en")
    assert gopher.bullet_line_frac(text) == 2 / 3
    assert gopher.ellipsis_line_frac(text) == 1 / 3
    assert gopher.hash_ratio(text) == 1 / len(text.words)
    assert gopher.word_count(text) == len(
        ["first", "point", "•", "second", "third", "of", "3"]
    )  # a bullet is no symbol there
    assert gopher.stop_word_count(text, frozenset({"of", "the"})) == 1
    assert fineweb.line_punct_ratio(text) == 2 / 3
    assert fineweb.short_line_ratio(text) == 1


def test_all_official_languages_of_the_union_have_thresholds_but_english_which_has_its_own():
    union = {"bg", "hr", "cs", "da", "nl", "et", "fi", "fr", "de", "el", "hu", "ga"}
    union |= {"it", "lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv"}
    assert {*union, "uk", "tr", "ar", "zh"} <= PRESETS["fineweb-2"].languages
    assert "en" in PRESETS["fineweb"].languages


def test_thresholds_are_those_of_the_published_configuration():
    """FineWeb-2's deu_Latn.yml and pol_Latn.yml."""
    german = {rule.name: rule for rule in find_preset("fineweb-2").limits("de")}
    assert german["dup_line_frac"].high == 0.263
    assert german["top_2_gram"].high == 0.169
    assert german["dup_10_gram"].high == 0.098
    assert (german["mean_word_length"].low, german["mean_word_length"].high) == (0, 15)
    assert german["letter_word_frac"].low == 0.774
    assert "dup_para_frac" not in german
    assert {rule.name: rule.high for rule in find_preset("fineweb-2").limits("pl")}["list_ratio"] == 0.158


def test_unknown_presets_and_languages_are_named():
    with pytest.raises(RecipeError, match="No preset 'best'"):
        find_preset("best")
    with pytest.raises(RecipeError, match="no thresholds for 'xx'"):
        find_preset("fineweb-2").apply(Text("words", "xx"))


def test_good_prose_stays_and_a_list_of_links_goes():
    prose = (
        "The harbour lies quiet in the morning, and the boats that have come in over night are tied to the wall.\n"
        "A woman walks to the market with her basket, and she tells the boy at the gate that the bread is still warm.\n"
        "They talk of the weather, of the price to be paid for fish, and of the school that will open in the spring.\n"
        "Then the bell rings. The boy runs off with a laugh, and she goes on her way to the square.\n"
        "It is the hour that she likes best of all the day.\n"
    )
    links = "Home\nShop\nCart\nLogin\nHelp\n" * 20
    assert find_preset("fineweb").apply(Text(prose, "en")).reason is None
    assert find_preset("fineweb").apply(Text(links, "en")).reason == "dup_line_frac"
