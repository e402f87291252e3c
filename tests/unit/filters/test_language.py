import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.captions import normalise_caption
from allmende.filters.language import ALIASES, KNOWN, UNDECIDED, identify

SURE = {
    "bg": "Червен автомобил пред старата къща",
    "cs": "Červené auto před starým domem",
    "da": "En rød bil holder foran det gamle hus ved siden af søen",
    "de": "Ein rotes Auto vor dem alten Haus",
    "el": "Ένα κόκκινο αυτοκίνητο μπροστά στο σπίτι",
    "en": "A red car in front of the old house",
    "es": "Un coche rojo delante de la casa vieja",
    "et": "Punane auto vana maja ees",
    "fi": "Punainen auto vanhan talon edessä",
    "fr": "Une voiture rouge devant la vieille maison",
    "ga": "Carr dearg os comhair an tseantí bháin agus an chrainn",
    "hr": "Crveni automobil ispred stare kuće u našem selu",
    "hu": "Piros autó a régi ház előtt",
    "it": "Una macchina rossa davanti alla vecchia casa",
    "lt": "Raudonas automobilis priešais seną namą",
    "lv": "Sarkana automašīna pie vecās mājas",
    "mt": "Karozza ħamra quddiem id-dar il-qadima tal-ġirien",
    "nl": "Een rode auto voor het oude huis",
    "pl": "Czerwony samochód przed starym domem",
    "pt": "Um carro vermelho em frente à casa velha",
    "ro": "O mașină roșie în fața casei vechi",
    "sk": "Červené auto pred starým domom na ulici",
    "sl": "Rdeč avto pred staro hišo ob cesti",
    "sv": "En röd bil framför det gamla huset",
    "uk": "Червоний автомобіль перед старим будинком",
    "ja": "古い家の前の赤い車",
    "zh": "旧房子前面的一辆红色汽车",
    "ar": "سيارة حمراء أمام البيت القديم",
}


@pytest.mark.parametrize("code", SURE)
def test_a_sentence_is_recognised_in_every_language_of_the_eu(code):
    language = identify(SURE[code])
    assert language.code == code
    assert language.score >= 0.5


@pytest.mark.parametrize("caption", ["", "12345", "!?", "😀😀", "⠿"])
def test_what_has_no_words_is_undecided(caption):
    assert identify(caption) == (UNDECIDED, 0.0)


@pytest.mark.parametrize("caption", ["Nike Air Max 90", "Xqzt Wrmpf", "Canon EOS 5D"])
def test_names_are_not_sure(caption):
    assert identify(caption).score < 0.8


@given(st.text(st.characters(), max_size=80).map(normalise_caption))
def test_any_text_gets_a_known_code_and_a_probability_and_the_same_again(caption):
    code, score = identify(caption)
    assert code in KNOWN
    assert 0.0 <= score <= 1.0
    assert identify(caption) == (code, score)


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_text_that_was_not_normalised_does_no_harm(text):
    assert identify(text).code in KNOWN


def test_aliases_lead_to_known_codes():
    assert set(ALIASES.values()) <= KNOWN
    assert not set(ALIASES) & KNOWN
