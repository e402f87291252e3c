"""A file made from another has the right bytes, and costs what changed."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.errors import Untrusted
from allmende.maintain import delta
from allmende.maintain.delta import pack, unpack


def through(old, new):
    """The file after packing and unpacking, and the size of the patch."""
    before = io.BytesIO(old) if old is not None else None
    packed = list(pack(io.BytesIO(new), len(new), before, len(old or b"")))
    return b"".join(unpack(piece, content, before) for piece, content in packed), sum(len(c) for _, c in packed)


@given(st.none() | st.binary(max_size=300), st.binary(max_size=300))
def test_any_file_comes_out_of_any_other(old, new):
    assert through(old, new)[0] == new


def test_samples_that_went_cost_next_to_nothing_in_files_of_many_pieces(monkeypatch):
    monkeypatch.setattr(delta, "PIECE", 300_000)
    monkeypatch.setattr(delta, "AROUND", 200_000)
    rng = random.Random(1)
    images = [rng.randbytes(rng.randint(5_000, 20_000)) for _ in range(150)]
    old, new = b"".join(images), b"".join(images[:40] + images[43:90] + images[91:])
    again, size = through(old, new)
    assert again == new
    assert size < 2_000


def test_a_piece_that_does_not_fit_is_refused():
    old = io.BytesIO(b"old" * 1000)
    [(piece, packed)] = pack(io.BytesIO(b"new" + b"old" * 1000), 3003, old, 3000)
    with pytest.raises(Untrusted):
        unpack(piece, packed[:-3], old)
    with pytest.raises(Untrusted):
        unpack(piece, b"nonsense", old)
    shorter = type(piece)(piece.begin, piece.end, 10, piece.packed, piece.sha256)
    with pytest.raises(Untrusted):
        unpack(shorter, packed, old)
