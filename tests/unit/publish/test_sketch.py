from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.publish.sketch import Distinct, Histogram, HistogramCounter, TopCounts


@given(st.lists(st.lists(st.sampled_from("abcdefghij") | st.none(), max_size=30), max_size=9))
def test_counts_are_exact_while_they_fit(batches):
    counts = TopCounts(capacity=10)
    for batch in batches:
        counts.add(pa.array(batch, pa.string()))
    true = Counter(value for batch in batches for value in batch if value is not None)
    ranking = counts.ranking(3)
    assert ranking.total == true.total()
    assert ranking.rows == tuple(sorted(true.items(), key=lambda item: (-item[1], item[0]))[:3])
    assert ranking.listed_all == (len(true) <= 3)


def test_long_values_are_cut():
    counts = TopCounts()
    counts.add(pa.array(["ä" * 300, "ä" * 200, "ä" * 199]))
    assert counts.ranking(5).rows == (("ä" * 200, 2), ("ä" * 199, 1))


@given(st.lists(st.lists(st.integers(0, 200), max_size=60), max_size=12))
def test_counts_know_their_error_when_they_do_not_fit(batches):
    counts = TopCounts(capacity=10)
    for batch in batches:
        counts.add(pa.array(map(str, batch), pa.string()))
    true = Counter(str(value) for batch in batches for value in batch)
    ranking = counts.ranking(1000)
    assert len(ranking.rows) <= 20
    assert ranking.error <= true.total() / 10
    for value, count in ranking.rows:
        assert count <= true[value] <= count + ranking.error
    for value, count in true.items():
        assert count <= ranking.error or value in dict(ranking.rows)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=30), max_size=9))
def test_distinct_is_exact_while_it_fits(batches):
    distinct = Distinct(capacity=300)
    for batch in batches:
        distinct.add(np.array(batch, np.uint64))
    assert distinct.count().value == len({value for batch in batches for value in batch})
    assert distinct.count().exact


def test_distinct_estimates_a_million_within_three_standard_errors():
    distinct = Distinct(capacity=10_000)
    random = np.random.default_rng(0)
    values = random.integers(0, 2**64, 1_000_000, np.uint64)
    for start in range(0, len(values), 50_000):
        distinct.add(values[start : start + 50_000])
        distinct.add(values[start : start + 50_000])
    count = distinct.count()
    assert not count.exact
    assert count.value == pytest.approx(1_000_000, rel=3 / 100)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50))
def test_every_finite_number_lands_in_one_bin(values):
    counter = HistogramCounter([0.0, 1.0, 10.0, 100.0])
    counter.add(np.array(values, np.float64))
    assert counter.counts.sum() == np.isfinite(values).sum()


def histogram(counts, *, logarithmic=False, edges=(0.0, 10.0, 20.0, 30.0)) -> Histogram:
    return Histogram(title="", unit="", logarithmic=logarithmic, edges=edges, counts=counts, ticks=())


def test_quantiles_are_interpolated():
    assert histogram((10, 10, 0)).median == 10
    assert histogram((0, 10, 0)).median == 15
    assert histogram((0, 10, 0)).quantile(1.0) <= 30
    assert histogram((0, 10, 0), logarithmic=True, edges=(1.0, 4.0, 16.0, 64.0)).median == pytest.approx(8)
    assert histogram((0, 0, 0)).median is None


@given(st.lists(st.integers(1, 300), min_size=1, max_size=80), st.floats(0, 1))
def test_a_quantile_of_whole_numbers_is_one(values, share):
    counter = HistogramCounter(np.geomspace(1, 256, 25))
    counter.add(np.array(values, np.float64))
    edges, counts = tuple(map(float, counter.edges)), tuple(map(int, counter.counts))
    of = Histogram(title="", unit="", logarithmic=True, edges=edges, counts=counts, ticks=(), whole=True)
    assert of.quantile(share) == int(of.quantile(share))
    assert 1 <= of.quantile(share) <= 256
    if max(values) <= 7:  # bins of one number
        assert of.quantile(0.0) == min(values)
        assert sorted(values)[(len(values) - 1) // 2] <= of.median <= sorted(values)[len(values) // 2]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=80))
def test_the_median_lies_in_its_bin(values):
    counter = HistogramCounter((0.0, 10.0, 20.0, 30.0))
    counter.add(np.array(values))
    median = histogram(tuple(map(int, counter.counts))).median
    assert abs(median - float(np.median(values))) <= 20
    assert 0 <= median <= 30
