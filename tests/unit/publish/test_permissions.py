"""Rows are counted once for each kind of signal, whatever the batches."""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from allmende.permission.policy import NAMES
from allmende.publish.permissions import COLUMNS, PermissionCounter
from allmende.schema import SAMPLES

SCHEMA = pa.schema([SAMPLES.field(name) for name in COLUMNS])

signals = st.lists(
    st.builds(
        lambda name, says: {"name": name, "says": says},
        st.sampled_from(NAMES[:4]),
        st.sampled_from(["deny", "allow", "unknown"]),
    ),
    max_size=5,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "signals": signals,
            "policy": st.just("strict/2026-11-22"),
            "verdict": st.sampled_from(["allowed", *NAMES[:3], None]),
            "language": st.sampled_from(["de", "pl", None]),
        }
    ),
    max_size=30,
)


@given(rows, st.integers(1, 30))
def test_the_counts_are_those_of_a_plain_count(rows, size):
    counter = PermissionCounter()
    for begin in range(0, len(rows), size):
        counter.add(pa.RecordBatch.from_pylist(rows[begin : begin + size], schema=SCHEMA))
    figures = counter.figures()
    judged = [row for row in rows if row["verdict"]]
    assert figures.judged == len(judged)
    assert figures.dropped == sum(row["verdict"] != "allowed" for row in judged)
    for funnel in figures.signals:
        said = [{s["says"] for s in row["signals"] if s["name"] == funnel.name} for row in judged]
        assert funnel.met == sum(bool(words) for words in said)
        assert funnel.reserves == sum("deny" in words for words in said)
        assert funnel.unknown == sum("unknown" in words for words in said)
        assert funnel.allows == sum("allow" in words for words in said)
        assert funnel.dropped == sum(row["verdict"] == funnel.name for row in judged)
    assert figures.stage.seen == figures.stage.kept + sum(figures.stage.dropped.values())
    languages = Counter(row["language"] or "und" for row in judged)
    assert {cost.language: cost.judged for cost in figures.languages} == languages
    assert sum(cost.lost for cost in figures.languages) == figures.dropped


def test_rows_that_nobody_judged_do_not_count():
    counter = PermissionCounter()
    counter.add(pa.RecordBatch.from_pylist([dict.fromkeys(COLUMNS)] * 3, schema=SCHEMA))
    assert counter.figures().judged == 0
