"""Lines that repeat on a host, as a user has them taken out of a crawl."""

import json

import pyarrow.parquet as pq
import pytest

from allmende import building, recipe_file
from allmende.engine import Engine
from allmende.errors import RecipeChanged
from allmende.testing.archives import Archive
from allmende.testing.compare import fingerprint
from allmende.testing.text_pages import page, paragraphs

NOTICE = "Dieser Beitrag erschien zuerst am Abend in der Zeitung der Stadt am Fluss."
TWO_PASSES = ["pages", "repeated", "documents", "unique", "near", "release/shards"]


@pytest.fixture
def recipe(allmende):
    """A recipe over two archives: a site whose pages all end with a notice, and two others that quote it."""
    for number in range(2):
        archive = Archive()
        for page_number in range(6):
            text = [*paragraphs("de", f"{number}/{page_number}"), NOTICE]
            archive.page(f"http://site.example/{number}/{page_number}", page("de", text))
        archive.page(f"http://quote{number}.example/", page("de", [*paragraphs("de", f"quote {number}"), NOTICE]))
        (allmende.home / f"{number}.warc.gz").write_bytes(archive.to_bytes())
    allmende("init", "mine.toml", "--kind", "text", "--languages", "de", "--archives", "*.warc.gz")
    path = allmende.home / "mine.toml"
    written = path.read_text()
    assert '#: unit = "off"' in written
    path.write_text(
        written.replace('#: unit = "off"', 'unit = "line"').replace("#: markdown = false", "markdown = true")
    )
    return path


def rows(folder, step):
    return [
        row for path in sorted((folder / step).glob("part-?????.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def released(folder):
    return [
        row for path in sorted((folder / "release/shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def test_a_notice_of_a_site_goes_and_stays_where_it_is_quoted(allmende, recipe):
    home = allmende.home / "mine"
    allmende("build", recipe)
    found = released(home)
    assert len(found) == 14
    quoting = {"http://quote0.example/", "http://quote1.example/"}
    assert {row["url"] for row in found if NOTICE in row["text"]} == quoting
    assert {row["url"] for row in found if NOTICE in row["markdown"]} == quoting
    status = {step["step"]: step for step in json.loads(allmende("status", "mine", "--json"))}
    assert list(status) == TWO_PASSES
    assert status["documents"]["facts"]["repeated_lines"] == 12
    assert "12 repeats taken out of 12 texts" in allmende("status", "mine")
    assert "12 pages lost 12 of them" in (home / "release/README.md").read_text()
    assert "Nothing is wrong with it" in allmende("verify", "mine")
    before = fingerprint(home)
    allmende("build", recipe)
    assert fingerprint(home) == before
    gone = next(row for row in found if row["url"] not in quoting)
    allmende("takedown", "mine", "--uid", gone["uid"], "--reason", "privacy", "--ticket", "T-1", "--yes")
    for step in ("pages", "documents"):
        assert not [
            row for row in rows(home, step) if gone["text"][:100] in (row["text"] or "") or row["url"] == gone["url"]
        ]
    after = fingerprint(home)
    assert "taken_down" in allmende("build", recipe)
    assert fingerprint(home) == after


def test_other_limits_judge_anew_and_no_archive_is_read_again(allmende, recipe, monkeypatch):
    monkeypatch.chdir(allmende.home)
    home, text = allmende.home / "mine", recipe.read_text().replace("#: careful = true", "careful = false")

    def build(text, *, redo=False, output="mine"):
        made = recipe_file.loads(text.replace('#: output = ""', f'output = "{output}"'))
        return building.build(made, Engine(workers=1), redo=redo)

    def redone(text, key):
        with pytest.raises(RecipeChanged, match=key):
            build(text)
        build(text, redo=True)

    build(text)
    pages = {path.name: path.stat().st_mtime_ns for path in (home / "pages").iterdir()}
    redone(text.replace("#: documents = 10", "documents = 13"), "repeats.documents: 10 → 13")
    assert {path.name: path.stat().st_mtime_ns for path in (home / "pages").iterdir()} == pages
    assert all(NOTICE in row["text"] for row in released(home))
    off = text.replace('unit = "line"', 'unit = "off"')
    redone(off, "repeats.unit")
    assert not [*(home / "pages").glob("*"), *(home / "repeated").glob("*")]
    build(off, output="fresh")
    once, fresh = (
        {(row["url"], row["text"], row["repeated_chars"]) for row in released(allmende.home / name)}
        for name in ("mine", "fresh")
    )
    assert once == fresh
    redone(text, "repeats.unit")
    assert sum(NOTICE in row["text"] for row in released(home)) == 2
