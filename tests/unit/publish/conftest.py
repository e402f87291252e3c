"""A report with everything in it, from made-up tables."""

import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from allmende.parts import Tally
from allmende.publish.excerpts import excerpts
from allmende.publish.figures import Span, pace, survey
from allmende.publish.funnel import stages
from allmende.publish.gallery import gallery
from allmende.publish.language_funnel import language_funnel
from allmende.publish.report import ReportData, TextReport
from allmende.publish.text_figures import survey_documents
from allmende.recipe import Dataset, Publish, Recipe, Select
from allmende.schema import DOCUMENTS, FAILURES, SAMPLES
from allmende.testing.samples import document, sample

FATES = {
    "de": {"kept": 400, "quality_dup_line_frac": 90, "text_language": 10},
    "fr": {"kept": 200, "quality_word_count": 40},
    "und": {"text_language": 20},
}


def batch(schema: pa.Schema, rows: list[dict]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=schema)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; background:url(//evil.example/) ;'",
    "</style></svg><iframe src=https://evil.example/>",
    "{{ 7 * 7 }}{% include 'report.css' %}",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def nothing_loads_or_runs(html: str) -> Page:
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in {
            "script",
            "iframe",
            "object",
            "embed",
            "link",
            "base",
            "form",
            "audio",
            "video",
            "image",
            "use",
        }
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"https?://|#", attributes["href"])
        assert "url(" not in (attributes.get("style") or "")
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    return page


@pytest.fixture(params=HOSTILE)
def hostile(request):
    """Words that try to be something else."""
    return request.param


@pytest.fixture
def harmless():
    """Makes sure that an HTML page loads and runs nothing, and takes it apart."""
    return nothing_loads_or_runs


@pytest.fixture
def make_batch():
    """Makes a batch of rows."""
    return batch


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
            asked=69,
            arrived=60,
            bytes_received=4_035,
            pace=pace([Span(started=10.0 * n, seconds=12, files=50, bytes=10**6) for n in range(9)]),
            gallery=gallery(samples),
            shards=("00000", "00001"),
            release_bytes=123_456_789,
        )

    return make


@pytest.fixture
def make_text_report():
    """Builds `TextReport` for given documents; recipe settings of `dataset` as keywords."""

    def make(documents=None, fates=None, tokens=None, denied=None, **dataset) -> TextReport:
        documents = [document(seed) for seed in range(60)] if documents is None else documents
        fates = FATES if fates is None else fates
        counts = [
            (
                "documents",
                {
                    "record": Tally(1000, 900, {"record_not_html": 100}),
                    "document": Tally(900, 640, {"text_short": 260}),
                },
            ),
            ("near", {"document": Tally(640, 60, {"near_duplicate": 580})}),
        ]
        recipe = Recipe(
            dataset=Dataset(**{"name": "test-texts", "kind": "text"} | dataset),
            select=Select(crawl="CC-MAIN-2026-43", kind="warc"),
            publish=Publish(sink="parquet", tokenizer="tiny.json" if tokens else ""),
        )
        return TextReport(
            recipe=recipe,
            recipe_toml='[dataset]\nname = "test-texts"\n',
            version="1.2.3",
            created="2026-11-21",
            stages=stages(counts),
            figures=survey_documents([batch(DOCUMENTS, documents)] if documents else [], tokens, denied),
            funnel=language_funnel(fates),
            excerpts=excerpts(documents),
            shards=("00000", "00001"),
            release_bytes=123_456_789,
        )

    return make
