import datetime
import tracemalloc
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.publish.figures import (
    FAILURE_COLUMNS,
    SAMPLE_COLUMNS,
    Span,
    files_asked_for,
    hosts,
    pace,
    survey,
    top_level,
)
from allmende.schema import FAILURES, SAMPLES
from allmende.testing.samples import sample


def batches(schema, rows, size):
    return [pa.RecordBatch.from_pylist(rows[i : i + size], schema=schema) for i in range(0, len(rows), size)]


def test_a_survey_counts_what_is_there():
    rows = [sample(seed, seen=seed % 3 + 1, data_size=10, language="de") for seed in range(40)]
    failures = [sample(seed)[0] | {"reason": "image_small", "http_status": 200} for seed in range(5)]
    figures = survey(batches(SAMPLES, [row for row, _ in rows], 7), batches(FAILURES, failures, 2))
    assert (figures.samples, figures.failures) == (40, 5)
    assert figures.occurrences == sum(seed % 3 + 1 for seed in range(40))
    assert figures.seen_again == sum(seed % 3 + 1 > 1 for seed in range(40))
    assert figures.bytes_stored == 400
    assert figures.captured == ("2026-10-01", "2026-10-01")
    assert figures.rankings["language"].rows == (("de", 40),)
    assert figures.rankings["failure_reason"].rows == (("image_small", 5),)
    assert figures.rankings["failure_status"].rows == (("200", 5),)
    assert figures.rankings["image_host"].total == 40
    assert all(of.total == 40 for of in figures.histograms.values())
    assert figures.distinct["files"].value == len({row["sha256"] for row, _ in rows})


def test_a_file_is_asked_for_once_for_all_its_captions_and_not_if_its_rows_went_before():
    now = datetime.datetime(2026, 10, 1, tzinfo=datetime.UTC)
    rows = [sample(seed)[0] | {"url_key": seed // 2} for seed in range(12)]
    fates = [{"fetched_at": now}, {"fetched_at": None, "http_status": None}, {"fetched_at": None, "http_status": 200}]
    rows = [row | fates[number // 4] for number, row in enumerate(rows)]
    (batch,) = batches(SAMPLES, rows, 12)
    assert files_asked_for(batch.select(SAMPLE_COLUMNS)) == 4
    assert files_asked_for(batch.slice(0, 0)) == 0


@given(st.integers(1, 30))
def test_how_rows_are_cut_into_batches_changes_nothing(size):
    rows = [sample(seed)[0] for seed in range(30)]
    failures = [row | {"reason": "timeout_total"} for row in rows[:9]]
    whole = survey(batches(SAMPLES, rows, 30), batches(FAILURES, failures, 9))
    assert survey(batches(SAMPLES, rows, size), batches(FAILURES, failures, size)) == whole


def test_the_named_columns_are_enough_and_all_may_be_null():
    nothing = [dict.fromkeys(SAMPLES.names)] * 3
    samples = [batch.select(SAMPLE_COLUMNS) for batch in batches(SAMPLES, nothing, 3)]
    failures = [batch.select(FAILURE_COLUMNS) for batch in batches(FAILURES, nothing, 3)]
    figures = survey(samples, failures)
    assert (figures.samples, figures.failures, figures.captured) == (3, 3, None)
    assert survey([], []).samples == 0


@given(
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https"]),
        st.sampled_from(["a.example", "[2001:db8::1]", "10.0.0.1", "user:pw@b.example", "xn--bcher-kva.example"]),
        st.sampled_from(["", ":8080"]),
        st.sampled_from(["", "/", "/@x:1/", "?a@b:c", "/a?b=http://c.example/"]),
    )
)
def test_hosts_are_those_of_the_url_parser(url):
    expected = urlsplit(url).hostname
    assert hosts(pa.array([url])).to_pylist() == [f"[{expected}]" if ":" in expected else expected]


def test_top_level_domains():
    urls = ["https://www.a.de/x.y", "http://10.0.0.1/a.de", "http://[2001:db8::1]/", "http://localhost/", None]
    assert top_level(pa.array(urls)).to_pylist() == [".de", "address", "address", None, None]


def test_memory_does_not_grow_with_the_number_of_hosts():
    """Twice as many hosts as are kept; the rows themselves would take 300 MB as Python objects."""
    row = sample(0)[0]
    template = pa.RecordBatch.from_pylist([row] * 20_000, schema=SAMPLES).select(SAMPLE_COLUMNS)

    def many():
        for number in range(4):
            numbers = pc.cast(pa.array(np.arange(20_000) + number * 20_000), pa.string())
            names = pc.binary_join_element_wise("https://a-rather-long-host-name-", numbers, ".example/", "")
            yield template.set_column(template.schema.get_field_index("url"), "url", names)

    tracemalloc.start()
    try:
        figures = survey(many(), [])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert figures.samples == 80_000
    assert figures.rankings["image_host"].error > 0
    assert peak < 40e6


spans = st.builds(
    Span,
    started=st.floats(0, 1e6),
    seconds=st.floats(0.5, 1e4),
    files=st.integers(0, 10_000),
    bytes=st.integers(0, 10**9),
)


@given(st.lists(spans, max_size=20))
def test_pace_spreads_all_rows_over_the_working_time(parts):
    of = pace(parts)
    bins = max(1, len(of.files_per_second))
    assert sum(of.files_per_second) * of.seconds / bins == pytest.approx(sum(p.files for p in parts), abs=1e-3)
    assert of.mean_bytes * of.seconds == pytest.approx(sum(p.bytes for p in parts), rel=1e-6, abs=1e-3)
    assert of.seconds <= sum(p.seconds for p in parts) + 1e-6


def test_pauses_are_cut_out():
    first = [Span(started=t, seconds=10, files=100, bytes=0) for t in (0.0, 5.0)]
    night = [Span(started=t + 40_000, seconds=10, files=100, bytes=0) for t in (0.0, 5.0)]
    of = pace([*night, *first])
    assert of.seconds == pytest.approx(30)
    assert of.files_per_second == pytest.approx((400 / 30, 400 / 30))


def test_a_build_without_fetches_has_no_pace():
    assert pace([]).mean_files == pace([]).mean_bytes == 0.0


def test_days_span_all_batches():
    days = [datetime.datetime(2026, month, 5, tzinfo=datetime.UTC) for month in (9, 3, 7)]
    rows = [sample(0, captured_at=day)[0] for day in days]
    assert survey(batches(SAMPLES, rows, 1), []).captured == ("2026-03-05", "2026-09-05")
