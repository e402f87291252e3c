"""Three identifiers and the words of close languages, on paragraphs that were written for this test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters import close_languages
from allmende.filters.document_language import KNOWN, UNDECIDED, by_paragraph, identify

PARAGRAPHS = {
    "bg": "Всяка сутрин влакът тръгва от гарата в шест часа и пристига в морето, преди слънцето да е високо.",
    "cs": "Každé ráno vyjíždí vlak z nádraží v šest hodin a k jezeru přijede dříve, než slunce vystoupí vysoko.",
    "da": "Hver morgen kører toget fra stationen klokken seks, og det når frem til søen, før solen står højt.",
    "de": "Jeden Morgen fährt der Zug um sechs Uhr vom Bahnhof ab und erreicht den See, bevor die Sonne hoch steht.",
    "el": "Κάθε πρωί το τρένο φεύγει από τον σταθμό στις έξι και φτάνει στη λίμνη πριν ο ήλιος ανέβει ψηλά.",
    "en": "Every morning the train leaves the station at six and reaches the lake before the sun stands high.",
    "es": "Cada mañana el tren sale de la estación a las seis y llega al lago antes de que el sol esté en lo alto.",
    "et": "Igal hommikul väljub rong jaamast kell kuus ja jõuab järve äärde enne, kui päike kõrgele tõuseb.",
    "fi": "Joka aamu juna lähtee asemalta kuudelta ja saapuu järvelle ennen kuin aurinko on korkealla.",
    "fr": "Chaque matin, le train quitte la gare à six heures et atteint le lac avant que le soleil ne soit haut.",
    "ga": "Gach maidin fágann an traein an stáisiún ar a sé agus sroicheann sí an loch sula mbíonn an ghrian go hard.",
    "hr": "Svako jutro vlak kreće s kolodvora točno u šest sati i stiže na jezero prije nego što se bilo tko probudi.",
    "hu": "Minden reggel hatkor indul a vonat az állomásról, és eléri a tavat, mielőtt a nap magasra emelkedne.",
    "it": "Ogni mattina il treno lascia la stazione alle sei e raggiunge il lago prima che il sole sia alto.",
    "lt": "Kiekvieną rytą traukinys išvyksta iš stoties šeštą valandą ir pasiekia ežerą, kol saulė dar neaukštai.",
    "lv": "Katru rītu vilciens atiet no stacijas sešos un sasniedz ezeru, pirms saule pacēlusies augstu.",
    "mk": "Секое утро возот тргнува од станицата во шест часот и стигнува до езерото пред сонцето да се качи високо.",
    "mt": "Kull filgħodu l-ferrovija titlaq mill-istazzjon fis-sitta u tasal ħdejn l-għadira qabel ma togħla x-xemx.",
    "nb": "Hver morgen går toget fra stasjonen klokken seks, og det er ikke noen som ser hvordan sola står opp etter turen.",
    "nl": "Elke ochtend vertrekt de trein om zes uur van het station en bereikt het meer voordat de zon hoog staat.",
    "nn": "Kvar morgon går toget frå stasjonen klokka seks, og det er ikkje nokon som ser korleis sola står opp etter turen.",
    "pl": "Każdego ranka pociąg odjeżdża ze stacji o szóstej i dociera nad jezioro, zanim słońce stanie wysoko.",
    "pt": "Todas as manhãs o comboio sai da estação às seis e chega ao lago antes de o sol estar alto.",
    "ro": "În fiecare dimineață trenul pleacă din gară la ora șase și ajunge la lac înainte ca soarele să fie sus.",
    "sk": "Každé ráno odchádza vlak zo stanice o šiestej a príde k jazeru skôr, než slnko vystúpi vysoko.",
    "sl": "Vsako jutro vlak odpelje s postaje ob šestih in pride do jezera, preden je sonce visoko na nebu.",
    "sr": "Свако јутро воз креће са станице тачно у шест сати и стиже на језеро пре него што се било ко пробуди.",
    "sv": "Varje morgon lämnar tåget stationen klockan sex och når sjön innan solen står högt på himlen.",
    "tr": "Her sabah tren saat altıda istasyondan kalkar ve güneş yükselmeden önce göle ulaşır.",
    "uk": "Щоранку поїзд вирушає зі станції о шостій і прибуває до озера, перш ніж сонце підніметься високо.",
}


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_a_paragraph_is_enough(language: str) -> None:
    found = identify(PARAGRAPHS[language])
    assert (found.code, found.score > 0.5) == (language, True)


@pytest.mark.parametrize("text", ["", " \n", "12 34 56", "---", "\ufffe\U0010ffff"])
def test_what_is_no_text_is_undecided(text: str) -> None:
    assert identify(text) == (UNDECIDED, 0.0)
    assert all(code == UNDECIDED for code, _ in by_paragraph(text))


def test_serbian_in_latin_letters_is_told_from_croatian_by_its_words() -> None:
    text = "Svako jutro voz kreće tačno u šest i stiže na jezero pre nego što se bilo ko probudi. Vreme je lepo posle kiše."
    assert identify(text).code == "sr"


def test_a_long_text_is_looked_at_in_three_places() -> None:
    menu = "Home Contact Privacy Sign in Search Menu\n" * 20
    assert identify(menu + PARAGRAPHS["de"] * 200).code == "de"


def test_paragraphs_of_a_mixed_page_are_counted_by_their_length() -> None:
    mixed = "\n".join([PARAGRAPHS["de"]] * 6 + [PARAGRAPHS["en"]] * 3 + [PARAGRAPHS["el"]])
    assert [code for code, _ in by_paragraph(mixed)] == ["de", "en", "el"]
    assert by_paragraph(mixed)[0][1] == pytest.approx(0.63, abs=0.03)


def test_short_lines_are_judged_with_what_follows() -> None:
    text = f"Start\nMehr\n{PARAGRAPHS['de']}\nOK\nBack"
    assert by_paragraph(text) == [("de", 1.0)]


def test_a_page_in_nynorsk_stays_so_where_a_paragraph_could_be_either() -> None:
    text = "\n".join(
        [PARAGRAPHS["nn"]] * 5 + ["Toget er raskt og stort, og det er kaldt om morgonen langs vatnet der sola går ned."]
    )
    assert by_paragraph(text) == [("nn", 1.0)]


@given(st.text(max_size=300))
def test_any_text_has_a_known_language_and_shares_that_add_up(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert identify(text).code in KNOWN
    shares = by_paragraph(text)
    assert {code for code, _ in shares} <= KNOWN
    assert sum(share for _, share in shares) == pytest.approx(1.0 if text.split() else 0.0, abs=1e-9)


def test_words_of_close_languages_tell_or_leave_it_open() -> None:
    group = frozenset({"nb", "nn", "da"})
    assert close_languages.closest("ikkje eg", group) == ["nn"]
    assert close_languages.closest("til eller", group) == ["da", "nb", "nn"]


def test_each_of_a_group_has_words_that_another_lacks() -> None:
    for group in close_languages.GROUPS:
        for language in group:
            for other in group - {language}:
                assert len(close_languages._WORDS[language] - close_languages._WORDS[other]) >= 3
