"""Signatures: what is alike shares bands as often as the formula says, and nothing else does."""

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.minhash import Options, Signer


def words(seed, count):
    choice = random.Random(seed)
    return [f"w{choice.randrange(5_000)}" for _ in range(count)]


def letters(number):
    """A name without digits, which would all become 0."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_signatures_depend_on_nothing_but_the_text():
    text = " ".join(words(1, 200))
    once, other = Signer(Options()), Signer(Options())
    other.sign(" ".join(words(2, 900)))
    assert (once.sign(text) == other.sign(text)).all()
    assert once.sign(text).shape == (14,)


def test_the_first_band_is_the_same_on_every_machine():
    band = Signer(Options()).sign("one two three four five six seven")
    assert band.tolist()[0] == 0x7A9BCB2C5E154ABD
    assert band.tolist() == Signer(Options()).sign("One,  two — three: four! FIVE six seven.").tolist()


def test_short_texts_have_no_signature():
    assert Signer(Options()).sign("one two three four") is None
    assert Signer(Options()).sign("") is None


@given(st.text(max_size=200))
def test_any_text_can_be_signed(text):
    Signer(Options(ngram=2)).sign(text)


@pytest.mark.parametrize("share", [0.6, 0.8, 0.9])
def test_the_share_of_pairs_found_is_that_of_the_formula(share):
    """200 pairs whose sets of words agree to a known share; three standard errors are allowed."""
    options = Options(ngram=1)
    signer = Signer(options)
    found = 0
    size = 300
    common = round(2 * size * share / (1 + share))
    for pair in range(200):
        names = [letters(1_000 * pair + number) for number in range(2 * size - common)]
        first, second = names[:size], names[size - common :]
        exact = len(set(first) & set(second)) / len(set(first) | set(second))
        found += bool((signer.sign(" ".join(first)) == signer.sign(" ".join(second))).any())
    expected = 1 - (1 - exact**options.rows) ** options.bands
    assert found / 200 == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / 200) + 0.005)


@pytest.mark.parametrize(
    "text", ["word " * 1_000_000, "x" * 1_000_000, "\n" * 1_000_000, "\u0301" * 1_000_000, "1." * 500_000]
)
def test_hostile_texts_take_no_memory(text):
    """A megabyte of anything is signed in 40 MB above its own size."""
    signer = Signer(Options())
    signer.sign("warm up")
    tracemalloc.start()
    try:
        signer.sign(text)
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


def test_one_word_over_and_over_is_one_run():
    signer = Signer(Options())
    assert signer.sign("word " * 1_000).tolist() == signer.sign("word " * 5).tolist()
