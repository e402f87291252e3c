import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.http_content import EncodingBroken, TooLarge, encodings, start, undo
from allmende.testing.call import compress

NAMES = ["gzip", "deflate", "raw-deflate", "br", "zstd"]
names = st.sampled_from(NAMES)


def header(name: str) -> str:
    return "deflate" if name == "raw-deflate" else name


@given(st.binary(max_size=10_000), st.lists(names, max_size=3))
def test_what_was_compressed_comes_back(data, applied):
    packed = data
    for name in applied:
        packed = compress(packed, name)
    assert undo(packed, encodings(", ".join(map(header, applied))), 20_000) == data


@given(names, st.integers(0, 999))
def test_the_cap_is_exact(name, missing):
    data = bytes(1_000)
    packed = compress(data, name)
    assert len(undo(packed, (header(name),), 1_000)) == 1_000
    with pytest.raises(TooLarge):
        undo(packed, (header(name),), missing)


@given(names, st.binary(max_size=200))
def test_nonsense_is_broken_or_small(name, data):
    with contextlib.suppress(EncodingBroken, TooLarge):
        assert len(undo(data, (header(name),), 10_000)) <= 10_000


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw-deflate", "br"])
def test_what_is_cut_off_is_broken(name):
    packed = compress(bytes(range(256)) * 40, name)
    with pytest.raises(EncodingBroken):
        undo(packed[:-5], (header(name),), 100_000)


@pytest.mark.parametrize("name", NAMES)
def test_the_start_of_what_is_cut_off_can_be_read(name):
    packed = compress(b"\xff\xd8\xff" + bytes(1_000_000), name)
    assert start(packed[: len(packed) // 2], (header(name),), 100).startswith(b"\xff\xd8\xff")


def test_members_one_after_the_other():
    assert undo(compress(b"a", "gzip") + compress(b"b", "gzip"), ("gzip",), 10) == b"ab"
    assert undo(compress(b"a", "gzip") + b"trailing", ("gzip",), 10) == b"a"


def test_what_is_not_known_is_broken():
    with pytest.raises(EncodingBroken, match="compress"):
        undo(b"", ("compress",), 10)


def test_names_are_read_from_the_header():
    assert encodings("GZIP, identity ,br,") == ("gzip", "br")
    assert encodings("") == ()


def test_a_bomb_costs_no_more_than_its_cap():
    bomb = zlib.compress(bytes(100_000_000))
    with pytest.raises(TooLarge):
        undo(bomb, ("deflate",), 1_000)
