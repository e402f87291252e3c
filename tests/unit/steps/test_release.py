"""How samples come to their shards."""

from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.steps.release import _range, cut_of, mean_size

KEYS = st.integers(0, 2**64 - 1)


def table(keys):
    return pa.table({"order_key": pa.array(sorted(keys), pa.uint64())})


@given(st.lists(KEYS, max_size=40), st.integers(1, 50))
def test_every_sample_is_in_the_shard_of_its_key(keys, cuts):
    whole = table(keys)
    shards = [_range(whole, cut, cuts).column("order_key").to_pylist() for cut in range(cuts)]
    assert list(chain.from_iterable(shards)) == sorted(keys)
    for cut, shard in enumerate(shards):
        assert {cut_of(key, cuts) for key in shard} <= {cut}


@given(st.lists(KEYS, min_size=1, max_size=40, unique=True), st.integers(1, 20), st.data())
def test_a_sample_that_goes_changes_no_other_shard(keys, cuts, data):
    gone = data.draw(st.sampled_from(keys))
    before, after = table(keys), table(set(keys) - {gone})
    changed = [cut for cut in range(cuts) if not _range(before, cut, cuts).equals(_range(after, cut, cuts))]
    assert changed == [cut_of(gone, cuts)]


@pytest.mark.parametrize("shard_size", [1, 500, 9_000, 10_000, 10_001, 99_999, 100_000])
def test_shards_have_the_size_asked_for_unless_keys_could_overflow(shard_size):
    digits = max(4, len(str(shard_size - 1)))
    assert mean_size(shard_size) == min(shard_size, 10**digits - 6 * 10 ** (digits / 2))


def test_no_shard_is_larger_than_its_keys():
    keys = np.random.default_rng(1).integers(0, 2**64, 940_000, np.uint64)
    assert np.bincount((keys >> np.uint64(32)) * np.uint64(100) >> np.uint64(32)).max() < 10_000
