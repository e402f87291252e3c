from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.exact import frequent, unique_rows

rows = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 4)), max_size=60)
pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=20)


def columns(values, *kinds):
    return [np.array([v[i] for v in values], kind) for i, kind in enumerate(kinds)]


@given(rows, pairs)
def test_it_agrees_with_the_obvious_way(values, earlier):
    found = unique_rows(*columns(values, np.uint64, np.uint64, np.int64), *columns(earlier, np.uint64, np.uint64))
    known = set(earlier)
    first: dict[tuple[int, int], int] = {}
    seen: Counter[tuple[int, int]] = Counter()
    url_seen: Counter[int] = Counter()
    for number, (url, uid, count) in enumerate(values):
        first.setdefault((url, uid), number)
        seen[url, uid] += count
        url_seen[url] += count
    expected = sorted((key, row) for key, row in first.items() if key not in known)
    assert found.rows.tolist() == [row for _, row in expected]
    assert found.seen.tolist() == [seen[key] for key, _ in expected]
    assert found.url_seen.tolist() == [url_seen[url] for (url, _), _ in expected]
    assert found.earlier == sum((url, uid) in known for url, uid, _ in values)


@given(st.lists(st.integers(0, 6)), st.integers(1, 4))
def test_frequent_means_more_often_than_the_limit(values, limit):
    counts = Counter(values)
    assert frequent(np.array(values, np.uint64), limit).tolist() == sorted(k for k, n in counts.items() if n > limit)
