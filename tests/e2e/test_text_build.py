"""Text, as a user builds it: from a recipe to a release."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from allmende.testing.compare import fingerprint
from allmende.testing.text_pages import paragraphs, text_archive


@pytest.fixture
def recipe(allmende):
    """A recipe over three archives, written by `allmende init`."""
    for number in range(3):
        (allmende.home / f"{number}.warc.gz").write_bytes(text_archive(number, pages=24).to_bytes())
    allmende("init", "mine.toml", "--kind", "text", "--languages", "de, fr,pl", "--archives", "*.warc.gz")
    path = allmende.home / "mine.toml"
    text = path.read_text()
    assert "#: extract_seconds = 10.0" in text
    # A busy machine may take longer than that for a page, and two builds would not have the same documents.
    path.write_text(text.replace("#: extract_seconds = 10.0", "extract_seconds = 600.0"))
    return path


def released(folder):
    return [
        row for path in sorted((folder / "release/shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def test_from_a_recipe_to_a_release(allmende, recipe):
    assert 'languages = ["de", "fr", "pl"]' in recipe.read_text()
    plan = allmende("build", recipe, "--dry-run")
    assert "from 3 inputs" in plan
    assert not (allmende.home / "mine").exists()
    told = allmende("build", recipe)
    assert "text_near_duplicate" in told
    rows = released(allmende.home / "mine")
    assert {row["language"] for row in rows} == {"de", "fr", "pl"}
    assert len({row["uid"] for row in rows}) == len(rows) == 61
    assert all(row["text"] and row["seen"] and row["cluster_size"] for row in rows)
    assert "hans.meier" not in repr(rows)
    release = allmende.home / "mine/release"
    manifest = json.loads((release / "manifest.json").read_text())
    assert (manifest["version"], manifest["samples"]) == ("1.0.0", 61)
    assert "61 documents" in (release / "README.md").read_text()
    assert "near-duplicates" in (release / "report.html").read_text()
    status = json.loads(allmende("status", "mine", "--json"))
    assert [step["step"] for step in status] == ["documents", "unique", "near", "release/shards"]
    for step in status:
        for tally in step["counts"].values():
            assert tally["seen"] == tally["kept"] + sum(tally["dropped"].values())
    assert "report.html" in allmende("report", "mine")
    before = fingerprint(allmende.home / "mine")
    allmende("build", recipe)
    assert fingerprint(allmende.home / "mine") == before


def test_another_recipe_redoes_what_it_changes_and_no_more(allmende, recipe):
    text = recipe.read_text().replace("#: signals = false", "signals = true")
    recipe.write_text(text)
    allmende("build", recipe)
    documents = (allmende.home / "mine/documents/part-00000.json").read_bytes()
    recipe.write_text(text.replace("#: limits = []", 'limits = ["word_count >= 100000"]'))
    assert "allmende build --redo" in allmende("build", recipe, code=2)
    assert "quality_word_count" in allmende("build", recipe, "--redo")
    assert (allmende.home / "mine/documents/part-00000.json").read_bytes() == documents
    assert released(allmende.home / "mine") == []
    other = recipe.read_text().replace('kind = "text"', "").replace('sink = "parquet"', "").replace('kind = "warc"', "")
    recipe.write_text(other)
    assert "is a dataset of text" in allmende("build", recipe, code=2)


def test_documents_with_evaluation_sets_are_removed_and_listed(allmende, recipe):
    page, release = "http://s1.example/1/1", allmende.home / "mine/release"
    quiz = allmende.home / "quiz.jsonl"
    quiz.write_text(json.dumps({"question": " ".join(paragraphs("pl", "0/1/1")), "answer": "?"}))
    recipe.write_text(recipe.read_text().replace("#: sets = []", 'sets = ["quiz.jsonl"]'))
    assert "text_contaminated" in allmende("build", recipe)
    left = {row["url"] for row in released(allmende.home / "mine")}
    assert len(left) == 60
    assert page not in left
    listed = pq.read_table(release / "removed_contaminated.parquet").to_pylist()
    assert [row["set"] for row in listed] == ["quiz"]
    assert listed[0]["words"] > 100
    manifest = json.loads((release / "manifest.json").read_text())
    assert "removed_contaminated.parquet" in manifest["files"]
    card = (release / "README.md").read_text()
    assert "| `quiz` | 1 | 0 | 1 | `quiz.jsonl` (" in card
    assert "No text was removed" not in card
    for step in json.loads(allmende("status", "mine", "--json")):
        for tally in step["counts"].values():
            assert tally["seen"] == tally["kept"] + sum(tally["dropped"].values())
    assert "Nothing is wrong with it" in allmende("verify", "mine")
    allmende("takedown", "mine", "--url", page, "--reason", "other", "--ticket", "T-1", "--yes")
    assert pq.read_table(release / "removed_contaminated.parquet").num_rows == 0
    before = fingerprint(allmende.home / "mine")
    allmende("build", recipe)
    assert fingerprint(allmende.home / "mine") == before
    quiz.write_text(json.dumps({"question": "Wer?"}))
    assert "other contents of evaluation sets: quiz" in allmende("build", recipe, code=2)
    documents = (allmende.home / "mine/documents/part-00000.json").read_bytes()
    allmende("build", recipe, "--redo")
    assert (allmende.home / "mine/documents/part-00000.json").read_bytes() == documents
    assert {row["url"] for row in released(allmende.home / "mine")} == left


def test_ctrl_c_stops_a_job_in_the_background_of_a_script_too(allmende, recipe):
    """A shell lets such a job ignore SIGINT, but Daft listens: the build ended with parts missing for no reason."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited
    command = [sys.executable, "-m", "allmende", "build", recipe.name]
    process = subprocess.Popen(command, cwd=allmende.home, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with process:
        while process.poll() is None and "documents" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, "Finished parts are safe" in said) == (130, True), said
    allmende("build", recipe)
    assert released(allmende.home / "mine")


@pytest.mark.slow
def test_killed_builds_end_like_undisturbed_ones(allmende, recipe):
    command = [sys.executable, "-m", "allmende", "build", "mine.toml", "--output"]
    began = time.monotonic()
    allmende("build", recipe, "--output", "whole")
    length = time.monotonic() - began
    kills = 0
    for number, share in enumerate((0.3, 0.5, 0.7, 0.9)):
        process = subprocess.Popen(
            [*command, "killed"],
            cwd=allmende.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(length * share)
        except subprocess.TimeoutExpired:
            (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills
    allmende("build", recipe, "--output", "killed")
    whole, killed = (fingerprint(allmende.home / name) for name in ("whole", "killed"))
    assert {name for name in whole.keys() | killed.keys() if whole.get(name) != killed.get(name)} == {
        "recipe.toml",  # it names the output
        "release/recipe.toml",
    }


def test_what_is_taken_down_goes_from_the_release_and_from_the_lake(allmende, recipe):
    recipe.write_text(recipe.read_text().replace("#: shard_size = 10000", "shard_size = 20"))
    allmende("build", recipe)
    rows = released(allmende.home / "mine")
    gone = rows[0]
    told = allmende("takedown", "mine", "--uid", gone["uid"], "--reason", "other", "--ticket", "T-1", "--yes")
    assert "Version 1.0.0 is now 2.0.0" in told
    left = released(allmende.home / "mine")
    assert [row["uid"] for row in left] == [row["uid"] for row in rows[1:]]
    documents = [
        row
        for path in (allmende.home / "mine/documents").glob("part-*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert gone["text"] not in {row.get("text") for row in documents}
    manifest = json.loads((allmende.home / "mine/release/manifest.json").read_text())
    assert (manifest["samples"], manifest["taken_down"]) == (len(left), 1)
    assert "Nothing is wrong with it" in allmende("verify", "mine")
    judged = json.loads(allmende("recheck", "mine", "--policy", "strict", "--json"))["recheck"]
    assert sum(cost["before"] for cost in judged["languages"].values()) == len(left)
    assert judged["not_kept"] == {"noai": 3}
    before = fingerprint(allmende.home / "mine")
    assert "taken_down" in allmende("build", recipe)
    assert fingerprint(allmende.home / "mine") == before
    assert json.loads((allmende.home / "mine/release/manifest.json").read_text()) == manifest
