import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.captions import normalise_caption
from allmende.filters.rules import RULES, broken_rule
from allmende.recipe import Captions
from allmende.schema import Reason

DEFAULT = Captions()

STRICT = Captions()
"""For `BREAKS`: rules that are off by default are on here."""

CAPTIONS = st.text(st.characters(), max_size=80).map(normalise_caption)

BREAKS = {
    Reason.CAPTION_FEW_CHARS: ["", "abc", "猫", "Ωµέγ"],
    Reason.CAPTION_MANY_CHARS: ["word " * 201],
    Reason.CAPTION_FILE_NAME: ["IMG_1234.JPG"],
    Reason.CAPTION_PLACEHOLDER: ["Image", "kein Bild vorhanden"],
    Reason.CAPTION_FEW_WORDS: ["Facebook", "koira", "- Haus -", "猫だ"],
    Reason.CAPTION_MANY_WORDS: ["a " * 257, "の" * 513],
    Reason.CAPTION_FEW_LETTERS: ["12.05.2019 - 3", "$$$ a $$$", "😀😀 hi 😀😀😀"],
    Reason.CAPTION_HAS_URL: ["see https://example.org", "www.example.de", "von example.com/bilder", "ftp://x Bild"],
    Reason.CAPTION_GARBLED: [
        *(normalise_caption(f"Ein {word} am Weg") for word in ("Gr�n", "Grün und GrÃ¼n")),  # the examples of the Reason
        "K\ufffdln am Rhein",
        "Das Ã¼ fÃ¼r alle → kaputt",
        "<b>Rathaus</b> Ulm",
        "{{ title }} Ulm",
    ],
    Reason.CAPTION_BOILERPLATE: ["Rathaus (click to enlarge)"],
    Reason.CAPTION_REPETITIVE: [
        "buy buy buy",
        "Foto Ulm Foto Ulm Foto Ulm",
        "hahahahahaha lol",
        "哈哈哈哈哈哈哈哈",
        "cheap shoes! " * 9,
    ],
}

KEPT = """\
Sonnenuntergang am Meer
Sonnenuntergang
Straßenbahnhaltestelle
Bora Bora
New York, New York
A dog and a cat and a bird
Boeing 747-400 over Berlin
2019 Audi A4 2.0 TDI
Booking.com office in Amsterdam
Node.js and ASP.NET developers
Tom & Jerry <3
50 % auf alles { nur heute }
Die Brücke ist 3 < 4 km lang
สุนัขสีแดงตัวใหญ่
कुत्ता और बिल्ली
كلب أحمر كبير
东京塔的夜景
富士山と桜
Ελληνική σημαία
червен автомобил
👩‍🚀 on the moon
Größe: 3/4 Zoll
AC/DC live"""


def test_every_rule_has_a_reason_of_its_stage_a_docstring_and_an_example():
    assert all(reason.stage == "caption" for reason in RULES)
    assert all(rule.__doc__ for rule in RULES.values())
    assert set(BREAKS) == set(RULES)
    rest = {reason for reason in Reason if reason.stage == "caption"} - set(RULES)
    assert rest == {Reason.CAPTION_LANGUAGE, Reason.URL_BLOCKED}


@pytest.mark.parametrize(("reason", "caption"), [(reason, text) for reason, texts in BREAKS.items() for text in texts])
def test_a_broken_rule_says_so(reason, caption):
    assert RULES[reason](caption, STRICT)
    assert broken_rule(caption, STRICT) is not None


@pytest.mark.parametrize("caption", KEPT.splitlines())
def test_ordinary_captions_of_many_languages_stay(caption):
    assert normalise_caption(caption) == caption
    assert broken_rule(caption, DEFAULT) is None


@pytest.mark.parametrize("reason", RULES)
@given(caption=CAPTIONS)
def test_a_rule_never_raises_and_says_the_same_again(reason, caption):
    broken = RULES[reason](caption, STRICT)
    assert broken in {True, False}
    assert RULES[reason](caption, STRICT) is broken


SWITCHED_OFF = Captions(
    min_chars=0, max_chars=10**9, min_words=0, max_words=10**9, min_letter_ratio=0, max_repetition=1, drop_file_names=False,
    drop_placeholders=False, drop_boilerplate=False, drop_urls=False, drop_garbled=False,
)  # fmt: skip


@given(CAPTIONS)
def test_every_rule_can_be_switched_off(caption):
    assert broken_rule(caption, SWITCHED_OFF) is None


@pytest.mark.parametrize(
    ("reason", "key", "loose", "tight"),
    [
        (Reason.CAPTION_FEW_CHARS, "min_chars", 3, 9),
        (Reason.CAPTION_MANY_CHARS, "max_chars", 30, 10),
        (Reason.CAPTION_FEW_WORDS, "min_words", 1, 3),
        (Reason.CAPTION_MANY_WORDS, "max_words", 6, 2),
        (Reason.CAPTION_FEW_LETTERS, "min_letter_ratio", 0.3, 0.8),
        (Reason.CAPTION_REPETITIVE, "max_repetition", 0.7, 0.2),
    ],
)
@given(caption=CAPTIONS)
def test_a_tighter_bound_never_keeps_more(reason, key, loose, tight, caption):
    breaks = RULES[reason]
    if breaks(caption, msgspec.structs.replace(DEFAULT, **{key: loose})):
        assert breaks(caption, msgspec.structs.replace(DEFAULT, **{key: tight}))


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=8), st.integers(3, 9))
def test_three_of_the_same_are_repetition(word, times):
    assert RULES[Reason.CAPTION_REPETITIVE](" ".join([word] * times), DEFAULT)
