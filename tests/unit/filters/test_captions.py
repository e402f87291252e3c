import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.captions import normalise_caption

ANY_TEXT = st.text(st.characters(), max_size=60)
"""All of Unicode, lone surrogates, controls and non-characters included."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a\tred\n\ncar ", "a red car"),
        ("a\u00a0red\u2003car\u2028", "a red car"),
        ("braille\u2800blank", "braille blank"),
        ("So\u0308der", "Söder"),
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202eevil\u202c and \u2066plain\u2069\u200f", "evil and plain"),
        ("bell\u0007 and \u009dC1", "bell and C1"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("a pair \ud83d\ude00", "a pair 😀"),
        ("hangul\u3164filler", "hangulfiller"),
        ("non\ufdd0character\U000e0041", "noncharacter"),
        ("\u200b\u2060\u00ad", ""),
        ("", ""),
    ],
)
def test_what_nobody_sees_goes(text, expected):
    assert normalise_caption(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: the non-joiner inside a word
        "क्\u200dष",  # Hindi: a half form
        "യെന്\u200d",  # Malayalam: a joiner that ends the word
        "ប្រាក់\u200bសហរដ្ឋ",  # Khmer: an invisible end of a word
        "👩\u200d🚀 on the moon",
        "❤️\u200d🔥",
        "the flag of Scotland 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "keycap 1️⃣ and 葛\U000e0100城",
    ],
)
def test_invisible_characters_that_carry_meaning_stay(text):
    assert normalise_caption(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GrÃ¼ne StraÃŸe", "Grüne Straße"),
        ("Itâ€™s a dog", "It’s a dog"),
        ("ÐšÐ¾Ñ‚", "Кот"),
        ("Fran\u00c3\u00a7ais", "Français"),
        ("ðŸ˜€ smile", "😀 smile"),
        ("FranÃƒÂ§ais", "Français"),
        ("I&#39;ve seen Tom &amp; Jerry", "I've seen Tom & Jerry"),
        ("&amp;amp;quot;quoted&amp;amp;quot;", '"quoted"'),
    ],
)
def test_damage_from_other_programs_is_undone(text, expected):
    assert normalise_caption(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Das Ã ist ein Buchstabe",
        "Tschüß",
        "10 ¼ Zoll",
        "R&D & AT&T; 5 > 4",
        "naïve café",
        "Ærø",
        "100 % ÂÃ ö",
        "&bogusname;",
    ],
)
def test_what_is_whole_stays(text):
    assert normalise_caption(text) == text


@given(ANY_TEXT)
def test_it_is_idempotent_and_fit_for_storage(text):
    caption = normalise_caption(text)
    assert normalise_caption(caption) == caption
    assert caption.encode().decode() == caption
    assert caption == unicodedata.normalize("NFC", caption)
    assert caption == " ".join(caption.split())
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in caption)


@given(st.text(st.characters(codec="cp1252"), min_size=1, max_size=40))
def test_text_that_was_misread_comes_back(text):
    """UTF-8 read as Latin-1 is undone, unless what was meant looks misread itself."""
    meant = normalise_caption(text)
    misread = meant.encode().decode("latin-1")
    assert normalise_caption(misread) == meant
