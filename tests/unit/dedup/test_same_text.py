import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.same_text import same_texts

NONE = np.empty(0, np.uint64)
rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), max_size=20)


def find(rows, earlier=()):
    key, time, first, second = (
        np.array(column, np.int64) for column in (zip(*rows, strict=True) if rows else [()] * 4)
    )
    uids = (first.astype(np.uint64), second.astype(np.uint64))
    return same_texts(key.astype(np.uint64), time, uids, np.array(earlier, np.uint64))


@given(rows, st.lists(st.integers(0, 4), max_size=3))
def test_the_earliest_stays_and_counts_all(rows, earlier):
    found = find(rows, earlier)
    fresh = [row for row in rows if row[0] not in earlier]
    groups = {key: sorted(row for row in fresh if row[0] == key) for key, *_ in fresh}
    assert [rows[at] for at in found.rows.tolist()] == [groups[key][0] for key in sorted(groups)]
    assert found.seen.tolist() == [len(groups[key]) for key in sorted(groups)]
    assert found.earlier.tolist() == [row[0] in earlier for row in rows]


@given(rows, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert [rows[at] for at in find(rows).rows] == [shuffled[at] for at in find(shuffled).rows]


def test_nothing_is_nothing():
    assert find([]).rows.tolist() == []
