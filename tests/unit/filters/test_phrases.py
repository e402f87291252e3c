import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.phrases import LONGEST, is_boilerplate, is_placeholder, load
from allmende.filters.words import bare_words, is_unspaced

LANGUAGES = tomllib.loads(files("allmende.filters").joinpath("phrases.toml").read_text("utf-8"))
LISTS = ("nouns", "placeholders", "boilerplate", "boilerplate_alone")
EU = set("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())  # noqa: SIM905


def test_every_language_is_there():
    assert set(LANGUAGES) >= EU | {"uk", "tr", "ru", "no", "ar", "zh", "ja"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_is_complete_and_clean(code):
    table = LANGUAGES[code]
    assert tuple(table) == LISTS
    for name in LISTS:
        phrases = [" ".join(bare_words(phrase)) for phrase in table[name]]
        assert phrases
        assert len(set(phrases)) == len(phrases), f"{code}.{name} says something twice"
    assert all(len(bare_words(noun)) == 1 for noun in table["nouns"])
    assert all(len(bare_words(phrase)) > 1 or is_unspaced(phrase) or len(phrase) > 5 for phrase in table["boilerplate"])


def test_no_whole_caption_is_longer_than_the_shortcut_allows():
    phrases = load()
    longest = max(phrase.count(" ") + 1 for phrase in phrases.placeholders | phrases.whole)
    assert longest <= LONGEST


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_phrase_is_found_however_it_is_written(code):
    table = LANGUAGES[code]
    for phrase in (*table["nouns"], *table["placeholders"]):
        assert is_placeholder(phrase)
        assert is_placeholder(f"»{phrase} 12«")
    for phrase in (*table["boilerplate"], *table["boilerplate_alone"]):
        assert is_boilerplate(phrase)
        assert is_boilerplate(f"[{phrase}...]")
    for phrase in table["boilerplate"]:
        assert is_boilerplate(f"Rathaus ({phrase}) 2019")


@pytest.mark.parametrize(
    "caption",
    [
        "image",
        "LOGO",
        "untitled-1",
        "Bild 3 von 12"[:6],
        "изображение",
        "Logo Banner",
        "kein Bild vorhanden",
        "No image available.",
        "ΕΙΚΌΝΑ",
        "画像1",
        "圖片",
        "Foto: Foto",
    ],
)
def test_placeholders(caption):
    assert is_placeholder(caption)


@pytest.mark.parametrize(
    "caption",
    [
        "Siemens Logo",
        "image of a red car",
        "Bild eines Hundes",
        "Google Pixel",
        "Star",
        "снимка на котка",
        "富士山の写真",
        "Das letzte Bild von Klimt",
        "logotipo da Petrobras",
        "123",
        "---",
        "",
    ],
)
def test_no_placeholders(caption):
    assert not is_placeholder(caption)


@pytest.mark.parametrize(
    "caption",
    [
        "Click to enlarge",
        "Old town (click to enlarge)",
        "Klicken zum Vergrößern",
        "Zum Vergrössern bitte klicken",
        "Cliquez pour agrandir",
        "Haz clic para ampliar",
        "Clicca per ingrandire",
        "Kliknij, aby powiększyć",
        "クリックで拡大します",
        "点击查看大图",
        "Нажмите, чтобы увеличить",
        "READ MORE »",
    ],
)
def test_boilerplate(caption):
    assert is_boilerplate(caption)


@pytest.mark.parametrize(
    "caption",
    [
        "Students learn more about birds",
        "A click beetle on a leaf",
        "Klickpedale am Rennrad",
        "Der Link zum Glück",
        "A Link to the Past",
        "Les enfants lisent la suite du livre",
        "Mehr Meer an der Ostsee",
        "Zoom lens",
        "放大镜和书",
        "",
    ],
)
def test_no_boilerplate(caption):
    assert not is_boilerplate(caption)


@given(st.text(max_size=80))
def test_they_never_raise(text):
    assert is_placeholder(text) in {True, False}
    assert is_boilerplate(text) in {True, False}


def test_the_phrases_file_says_what_its_lists_are_for():
    head = files("allmende.filters").joinpath("phrases.toml").read_text("utf-8").split("[en]")[0]
    assert re.findall(r"^# (\w+)  +", head, re.MULTILINE) == list(LISTS)
