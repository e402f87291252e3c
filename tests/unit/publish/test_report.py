"""The report: nothing loads, nothing runs, hostile words stay words, and it stays small."""

import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende.publish.report import ReportData, report_html, source_line
from allmende.recipe import Dataset, Recipe, Select
from allmende.testing.samples import picture, sample


def test_the_report_loads_and_runs_nothing(make_report, harmless):
    html = report_html(make_report())
    page = harmless(html)
    policy = [
        a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy[0].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert [tag for tag, _ in page.tags].count("img") == 42


def test_the_report_says_what_there_is(make_report, harmless):
    text = " ".join("".join(harmless(report_html(make_report(description="What it is."))).text).split())
    for words in ("test-set", "What it is.", "CC-MAIN-2026-43, 10 WAT files", "60 samples", "69 files asked for"):
        assert words in text
    for words in (
        "http_not_found",
        "images0.example",
        "alt",
        "jpeg",
        "record not html",
        "Middle half",
        "Allmende 1.2.3",
    ):
        assert words in text


def test_hostile_words_stay_words(make_report, hostile, harmless):
    words = hostile
    row, image = sample(
        0,
        caption=words,
        language=words,
        url=f"https://{words}/x.jpg",
        page_url=words,
        page_license=words,
        original_format=words,
        caption_source=words,
        found_in=words,
        x_robots_tag=words,
    )
    failure = row | {"reason": words, "url": f"https://{words}"}
    data = make_report([(row, image)] * 3, [failure] * 2, name=words, description=words, license=words)
    data = msgspec.structs.replace(data, recipe_toml=words, shards=(words,), version=words, created=words)
    page = harmless(report_html(data))
    assert words in " ".join(page.text)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text("<>&\"'/= {}%\n\u202eax\N{NO-BREAK SPACE}", min_size=1, max_size=60))
def test_no_words_break_out(make_report, harmless, words):
    row, image = sample(0, caption=words, page_license=words, x_robots_tag=words, page_url="https://a.example/" + words)
    harmless(report_html(make_report([(row, image)], [row | {"reason": words}], name=words)))


def test_an_empty_dataset_has_a_report_too(make_report, harmless):
    html = report_html(make_report([], []))
    assert "samples" in html
    harmless(html)


def test_the_largest_report_stays_below_two_megabytes(make_report):
    noise = random.Random(0)
    rows = []
    for seed in range(80):
        words = "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(5000))
        row, _ = sample(
            seed, caption=words, page_url="https://a.example/" + words, page_license=words, x_robots_tag=words
        )
        rows.append((row | {"url": f"https://{words}/"}, picture(seed, 1200, 1200)))
    data = make_report(rows, [row | {"reason": row["caption"]} for row, _ in rows])
    data = msgspec.structs.replace(data, recipe_toml="x" * 500_000)
    assert len(report_html(data).encode()) < 2_000_000


def test_the_numbers_of_a_report_go_through_json(make_report):
    data = make_report()
    assert msgspec.json.decode(msgspec.json.encode(data), type=ReportData) == data


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (Select(crawl="CC-MAIN-2026-43", files=0, kind="warc"), "CC-MAIN-2026-43, all WARC files"),
        (Select(archives=("data/a.warc.gz",)), "archives a.warc.gz"),
        (Select(urls=("s3://b/u.parquet", "v.csv")), "URL table u.parquet and 1 more"),
    ],
)
def test_the_source_in_a_few_words(select, expected):
    assert source_line(Recipe(dataset=Dataset(name="a"), select=select)) == expected
