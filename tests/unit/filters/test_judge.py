import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import RecipeError
from allmende.extract.judge import Verdict
from allmende.filters.judge import CaptionJudge
from allmende.recipe import Captions, Extract, Urls
from allmende.schema import WORDS, Reason

URL = "https://example.org/photo.jpg"
SOURCES = Extract().caption_sources
BUILT_IN = Urls()


def judge(sources=SOURCES, urls=BUILT_IN, **captions):
    return CaptionJudge(Captions(**captions), urls, sources)


def test_the_first_source_that_passes_is_the_caption():
    verdict = judge()(URL, {"alt": "IMG_1234.JPG", "title": "Ein rotes Auto vor dem Haus", "og": "My holidays in Rome"})
    assert (verdict.caption, verdict.source, verdict.language) == ("Ein rotes Auto vor dem Haus", "title", "de")
    assert verdict.language_score > 0.9


def test_the_order_of_sources_decides():
    words = {"alt": "A red car and a dog", "figcaption": "The old town of Ulm at night"}
    assert judge(("figcaption", "alt"))(URL, words).source == "figcaption"
    assert judge(("alt", "figcaption"))(URL, words).source == "alt"


def test_if_none_passes_the_first_with_words_gives_the_reason():
    assert judge()(URL, {"title": "Image 3", "og": "Chagall"}) is Reason.CAPTION_PLACEHOLDER
    assert judge()(URL, {"alt": "\u200b", "og": "Chagall"}) is Reason.CAPTION_FEW_WORDS


@pytest.mark.parametrize("words", [{}, {"alt": ""}, {"alt": " \u200b\u00ad"}, {"link_text": "The old town of Ulm"}])
def test_no_words_in_any_source_is_no_caption(words):
    assert judge()(URL, words) is Reason.NO_CAPTION


def test_a_blocked_url_comes_first():
    assert judge()("https://example.org/spacer.gif", {"alt": "The old town of Ulm"}) is Reason.URL_BLOCKED
    assert judge()("https://example.org/spacer.gif", {}) is Reason.URL_BLOCKED
    assert judge(urls=Urls(blocked=("photo",)))(URL, {"alt": "The old town of Ulm"}) is Reason.URL_BLOCKED


def test_the_caption_is_normalised_so_that_wat_and_warc_agree():
    assert judge()(URL, {"alt": "Grüne  Stra\u00adße in So\u0308st"}).caption == "Grüne Straße in Söst"


def test_only_the_wanted_languages_stay():
    german = judge(languages=("de",))
    assert german(URL, {"alt": "Ein rotes Auto vor dem Haus"}).language == "de"
    assert german(URL, {"alt": "A red car in front of the house"}) is Reason.CAPTION_LANGUAGE
    assert german(URL, {"alt": "A red car in front of the house", "title": "Ein rotes Auto"}).source == "title"


def test_the_undecided_are_kept_apart():
    name = {"alt": "Nike Air Max 90"}
    undecided = judge(min_language_score=1.0)(URL, name)
    assert (undecided.language, undecided.language_score) == ("und", 0.0)
    assert judge(min_language_score=1.0, languages=("en",))(URL, name) is Reason.CAPTION_LANGUAGE
    assert judge(min_language_score=1.0, languages=("en", "und"))(URL, name).language == "und"


def test_other_names_of_a_language_are_understood():
    norwegian = judge(languages=("nb",))
    assert norwegian(URL, {"alt": "En rød bil foran huset som jeg ikke kjøpte i går"}).language == "no"


def test_a_language_that_nobody_identifies_is_the_recipes_fault():
    with pytest.raises(RecipeError, match=r"captions\.languages: deu, xx can't be identified\. Known are: af, am"):
        judge(languages=("de", "xx", "deu"))


def test_it_can_be_sent_to_a_worker():
    sent = pickle.loads(pickle.dumps(judge(languages=("de",), urls=Urls(blocked=("/private/",)))))
    assert sent(URL, {"alt": "Ein rotes Auto vor dem Haus"}).language == "de"


WORDS_OF_A_PAGE = st.dictionaries(st.sampled_from(WORDS), st.text(st.characters(), max_size=50), max_size=4)


@given(st.text(max_size=50), WORDS_OF_A_PAGE)
def test_it_always_gives_a_verdict_or_a_reason(path, words):
    ask = judge()
    result = ask(f"https://example.org/{path}", words)
    assert result == ask(f"https://example.org/{path}", words)
    if isinstance(result, Verdict):
        assert result.caption
        assert result.source in words
        assert 0 <= result.language_score <= 1
    else:
        assert result is Reason.NO_CAPTION or result.stage == "caption"


@given(WORDS_OF_A_PAGE)
def test_no_caption_means_no_words(words):
    """Between `NO_CAPTION` and the rules nothing is lost: without rules every visible word is a caption."""
    off = {key: False for key in Captions.__struct_fields__ if key.startswith("drop_")}
    ask = judge(WORDS, min_chars=0, min_words=0, min_letter_ratio=0, max_repetition=1, **off)
    result = ask(URL, words)
    assert isinstance(result, Verdict) or result is Reason.NO_CAPTION
