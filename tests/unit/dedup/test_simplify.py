"""What makes two texts the same, and hashes of their words."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allmende.dedup.simplify import AT_ONCE, LONGEST_WORD, run_hashes, simple_words, simplify, word_hashes


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("Der Préis:\n3,50 EUR — am 12.3.2024!", "der preis 0 eur am 0"),
        ("snake_case  und   mehr", "snake case und mehr"),
        ("1.234.567,89 and 3, 4 .5 6.", "0 and 0 0 0 0"),
        ("١٢٫٣ دولار", "0 دولار"),
        ("İstanbul, ΟΔΟΣ οδος, Straße", "istanbul οδοσ οδοσ straße"),
        ("Wör\u00adter, zero\u200bwidth", "worter zero width"),
        ("e\u0301te\u0301", "ete"),
        ("हिन्दी", "हिनदी"),
        ("\u1112\u1161\u11ab 한", "한 한"),
        ("\u09c7\u09be \u09cb", "\u09cb \u09cb"),
        ("e\u0323\u0302 ệ", "e e"),
        ("𠀀字 \U000e0041x", "𠀀字 x"),
        ("\ud800 lone", "lone"),
        ("  \n", ""),
    ],
)
def test_what_does_not_make_a_text_another_one(text, simple):
    assert simplify(text) == simple


@given(st.text(max_size=300))
@example("1")
@example("1.")
@example(".1,")
def test_what_is_simple_stays(text):
    simple = simplify(text)
    assert simplify(simple) == simple
    assert simple == " ".join(simple.split())
    below = [c for c in simple if c != " " and ord(c) < 0x20000]
    assert not any(unicodedata.category(c)[0] in "PSZC" for c in below)


@given(st.lists(st.text("abcdeé", min_size=1, max_size=6), max_size=40))
def test_equal_words_and_only_these_have_equal_hashes(words):
    simple = simplify(" ".join(words)).split()
    hashes = word_hashes(" ".join(words)).tolist()
    assert len(hashes) == len(simple)
    assert len(set(hashes)) == len(set(simple)) == len(set(zip(simple, hashes, strict=True)))


@pytest.mark.parametrize("more", range(-8, 8))
@pytest.mark.parametrize("end", [AT_ONCE - LONGEST_WORD, AT_ONCE])
def test_where_a_long_text_is_cut_changes_nothing(end, more):
    tail = " 12.5 tail of it, Préis"
    hashes = word_hashes(("word " * AT_ONCE)[: end + more] + tail)
    whole = (end + more) // 5
    assert set(hashes[:whole].tolist()) == set(word_hashes("word").tolist())
    assert hashes[-5:].tolist() == word_hashes(tail).tolist()
    assert len(hashes) - whole - 5 == ((end + more) % 5 > 0)


def test_marks_in_the_wrong_order_take_no_time():
    """Python sorts them by insertion: 50 s for these."""
    assert (
        simplify("e" + "\u0301\u0323" * 500_000 + "\U0001d165\U0001d16d" * 500_000 + "\u1112").replace(" ", "")
        == "e\u1112"
    )


def test_a_text_without_spaces_is_bounded_by_its_length():
    text = "ab" * 500_000
    assert len(word_hashes(text)) == -(-len(text) // AT_ONCE)
    assert len(word_hashes(text, list)) == len(text)
    assert len(simplify(text).split()) == len(word_hashes(text))


def test_letters_are_words_where_nobody_writes_spaces():
    text = "2024年のiPhone 15：你好，world ภาษา!"
    assert simple_words(text) == ["0", "年", "の", "iphone", "0", "你", "好", "world", "ภ", "า", "ษ", "า"]
    assert word_hashes(text).tolist() == [word_hashes(word)[0] for word in simple_words(text)]


@example("1\u0e351")
@given(st.text(st.sampled_from("aé 1.,你の\u0e01ี\n-")))
def test_words_and_hashes_agree(text):
    words = simple_words(text)
    assert word_hashes(text).tolist() == [word_hashes(word)[0] for word in words]
    assert word_hashes(text, lambda _: words).tolist() == word_hashes(text).tolist()
    assert "".join(words) == simplify(text).replace(" ", "")


def test_words_may_be_cut_in_another_way():
    assert word_hashes("你好，世界", lambda text: text.split()).tolist() == [
        word_hashes("你好", str.split)[0],
        word_hashes("世界", str.split)[0],
    ]


def test_runs_depend_on_the_order_of_words():
    words = word_hashes("a b c a b c b a c")
    runs = run_hashes(words, 3).tolist()
    assert len(runs) == 7
    assert runs[0] == runs[3]
    assert len(set(runs)) == 6
    assert run_hashes(words, 10).tolist() == []


def test_hashes_are_the_same_on_every_machine():
    assert word_hashes("Allmende").tolist() == [0xEC8726CC1CF4D051]
