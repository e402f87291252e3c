import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from allmende.safety.pdq_index import MAX_DISTANCE, PdqIndex, parse

words = st.integers(0, 2**256 - 1)


def hashes(numbers):
    return np.array([parse(f"{number:064x}") for number in numbers], np.uint64).reshape(-1, 4)


def brute_force(entries, query, distance):
    """Number of the nearest entry and its distance, by comparing all."""
    bits = [(query ^ entry).bit_count() for entry in entries]
    if not bits or min(bits) > distance:
        return -1, 257
    return bits.index(min(bits)), min(bits)


def flipped(number, bits):
    for bit in bits:
        number ^= 1 << bit
    return number


@given(
    entries=st.lists(words, max_size=8),
    changes=st.lists(st.tuples(st.integers(0, 7), st.sets(st.integers(0, 255), max_size=70)), max_size=8),
    strangers=st.lists(words, max_size=3),
    distance=st.integers(0, 50),
)
@settings(max_examples=150, deadline=None)
def test_finds_what_comparing_with_all_entries_finds(entries, changes, strangers, distance):
    queries = [flipped(entries[at % len(entries)], bits) for at, bits in changes if entries] + strangers
    found, bits = PdqIndex(hashes(entries), distance).nearest(hashes(queries))
    assert list(zip(found.tolist(), bits.tolist(), strict=True)) == [
        brute_force(entries, query, distance) for query in queries
    ]


def test_bits_spread_over_all_bands_are_found_up_to_the_last():
    entry = 0x5A5A << 100
    spread = [band * 16 + offset for offset in (3, 9) for band in range(16)]
    index = PdqIndex(hashes([entry]))
    for count in (MAX_DISTANCE, MAX_DISTANCE + 1):
        found, bits = index.nearest(hashes([flipped(entry, spread[:count])]))
        assert (found[0] == 0, bits[0]) == (count <= MAX_DISTANCE, count if count <= MAX_DISTANCE else 257)


def test_crowded_places_are_compared_piece_by_piece(monkeypatch):
    monkeypatch.setattr("allmende.safety.pdq_index._COMPARED_AT_ONCE", 20)
    rng = np.random.default_rng(1)
    entries = rng.integers(0, 4, (500, 4), dtype=np.uint64)
    queries = entries[rng.integers(0, 500, 50)] ^ np.uint64(1)
    found, bits = PdqIndex(entries, 5).nearest(queries)
    distances = np.bitwise_count(entries[None] ^ queries[:, None]).sum(axis=2)
    assert found.tolist() == distances.argmin(axis=1).tolist()
    assert bits.tolist() == distances.min(axis=1).tolist()


def test_says_what_it_holds():
    index = PdqIndex(hashes(range(1000)))
    assert (len(index), index.memory) == (1000, 1000 * 96 + 16 * 65_537 * 4)
    assert index.text(255) == f"{255:064x}"


def test_an_index_of_nothing_finds_nothing():
    found, bits = PdqIndex(hashes([])).nearest(hashes([0, 1]))
    assert (found.tolist(), bits.tolist()) == ([-1, -1], [257, 257])
    assert PdqIndex(hashes([1])).nearest(hashes([]))[0].tolist() == []


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(ValueError, match="hexadecimal"):
        parse(text)


@pytest.mark.parametrize("distance", [-1, 64])
def test_distances_beyond_reason_are_refused(distance):
    with pytest.raises(ValueError, match="between 0 and 63"):
        PdqIndex(hashes([1]), distance)
