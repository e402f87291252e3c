"""Lines that many pages of a host have go from its documents, and nothing else does."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.dedup.repeats import Options
from allmende.schema import DOCUMENTS, PAGES
from allmende.steps import buckets, repeated, row_groups
from allmende.steps.repeated import counting_pages
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs, text_archive

BOTH = ("pages", "repeated", "documents")
LINES = '[repeats]\nunit = "line"\ndocuments = 3\n'
NOTICE = "Dieser Beitrag erschien zuerst am Abend in der Zeitung der Stadt am Fluss."


def site(host="a.example", count=5, extra=(NOTICE,), seed=""):
    """An archive with a site whose pages all have some more paragraphs."""
    archive = Archive()
    for number in range(count):
        text = [*paragraphs("de", f"{host}{seed}{number}"), *extra]
        archive.page(f"http://{host}/{number}", page("de", text))
    return archive


def text_of(dataset, url):
    return next(row for row in dataset.rows("documents").to_pylist() if row["url"] == url)["text"]


def test_a_line_of_a_host_goes_and_stays_where_others_quote_it(text_dataset):
    archive = site()
    archive.page("http://b.example/", page("de", [*paragraphs("de", "b"), NOTICE]))
    archive.page("http://c.example/", page("de", [*paragraphs("de", "c"), NOTICE]))
    dataset = text_dataset([archive], LINES).run(*BOTH)
    rows = dataset.rows("documents")
    assert rows.schema.equals(DOCUMENTS)
    having = {row["url"] for row in rows.to_pylist() if NOTICE in row["text"]}
    assert having == {"http://b.example/", "http://c.example/"}
    by_host = {row["url"]: row["repeated_chars"] for row in rows.to_pylist()}
    assert by_host["http://b.example/"] == 0
    assert by_host["http://a.example/0"] > len(NOTICE)
    facts = dataset.facts("documents")
    assert facts["repeated_documents"] == facts["repeated_lines"] == 5
    assert facts["repeated_chars"] == sum(by_host.values())
    assert facts["page_chars"] == facts["repeated_chars"] + sum(rows["chars"].to_pylist())
    assert dataset.facts("repeated") == {"lines": 1, "hosts": 1}


def test_paragraphs_are_compared_if_asked_for(text_dataset):
    sections = LINES.replace("line", "paragraph") + '[text]\nmin_chars = 1\n[quality]\npreset = "none"'
    archive = Archive()
    for number in range(3):
        body = "\n\n".join([*paragraphs("de", number), "Zwei Zeilen\nals Absatz."])
        archive.response(f"http://a.example/{number}", body.encode(), content_type="text/plain")
    rows = text_dataset([archive], sections).run(*BOTH).rows("documents").to_pylist()
    assert [row["text"] for row in rows] == ["\n\n".join(paragraphs("de", number)) for number in range(3)]


def test_of_markdown_the_same_lines_go(text_dataset):
    sections = LINES + "[text]\nmarkdown = true\n"
    rows = text_dataset([site(count=3)], sections, careful=True).run(*BOTH).rows("documents").to_pylist()
    assert len(rows) == 3
    assert not any(NOTICE in row["markdown"] or NOTICE in row["text"] for row in rows)
    assert all(row["markdown"].startswith("# ") for row in rows)


def test_where_nothing_repeats_two_passes_make_what_one_does(text_dataset):
    archives = [text_archive(number, pages=12) for number in range(2)]
    german = '[text]\nlanguages = ["de"]\n'
    once = text_dataset(archives, german, "once").run("documents")
    twice = text_dataset(archives, german + '[repeats]\nunit = "line"\ndocuments = 1000\n', "twice").run(*BOTH)
    own = ["repeated_chars", "warc_file"]
    rows, others = (dataset.rows("documents").drop_columns(own) for dataset in (once, twice))
    assert rows.equals(others)
    assert set(once.rows("documents")["repeated_chars"].to_pylist()) == {None}
    dropped = dict(twice.tally("pages").dropped)
    for reason, count in twice.tally("documents").dropped.items():
        dropped[reason] = dropped.get(reason, 0) + count
    assert dropped == once.tally("documents").dropped
    assert twice.tally("pages", "record") == once.tally("documents", "record")
    assert twice.tally("pages").kept == twice.tally("documents").seen
    assert not once.lake.exists("pages")


def test_texts_are_judged_without_the_lines(text_dataset):
    menu = [
        f"{word} und {other}" for word in ("Haus", "Stadt", "Kirche") for other in ("Wasser", "Leben", "Garten")
    ] * 3
    rule = '[quality]\nlimits = ["short_line_ratio <= 0.3"]\n'
    archive = site(extra=menu, count=4)
    once = text_dataset([archive], rule, "once").run("documents")
    assert once.tally("documents").kept == 0
    assert text_dataset([archive], LINES + rule, "twice").run(*BOTH).tally("documents").kept == 4


def test_a_page_of_little_else_is_dropped_with_its_own_reason(text_dataset):
    archive = site(extra=[NOTICE] * 3)
    archive.page("http://a.example/short", page("de", ["Ein Satz.", *[NOTICE] * 3]))
    dataset = text_dataset([archive], LINES + '[quality]\npreset = "none"').run(*BOTH)
    assert dataset.tally("documents").dropped == {"text_repeated": 1}
    assert dataset.facts("documents")["de/text_repeated"] == 1


@pytest.mark.parametrize(("url", "expected"), [("http://a.example/same", 1), ("http://a.example/{}", 5)])
def test_a_page_that_was_captured_or_is_found_often_keeps_its_lines(text_dataset, url, expected):
    archive = Archive()
    for number in range(5):
        archive.page(url.format(number), page("de", paragraphs("de", 1)), date=f"2026-10-2{number}T12:00:00Z")
    dataset = text_dataset([archive], LINES).run(*BOTH)
    assert set(dataset.rows("documents")["repeated_chars"].to_pylist()) == {0}
    assert len(set(dataset.rows("documents")["url"].to_pylist())) == expected


def test_however_lines_are_grouped_the_result_is_the_same(text_dataset, monkeypatch):
    archives = [site(f"{name}.example", seed=number) for name in "abc" for number in range(2)]
    whole = text_dataset(archives, LINES).run(*BOTH)
    lines, documents = whole.rows("repeated"), whole.rows("documents")
    monkeypatch.setattr(row_groups, "GROUP_ROWS", 2)
    monkeypatch.setattr(buckets, "HELD_BYTES", 100)
    monkeypatch.setattr(repeated, "LINES_PER_TURN", 4)
    monkeypatch.setattr(repeated, "PAGES_AT_ONCE", 3)
    cut = text_dataset(archives, LINES).run(*BOTH)
    assert cut.rows("repeated").equals(lines)
    assert cut.rows("documents").equals(documents)
    assert len(lines) == 3
    assert len(cut.lake.step("repeated").finished()) == 8


def test_pages_hold_no_personal_data_and_nothing_that_was_taken_down(text_dataset, tmp_path):
    log = TombstoneFolder(str(tmp_path / "log"))
    log.create()
    archive = site(extra=["Fragen beantwortet hans.meier@verein-am-see.de gern."])
    sections = f'{LINES}[safety]\ntombstones = "{tmp_path / "log"}"\n'
    uid = text_dataset([archive], sections).run(*BOTH).rows("documents")["uid"][0].as_py()
    log.append([("url", "http://a.example/1"), ("uid", uid)], "other", "T", "2026-10-21T12:00:00Z")
    dataset = text_dataset([archive], sections).run(*BOTH)
    rows = dataset.rows("pages")
    assert rows.schema.equals(PAGES)
    assert "meier" not in repr(rows.to_pylist())
    assert dataset.facts("pages")["personal_email"] == 4
    assert dataset.tally("pages").dropped == dataset.tally("documents").dropped == {"taken_down": 1}
    assert dataset.tally("documents").kept == 3


keys = st.integers(0, 3)


@given(st.lists(st.tuples(keys, keys, keys), max_size=30))
def test_pages_count_once_for_each_url_and_each_text_of_a_host(rows):
    """As the obvious way says; whatever the order, no host counts a URL or a text twice."""
    urls, texts, expected = set(), set(), []
    for host, url, text in rows:
        expected.append((host, url) not in urls and (host, text) not in texts)
        urls.add((host, url))
        texts.add((host, text))
    hosts = [host for (host, _, _), counts in zip(rows, expected, strict=True) if counts]
    expected = [counts and hosts.count(host) >= 2 for (host, _, _), counts in zip(rows, expected, strict=True)]
    columns = {
        "host_key": [host << 40 for host, _, _ in rows],
        "url_key": [host << 20 | url for host, url, _ in rows],
        "text_key": [text for _, _, text in rows],
    }
    table = pa.table({name: pa.array(values, pa.uint64()) for name, values in columns.items()})
    assert counting_pages(table, Options(documents=2)).tolist() == expected
