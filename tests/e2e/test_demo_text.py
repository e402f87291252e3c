"""The demo for text, as a newcomer runs it: from an empty folder, with nothing but the package."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest

from allmende.commoncrawl.source import read_range
from allmende.commoncrawl.warc import read_capture
from allmende.demo.text import DATA
from allmende.schema import Reason

LANGUAGES = {
    "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr", "hu", "it", "nb", "nl", "pl", "pt", "ro", "ru",
    "sl", "sv", "tr", "uk",
}  # fmt: skip
RESERVED = {
    "backstube.example": "the header TDM-Reservation",
    "place-du-marche.example": "a meta element tdm-reservation",
    "costa-antigua.example": "noindex",
    "bottega-del-legno.example": "noai on the page",
    "ijsvereniging.example": "noai in a header",
    "skogsliv.example": "the header Content-Usage",
    "jihoceske-rybniky.example": "robots.txt, for all",
    "miejskie-pszczoly.example": "robots.txt, for AI agents",
    "bairro-alto.example": "Content-Signal in robots.txt",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder in which the demo ran; what it said is in `said`."""
    folder = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "allmende", "demo", "--kind", "text"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "said").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def rows(home):
    """The documents of the release."""
    shards = sorted((home / "demo-text/release/shards").glob("*.parquet"))
    return [row for path in shards for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def steps(home):
    """What `allmende status` tells of each step."""
    command = [sys.executable, "-m", "allmende", "status", "demo-text", "--json"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True)
    return {step["step"]: step for step in json.loads(done.stdout)}


def test_it_tells_where_the_dataset_is_and_what_comes_next(home):
    said = (home / "said").read_text()
    assert "Its report:  demo-text/release/report.html" in said
    assert "Try next:    allmende init german-text.toml --kind text --languages de" in said
    assert "text_near_duplicate" in said
    report = (home / "demo-text/release/report.html").read_text()
    assert "src=" not in report.replace('src="data:', "")


def test_every_page_is_kept_or_has_its_reason(steps, rows):
    dropped = Counter()
    for step in steps.values():
        assert step["parts"] == step["finished"]
        for tally in step["counts"].values():
            assert tally["seen"] == tally["kept"] + sum(tally["dropped"].values())
            dropped.update(tally["dropped"])
    assert len(rows) == steps["release/shards"]["counts"]["document"]["kept"] > 250
    expected = {
        Reason.RECORD_NOT_TEXT,
        Reason.RECORD_HTTP_STATUS,
        Reason.RECORD_EMPTY,
        Reason.TEXT_SHORT,
        Reason.TEXT_GARBLED,
        Reason.TEXT_LANGUAGE,
        Reason.TEXT_DUPLICATE,
        Reason.TEXT_NEAR_DUPLICATE,
        Reason.PERMISSION_DENIED,
    }
    assert expected <= set(dropped)
    quality = {reason for reason in dropped if reason.startswith("quality_")}
    assert {"quality_letter_word_frac", "quality_hash_ratio", "quality_lorem_ipsum", "quality_dup_line_frac"} <= quality
    assert len(quality) > 10


def test_documents_are_in_many_languages(rows):
    found = Counter(row["language"] for row in rows)
    assert set(found) >= LANGUAGES
    assert found["de"] > 15
    ferry = next(row for row in rows if "faehre" in row["url"])
    assert {part["language"] for part in ferry["languages"]} == {"de", "fr", "en"}


def test_words_survive_every_encoding(rows):
    texts = {row["url"]: row["text"] for row in rows}
    base = "https://office-help.example/7.4"
    assert "vyplněny" in texts[f"{base}/cs/text/scalc/guide/calc_series.html"], "undeclared ISO-8859-2"
    assert "ελλείψεων και κύκλων" in texts[f"{base}/el/text/sdraw/guide/draw_sector.html"], (
        "ISO-8859-7, by a meta element"
    )
    assert "пакунок" in texts["https://packaging-guide.example/uk/html/kde.html"], "undeclared windows-1251"
    assert "пакет" in texts["https://packaging-guide.example/ru/html/kde.html"], "KOI8-R, by a header"
    assert "Efter några dagar" in texts["https://gammal-blogg.example/svamp"], "encoded twice"
    assert "\ufffd" not in "".join(texts.values())


def test_how_a_page_is_indented_is_no_part_of_its_text(rows):
    assert [row["url"] for row in rows if row["text"] != row["text"].strip()] == []


def test_of_what_comes_twice_one_stays(rows):
    kept = Counter(urlsplit(row["url"]).path for row in rows if "handbook" in row["url"])
    twice = ["de-DE/stable/sect.why-debian.html", "it-IT/stable/preface.html", "fr-FR/stable/sect.how-to-migrate.html"]
    assert [kept[f"/browse/{path}"] for path in twice] == [1, 1, 1]
    (news,) = [row for row in rows if row["url"].endswith("/lokales/wanderweg.html")]
    assert (news["cluster_size"], news["seen"]) == (6, 1)
    (sauna,) = [row for row in rows if urlsplit(row["url"]).netloc == "jarvenranta.example"]
    assert sauna["seen"] == 3


def test_reservations_are_obeyed(rows):
    hosts = {urlsplit(row["url"]).netloc for row in rows}
    assert {host: how for host, how in RESERVED.items() if host in hosts} == {}
    assert {"harbour-notes.example", "jarvenranta.example", "handbook.example"} <= hosts
    (tides,) = [row for row in rows if row["url"] == "https://harbour-notes.example/tides.html"]
    assert tides["page_license_id"] == "cc-by-4.0"
    assert {row["verdict"] for row in rows} == {"allowed"}


def test_personal_data_is_replaced(rows, steps):
    texts = {urlsplit(row["url"]).netloc: row["text"] for row in rows}
    assert "[EMAIL]" in texts["huerto-comunitario.example"]
    found = [mark for mark in ("[EMAIL]", "[PHONE]", "[IBAN]", "[IPV4]") if mark in texts["ruderverein.example"]]
    assert found == ["[EMAIL]", "[PHONE]", "[IBAN]", "[IPV4]"]
    assert "[CARD]" in texts["chess-club.example"]
    assert steps["pages"]["facts"]["personal_email"] >= 5


def test_lines_that_stand_on_many_pages_of_the_handbook_are_in_none(home, rows, steps):
    facts = steps["documents"]["facts"]
    assert steps["repeated"]["facts"]["hosts"] == 1
    assert facts["repeated_documents"] > 100
    handbook = [row for row in rows if urlsplit(row["url"]).netloc == "handbook.example"]
    assert not [row["url"] for row in handbook if {"Download the ebook", "Anterior"} & set(row["text"].split("\n"))]
    assert {row["repeated_chars"] for row in rows if row not in handbook} == {0}
    assert f"lost {facts['repeated_lines']} of them" in (home / "demo-text/release/README.md").read_text()


def test_provenance_leads_back_to_the_page(rows):
    for row in rows[::40]:
        archive = next(path for path in DATA.rglob(row["warc_file"]) if path.parent.name == "warc")
        capture = read_capture(read_range(str(archive), row["warc_offset"], row["warc_length"]), 10_000_000)
        assert capture.url == row["url"]


def test_a_document_can_be_taken_down(home, rows, tmp_path):
    shutil.copytree(home / "demo-text", tmp_path / "demo-text")
    url = "https://ruderverein.example/kontakt.html"
    command = [sys.executable, "-m", "allmende", "takedown", "demo-text", "--url", url, "--reason", "privacy"]
    subprocess.run([*command, "--ticket", "T-1", "--yes"], cwd=tmp_path, check=True, capture_output=True)
    shards = sorted((tmp_path / "demo-text/release/shards").glob("*.parquet"))
    left = {row for path in shards for row in pq.read_table(path).column("url").to_pylist()}
    assert left == {row["url"] for row in rows} - {url}
