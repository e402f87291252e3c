"""How rows come to parts of `samples/`."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allmende.steps.samples import slices


def cut(runs, size):
    """Slices of keys of which each stands as often as `runs` says."""
    keys = np.repeat(np.arange(len(runs), dtype=np.uint64), runs)
    return keys, list(slices(keys, size))


@given(st.lists(st.integers(1, 30)), st.integers(1, 12))
def test_every_row_is_in_one_slice_that_is_not_too_long(runs, size):
    keys, found = cut(runs, size)
    assert [row for begin, end in found for row in range(begin, end)] == list(range(len(keys)))
    assert all(0 < end - begin < 2 * size or size == 1 for begin, end in found)
    assert len(found) <= -(-len(keys) // size)


@given(st.lists(st.integers(1, 30)), st.integers(1, 12))
def test_a_url_is_in_one_slice_unless_it_has_too_many_rows(runs, size):
    keys, found = cut(runs, size)
    for (_, end), _ in pairwise(found):
        assert keys[end - 1] != keys[end] or runs[keys[end]] > size


def test_slices_end_with_the_url_that_is_at_their_end():
    assert cut([1] * 10, 4)[1] == [(0, 4), (4, 8), (8, 10)]
    assert cut([3, 3, 3, 1], 4)[1] == [(0, 6), (6, 9), (9, 10)]
    assert cut([1, 20, 1], 4)[1] == [(0, 4), (4, 8), (8, 12), (12, 16), (16, 21), (21, 22)]
    assert cut([], 4)[1] == []
