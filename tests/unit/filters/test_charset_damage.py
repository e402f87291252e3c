"""Traces of a wrong charset are found, and undone where nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.charset_damage import damaged, undone, undone_lines


@pytest.mark.parametrize("charset", ["cp1252", "latin-1"])
@pytest.mark.parametrize("text", ["Grün ist die größere Straße.", "Zażółć gęślą", "Полный текст", "Πλήρες κείμενο"])
def test_text_that_was_encoded_twice_is_as_it_was(text, charset):
    twice = "".join(bytes([byte]).decode(charset, "ignore") or chr(byte) for byte in text.encode())
    assert undone_lines(f"a\n{twice}") == f"a\n{text}"


def test_lines_are_undone_one_by_one():
    assert undone_lines("Grün →\nGrÃ¼n\n\nGrÃ¼n →") == "Grün →\nGrün\n\nGrÃ¼n →"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "Žáků a dveře: káže, líže, dář.",
        "Różne drogi, łódź, żółć.",
        "NÃO, IRMÃ, AVELÃ, CORAÇÃO",
        "À propos : « l’été » coûte 5 €",
        "Το κείμενο είναι ελληνικό.",
        "20 °C, ±3 µm, § 5, Â is a letter",
        "文字化け",
    ],
)
def test_undamaged_text_has_no_traces(text):
    assert damaged(text) == 0
    assert undone_lines(text) == text


@pytest.mark.parametrize(
    ("text", "share"),
    [("Gr\ufffdn", 0.25), ("GrÃ¼n", 0.4), ("StraÃŸe", 2 / 7), ("\ufffd" * 9, 1.0), ("don\u00e2\u20ac\u2122t", 2 / 7)],
)
def test_damage_is_the_share_of_characters_that_show_it(text, share):
    assert damaged(text) == pytest.approx(share)


@given(st.text())
def test_any_text_has_a_share_and_as_many_lines_as_before(text):
    assert 0 <= damaged(text) <= 1
    assert undone_lines(text).count("\n") == text.count("\n")


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])).filter(lambda text: not text.isascii()))
def test_what_was_encoded_twice_comes_back(text):
    assert undone(text.encode().decode("latin-1")) == text
