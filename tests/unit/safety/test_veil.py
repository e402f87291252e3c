"""Salted hashes hide what they stand for, and pictures stay comparable."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allmende.safety.veil import Veil, words

ONE, OTHER = Veil(b"1" * 32), Veil(b"2" * 32)
HASHES = st.binary(min_size=32, max_size=32)


def bits(one, other):
    return int(np.bitwise_count(np.frombuffer(one, np.uint8) ^ np.frombuffer(other, np.uint8)).sum())


@given(HASHES, HASHES)
def test_the_isometry_keeps_distances(one, other):
    moved = [bytes.fromhex(ONE.veiled("phash", value.hex())) for value in (one, other)]
    assert bits(*moved) == bits(one, other)


def test_another_salt_is_another_isometry():
    value = "0f" * 32
    assert ONE.veiled("phash", value) != OTHER.veiled("phash", value)
    assert ONE.veiled("phash", value) == Veil(b"1" * 32).veiled("phash", value)


@given(st.sampled_from(["url", "domain", "uid", "sha256"]), st.text(max_size=20))
def test_kinds_and_salts_have_hashes_of_their_own(kind, value):
    hashes = {ONE.veiled(kind, value), OTHER.veiled(kind, value), ONE.ticket(value), ONE.commitment}
    assert len(hashes) == 4
    assert {len(digest) for digest in hashes} == {32}


def test_tickets_are_the_same_in_any_spelling_of_their_letters():
    assert ONE.ticket(" Gru\u0308n-1 ") == ONE.ticket("Grün-1")


def test_words_are_those_of_the_index():
    assert words(np.arange(32, dtype=np.uint8).reshape(1, 32)).tolist() == [
        [int.from_bytes(bytes(range(at, at + 8))) for at in (0, 8, 16, 24)]
    ]
