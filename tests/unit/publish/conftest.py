"""A report with everything in it, from made-up tables."""

import pyarrow as pa
import pytest

from allmende.lake import Tally
from allmende.publish.figures import Span, pace, survey
from allmende.publish.funnel import stages
from allmende.publish.gallery import gallery
from allmende.publish.report import ReportData
from allmende.recipe import Dataset, Recipe, Select
from allmende.schema import FAILURES, SAMPLES
from allmende.testing.samples import sample


def batch(schema: pa.Schema, rows: list[dict]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schema)


@pytest.fixture
def make_report():
    """Builds `ReportData` for given samples and failures; recipe settings of `dataset` as keywords."""

    def make(samples=None, failures=None, **dataset) -> ReportData:
        samples = [sample(seed) for seed in range(60)] if samples is None else samples
        failures = (
            [sample(seed)[0] | {"reason": "http_not_found"} for seed in range(9)] if failures is None else failures
        )
        counts = [
            ("candidates", {"record": Tally(1000, 900, {"record_not_html": 100})}),
            ("samples", {"candidate": Tally(69, 60, {"http_not_found": 9})}),
        ]
        return ReportData(
            recipe=Recipe(dataset=Dataset(**{"name": "test-set"} | dataset), select=Select(crawl="CC-MAIN-2026-43")),
            recipe_toml='[dataset]\nname = "test-set"\n',
            version="1.2.3",
            created="2026-11-21",
            stages=stages(counts),
            figures=survey(
                [batch(SAMPLES, [row for row, _ in samples])] if samples else [],
                [batch(FAILURES, failures)] if failures else [],
            ),
            pace=pace([Span(started=10.0 * n, seconds=12, rows=50, bytes=10**6) for n in range(9)]),
            gallery=gallery(samples),
            shards=("00000", "00001"),
            release_bytes=123_456_789,
        )

    return make
