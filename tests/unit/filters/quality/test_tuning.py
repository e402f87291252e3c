"""What thresholds would keep, against a plain count."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.filters.quality.rule import Limit
from allmende.filters.quality.tuning import SAMPLE, Tuning, matrix, moved
from allmende.schema import DOCUMENTS

LIMITS = (Limit(name="words", low=50, high=1_000), Limit(name="repeated", high=0.3), Limit(name="letters", low=0.8))
value = st.none() | st.sampled_from([0.0, 0.1, 0.3, 0.31, 0.8, 0.9, 50.0, 999.0, 2_000.0])
rows = st.lists(
    st.tuples(
        st.sampled_from(["de", "fr"]),
        st.none() | st.dictionaries(st.sampled_from(["words", "repeated", "letters", "other"]), value),
        st.integers(1, 500),
    ),
    min_size=1,
    max_size=40,
)


def batch(documents):
    languages, quality, chars = zip(*documents, strict=True)
    return pa.record_batch(
        {
            "language": pa.array(languages),
            "quality": pa.array(
                [None if q is None else list(q.items()) for q in quality], DOCUMENTS.field("quality").type
            ),
            "chars": pa.array(chars, pa.int32()),
        }
    )


def broken(quality, limits=LIMITS):
    known = {name: number for name, number in (quality or {}).items() if number is not None}
    return [limit.name for limit in limits if limit.name in known and not limit.keeps(known[limit.name])]


@given(rows, st.integers(1, 10))
def test_counts_are_those_of_a_plain_count(documents, size):
    tuning = Tuning(lambda language: LIMITS, "repeated", [0.1, 0.5])
    for begin in range(0, len(documents), size):
        tuning.add(batch(documents[begin : begin + size]))
    for found in tuning.counts():
        own = [(quality, chars) for language, quality, chars in documents if language == found.language]
        assert found.documents == len(own)
        assert found.kept == sum(not broken(quality) for quality, _ in own)
        assert found.kept_chars == sum(chars for quality, chars in own if not broken(quality))
        for rule in found.rules:
            assert rule.breaks == sum(rule.rule in broken(quality) for quality, _ in own)
            assert rule.first == sum(broken(quality)[:1] == [rule.rule] for quality, _ in own)
            assert rule.alone == sum(broken(quality) == [rule.rule] for quality, _ in own)
        for at in found.at:
            changed = [LIMITS[0], Limit(name="repeated", high=at.value), LIMITS[2]]
            assert at.by_rule == sum("repeated" not in broken(quality, changed) for quality, _ in own)
            assert at.by_all == sum(not broken(quality, changed) for quality, _ in own)
        assert sum(rule.first for rule in found.rules) == found.documents - found.kept


def test_the_threshold_that_moves_is_the_upper_one_only_where_there_is_no_lower():
    assert moved(LIMITS[0], 30) == Limit(name="words", low=30, high=1_000)
    assert moved(LIMITS[1], 0.5) == Limit(name="repeated", high=0.5)


def test_memory_does_not_grow_with_the_number_of_documents():
    tuning = Tuning(lambda language: LIMITS)
    part = batch([("de", {"words": float(n)}, 10) for n in range(5_000)])
    for _ in range(20):
        tuning.add(part)
    sample = tuning._languages["de"].samples[0]
    assert len(sample.values) <= SAMPLE
    (found,) = tuning.counts()
    assert found.rules[0].measured == 100_000
    assert found.rules[0].percentiles["p50"] == pytest.approx(2_500, abs=20)


def test_a_column_of_maps_becomes_a_matrix():
    names, values = matrix(batch([("de", None, 1), ("de", {"b": 2.0, "a": 1.0}, 1), ("de", {"a": None}, 1)])["quality"])
    assert values[1, names["a"]] == 1.0
    assert values[1, names["b"]] == 2.0
    assert np.isnan(values[[0, 2]]).all()
