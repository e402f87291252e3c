"""C4, DCLM and dolma: their measures against the plain counts of the references, and what they take out."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allmende.filters.quality import c4, dolma, refinedweb
from allmende.filters.quality.presets import find_preset
from allmende.filters.quality.refinedweb_lines import without_addresses, without_noise
from allmende.filters.quality.segments import cut_segments
from allmende.filters.quality.text import Text
from allmende.filters.quality.words import cut

texts = st.lists(
    st.sampled_from(["the", "To", "a", "cat.", "sat…", "#1", "-", "* x", "1,5", "it's", "\n", "\n\n", "Größe"]),
    min_size=1,
    max_size=60,
).map(" ".join)
English = settings(deadline=None)


def grams(words, n):
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


@English
@given(texts, st.integers(2, 6))
def test_dclm_counts_words_that_any_repeated_run_covers(raw, n):
    text = Text(raw, "en")
    words = list(text.segments)
    counts = Counter(grams(words, n))
    total = sum(map(len, words))
    again = {run: count for run, count in counts.items() if count > 1}
    top = max((sum(map(len, run)) * count for run, count in again.items() if count == max(again.values())), default=0)
    covered = {at + k for at, run in enumerate(grams(words, n)) if run in again for k in range(n)}
    assert refinedweb.top_gram_frac(text, n) == pytest.approx(top / total if total else 0)
    assert refinedweb.dup_gram_frac(text, n) == pytest.approx(
        sum(len(words[at]) for at in covered) / total if total else 0
    )


@English
@given(texts, st.integers(2, 6))
def test_dolma_counts_all_characters_of_repeated_runs(raw, n):
    text = Text(raw, "en")
    words = raw.split()
    counts = Counter(grams(words, n))
    every = sum(sum(map(len, run)) * count for run, count in counts.items())
    again = sum(sum(map(len, run)) * count for run, count in counts.items() if count > 1)
    assert dolma.dup_gram_frac(text, n) == pytest.approx(again / every if every else 0)
    first = counts.most_common(1)
    top = sum(map(len, first[0][0])) * first[0][1] / sum(map(len, words)) if first else 0
    assert dolma.top_gram_frac(text, n) == pytest.approx(top)


def test_lines_are_counted_by_each_in_its_way():
    text = Text("one line\n\n* two…\n\none line", "en")
    assert refinedweb.dup_line_frac(text) == 2 / 3
    assert refinedweb.dup_line_char_frac(text) == 16 / 22
    assert refinedweb.dup_para_frac(Text("only one\nparagraph", "en")) == 0
    assert dolma.dup_line_frac(text) == 4 / 5
    assert dolma.bullet_line_frac(text) == 1 / 5
    assert refinedweb.bullet_line_frac(text) == 1 / 3
    assert refinedweb.symbol_ratio(text) == 1 / 6
    assert dolma.median_word_length(text) == 3.5


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ("don't", ["don't"]),
        ("3.14", ["3.14"]),
        ("a.b.com,", ["a.b.com"]),
        ("(well-known)", ["well", "known"]),
        ("_private", []),
        ("x²", ["x", "²"]),
        ("Größe…", ["Größe"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("漢字", ["漢", "字"]),
        ("カタカナ", ["カタカナ"]),
    ],
)
def test_segments_are_unicodes(piece, words):
    """Written down from uniseg 0.10, which DCLM uses."""
    assert cut_segments(piece) == words


def test_c4_takes_lines_out():
    lines = [
        "A line that ends well.",
        "one without a mark",
        "Too short.",
        "Enable JavaScript to see this.",
        "Read our privacy policy now.",
        "It was cited[12] here.[citation needed]",
        "w" * 1_001 + " is a long word.",
        "This goes on ...",
    ]
    edited = c4.clean(Text("\n".join(lines), "en"))
    assert edited.text == "A line that ends well.\nIt was cited here."
    assert edited.values == {"lorem_ipsum": 0, "curly_bracket": 0, "sentence_count": 2}
    assert "one without a mark" in c4.clean(Text("\n".join(lines), "en"), c4.FINEWEB).text
    curly = c4.clean(Text("Some lorem ipsum here.\nint main() { return; } twice.", "en"))
    assert (curly.values["lorem_ipsum"], curly.values["curly_bracket"]) == (1, 1)


def test_sentences_end_where_a_word_follows_a_mark():
    """As spaCy's sentencizer."""
    for text, count in {
        "One. Two! Three": 3,
        "One?! (Two.) Three...": 3,
        "none": 1,
        "": 1,
        "3.5 is no end.": 1,
    }.items():
        assert cut(text, "en").sentences() == count, text


def test_dclm_takes_addresses_and_noise_out():
    kept = "As told, the page\n\nhas 3 lines"
    assert without_addresses(Text("As told, the page www.example.com/a?b\n\n\n\nhas 3 lines", "en")).text == kept
    assert without_addresses(Text("See http://192.0.2.1:80/x now", "en")).text == "See now"
    only_if = Text("Xenia: www.example.com stays, for no domain begins the text", "en")
    assert without_addresses(only_if).text == only_if.text
    lines = [
        "A line of prose that stays",
        "BUY NOW!",
        "12345",
        "3 likes",
        "Menu",
        "2 items in cart here",
        "Go on. Read more...",
        "Sign-in please now",
    ]
    edited = without_noise(Text("\n".join(lines), "en"))
    assert edited.text == "A line of prose that stays\n2 here\nGo on.\nplease now"
    assert edited.values["removed_word_frac"] == 1 - 12 / 24


@English
@given(st.text(max_size=300))
def test_any_text_has_a_fate_in_every_preset(raw):
    for name in ("c4", "c4-original", "dclm-heuristics", "gopher-dolma", "gopher", "fineweb"):
        preset = find_preset(name)
        quick, full = preset.apply(Text(raw, "en")), preset.apply(Text(raw, "en"), signals=True)
        assert quick.reason == full.reason
        assert quick.reason or quick.text == full.text
        assert full.signals.items() >= quick.signals.items()


def test_long_and_hostile_texts_cost_time_in_proportion():
    """One word a hundred thousand times, marks without end, a line of a megabyte: each a second at most, not minutes."""
    for raw in (
        "word " * 100_000,
        "(" * 1_000_000,
        "a-" * 500_000,
        " ".join("(.,)" * 200 + str(n) for n in range(50)),
        "a\n" * 100_000,
    ):
        for name in ("fineweb", "dclm-heuristics"):
            assert find_preset(name).apply(Text(raw, "en"), signals=True).reason
