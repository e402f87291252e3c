"""Report and card of text: what they say, hostile words, and sizes."""

import json
import random
import re

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allmende.publish.card import card_markdown, release_usage
from allmende.publish.excerpts import excerpts
from allmende.publish.language_funnel import language_funnel
from allmende.publish.report import TextReport, report_html
from allmende.publish.text_figures import COLUMNS, survey_documents
from allmende.recipe import NearDuplicates
from allmende.schema import DOCUMENTS
from allmende.testing.samples import document


@pytest.fixture
def text_of(harmless):
    return lambda html: " ".join(" ".join(harmless(html).text).split())


def test_the_report_says_what_there_is(make_text_report, text_of):
    html = report_html(make_text_report(tokens={"de": 9000, "fr": 3000}, description="What it is."))
    text = text_of(html)
    for words in ("What it is.", "60 documents", "12,000 tokens", "3 languages", "CC-MAIN-2026-43, 10 WARC files"):
        assert words in text
    for words in (
        "quality_dup_line_frac",
        "18.0 %",
        ".fr",
        "careful",
        "largest cluster 9",
        "Middle half",
        "near duplicate",
    ):
        assert words in text
    assert html.count("<figure>") == 12


def test_the_card_says_what_there_is(make_text_report):
    data = make_text_report(tokens={"de": 9000}, contact="data@uni.example")
    card = card_markdown(data, release_usage(data))
    assert re.findall(r"^## (.*)$", card, re.MULTILINE) == [
        *("How it was made", "Funnel", "How to load it", "Fields", "Languages", "Duplicates", "Where it comes from"),
        *("Licences", "Permission", "Safety", "Known limits", "Removal", "Citation"),
    ]
    assert "9,000 tokens (`tiny.json`)" in card
    assert "| `quality_dup_line_frac` | 18.0 % |  |  |" in card
    assert "stand for 142 pages" in card
    assert "write to data@uni.example" in card
    for field in DOCUMENTS:
        assert f"| `{field.name}` |" in card


def test_the_header_is_what_the_hub_expects(make_text_report):
    data = make_text_report()
    card = card_markdown(data, release_usage(data))
    header = yaml.safe_load(card[4 : card.index("\n---\n", 4)])
    assert (header["language"], header["task_categories"]) == (["de", "en", "fr"], ["text-generation"])
    assert header["configs"][0]["data_files"] == [{"split": "train", "path": "shards/*.parquet"}]


def test_what_permission_dropped_is_counted_by_language_and_signal(make_text_report, text_of):
    data = make_text_report(denied={("de", "tdmrep"): 12, ("fr", "noai"): 1})
    text = text_of(report_html(data))
    assert "13 of 73 rows (17.8 %) were dropped" in text
    assert "de · tdmrep 12 12 of 46" in text
    assert "13 of 73 rows (17.8 %) were dropped" in card_markdown(data, None)


def test_hostile_words_stay_words(make_text_report, hostile, harmless):
    words = hostile
    row = document(
        0,
        text=words,
        title=words,
        author=words,
        date=words,
        language=words,
        url=f"https://{words}/x",
        page_license=words,
        extractor=words,
        languages=[{"language": words + "2", "share": 1.0}],
    )
    data = make_text_report([row] * 3, {words: {words: 3}}, name=words, description=words, license=words)
    data = msgspec.structs.replace(data, recipe_toml=words, shards=(words,), version=words, created=words)
    page = harmless(report_html(data))
    assert words in " ".join(page.text)
    card = card_markdown(data, release_usage(data))
    header, body = card[4:].split("\n---\n", 1)
    assert isinstance(yaml.safe_load(header), dict)
    body = re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", body, flags=re.DOTALL))
    assert not re.search(r"<(script|img|iframe|/style)", body)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text("<>&\"'/= {}%\n\u202eax\N{NO-BREAK SPACE}", min_size=1, max_size=60))
def test_no_words_break_out(make_text_report, harmless, words):
    row = document(0, text=words, title=words, page_license=words, url="https://a.example/" + words)
    harmless(report_html(make_text_report([row], {words: {words: 1}}, name=words)))


def test_an_empty_dataset_has_a_report_and_a_card_too(make_text_report, harmless):
    data = make_text_report([], {})
    harmless(report_html(data))
    assert "No page had a known language." in card_markdown(data, None)


def test_the_largest_report_stays_below_a_megabyte(make_text_report):
    noise = random.Random(0)
    words = "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(20_000))
    rows = [
        document(n, text=words, title=words, url=f"https://{n}.example/{words}", extractor=words) for n in range(40)
    ]
    fates = {f"l{n}": {f"reason {n}": 1 for n in range(60)} for n in range(300)}
    data = msgspec.structs.replace(make_text_report(rows, fates), recipe_toml="x" * 500_000)
    assert len(report_html(data).encode()) < 1_000_000


def test_the_numbers_of_a_report_go_through_json(make_text_report):
    data = make_text_report()
    assert msgspec.json.decode(msgspec.json.encode(data), type=TextReport) == data


def test_who_compared_nothing_says_so(make_text_report, text_of):
    data = make_text_report()
    recipe = msgspec.structs.replace(data.recipe, near_duplicates=NearDuplicates(bands=0))
    data = msgspec.structs.replace(data, recipe=recipe)
    assert "Near-duplicates were not looked for." in text_of(report_html(data))
    assert "near-duplicates" not in card_markdown(data, None).split("## Duplicates")[1].split("##")[0]


def test_figures_add_up(make_batch):
    rows = [document(n, language=code) for n, code in enumerate(["de", "de", None, "fr"])]
    figures = survey_documents([make_batch(DOCUMENTS, rows[:1]), make_batch(DOCUMENTS, rows[1:])], {"de": 5})
    assert figures.size.characters == sum(len(row["text"]) for row in rows)
    assert {code: size.documents for code, size in figures.languages.items()} == {"de": 2, "und": 1, "fr": 1}
    assert (figures.size.tokens, figures.languages["de"].tokens) == (5, 5)
    assert figures.duplicates.near == sum(row["cluster_size"] for row in rows)
    assert figures.captured == ("2026-10-01", "2026-10-01")
    assert set(COLUMNS) <= set(DOCUMENTS.names) - {"text"}


def test_a_document_without_cluster_stands_for_its_equals(make_batch):
    figures = survey_documents([make_batch(DOCUMENTS, [document(0, cluster_size=None, seen=3)])])
    assert (figures.duplicates.near, figures.duplicates.clustered, figures.duplicates.largest) == (3, 1, 3)


def test_the_table_of_rules_sums_up_what_does_not_fit():
    fates = {f"a{n:02d}": {"kept": 30 - n, "quality_x": n % 2} for n in range(20)}
    table = language_funnel(fates)
    assert (len(table.languages), table.languages[0], table.languages[-1]) == (12, "a00", "others")
    assert sum(table.seen) == sum(sum(each.values()) for each in fates.values())
    assert sum(table.kept) + sum(sum(counts) for _, counts in table.reasons) == sum(table.seen)


def test_excerpts_are_short_and_link_only_to_pages():
    long = document(1, text="word " * 5000 + "\n" * 50, title="t" * 500, url="javascript:alert(1)")
    (found,) = excerpts([long])
    assert (len(found.text), len(found.title), found.url) == (501, 121, "")
    assert len(excerpts(document(n) for n in range(100))) == 12


def test_numbers_of_the_card_are_json_values(make_text_report):
    data = make_text_report()
    for line in card_markdown(data, release_usage(data)).split("---")[1].strip().splitlines():
        json.loads(line.split(": ", 1)[1])
