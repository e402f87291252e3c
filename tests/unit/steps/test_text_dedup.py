"""Duplicates of documents, and their release."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from allmende.errors import RecipeError
from allmende.steps import release_texts, row_groups, unique_texts
from allmende.steps.near import cluster_sizes
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs, text_archive

ALL = ("documents", "unique", "near", "release/shards")
LATER = ("documents", "earlier", *ALL[1:])
GERMAN = '[text]\nlanguages = ["de"]\n'


def pages(*texts, dates=None, language="de"):
    archive = Archive()
    for number, text in enumerate(texts):
        date = dates[number] if dates else "2026-10-21T12:00:00Z"
        archive.page(f"http://a.example/{number}", page(language, text), date=date)
    return archive


def nearly(text):
    return [*text[:-1], f"{text[-1]} Das ist neu."]


def test_of_equal_texts_the_one_captured_first_stays(text_dataset):
    text = paragraphs("de", 1)
    folded = [text[0], *(line.replace("straße", "STRASSE") for line in text[1:])]
    dates = [f"2026-10-{day}T12:00:00Z" for day in (21, 19, 20)]
    dataset = text_dataset([pages(text, text, folded, dates=dates)]).run(*ALL)
    released = dataset.released()
    assert [(row["url"], row["seen"], row["cluster_size"]) for row in released] == [("http://a.example/1", 3, 3)]
    assert dataset.tally("unique").dropped == {"text_duplicate": 2}


def test_of_a_cluster_one_stays_and_counts_all(text_dataset):
    text = paragraphs("de", 1)
    archive = pages(text, text, nearly(text), paragraphs("de", 2))
    dataset = text_dataset([archive]).run(*ALL)
    released = {row["url"]: row for row in dataset.released()}
    assert sorted(row["cluster_size"] for row in released.values()) == [1, 3]
    assert dataset.tally("near").dropped == {"text_near_duplicate": 1}
    assert dataset.facts("near")["clusters"] == 1
    everything = text_dataset([archive], "[near_duplicates]\nremove = false", "all").run(*ALL)
    assert sorted(row["cluster_size"] for row in everything.released()) == [1, 3, 3]
    nothing = text_dataset([archive], "[near_duplicates]\nbands = 0", "none").run(*ALL)
    assert sorted(row["cluster_size"] for row in nothing.released()) == [1, 1, 2]


def test_languages_are_compared_only_with_themselves_unless_told_otherwise(text_dataset):
    common, other = paragraphs("de", "common", 5), paragraphs("fr", "other", 8)
    rules = '[quality]\npreset = "none"\n[text]\nmin_language_score = 0\n[near_duplicates]\nngram = 1\nbands = 64\nrows = 1\n'
    archive = pages([*common, *other], [*common, *common[:1]])
    within = text_dataset([archive], rules, "within").run(*ALL)
    across = text_dataset([archive], rules + 'within = "all"', "across").run(*ALL)
    assert {row["language"] for row in within.released()} == {"de", "fr"}
    assert (len(within.released()), len(across.released())) == (2, 1)


def test_the_result_does_not_depend_on_how_archives_are_grouped(text_dataset):
    archives = [text_archive(n, pages=8) for n in range(4)]
    apart = text_dataset(archives, GERMAN, "set").run(*ALL)
    together = text_dataset(archives, GERMAN + "[run]\nmax_parts = 1", "set2")
    together.recipe = apart.recipe.__class__(
        **{f: getattr(apart.recipe, f) for f in apart.recipe.__struct_fields__ if f != "run"}, run=together.recipe.run
    )
    together.run(*ALL)
    assert len(together.lake.step("documents").manifests().__next__().files) == 2
    kinds = ("uid", "seen", "cluster_size", "text", "url")
    assert [[row[k] for k in kinds] for row in together.released()] == [
        [row[k] for k in kinds] for row in apart.released()
    ]


def test_what_earlier_datasets_have_goes(text_dataset):
    text, other = paragraphs("de", 1), paragraphs("de", 2)
    first = text_dataset([pages(text)], name="first").run(*ALL)
    archive = pages(text, nearly(text), other)
    later = text_dataset([archive], f'[dedup]\nearlier = ["{first.lake.root}"]', "later").run(*LATER)
    assert [row["url"] for row in later.released()] == ["http://a.example/2"]
    assert later.tally("unique").dropped == {"text_duplicate_earlier": 1}
    assert later.tally("near").dropped == {"text_near_duplicate_earlier": 1}


@pytest.mark.parametrize("sink", ["parquet", "jsonl"])
@pytest.mark.parametrize("bands", [14, 0])
def test_a_release_means_the_same_as_the_folder_of_its_build(text_dataset, sink, bands):
    archives = [text_archive(n, pages=12) for n in range(4)]
    sections = f'[publish]\nsink = "{sink}"\n[near_duplicates]\nremove = false\n'
    first = text_dataset(archives[:2], sections, "first").run(*ALL)
    near = f"[near_duplicates]\nbands = {bands}\n"
    one, other = (
        text_dataset(archives[1:], f'[dedup]\nearlier = ["{first.lake.url(folder)}"]\n{near}', name).run(*LATER)
        for folder, name in (("", "one"), ("release", "other"))
    )
    assert [row["uid"] for row in one.released()] == [row["uid"] for row in other.released()]
    for step in ("unique", "near"):
        assert one.tally(step).dropped == other.tally(step).dropped
    assert one.tally("unique").dropped["text_duplicate_earlier"] > 0
    assert ("text_near_duplicate_earlier" in one.tally("near").dropped) == (bands > 0)
    assert (one.tally("earlier", "text").kept, other.tally("earlier", "text").kept) == (0, first.tally("near").kept)


def test_an_earlier_dataset_must_have_texts_and_the_same_signatures(text_dataset, tmp_path):
    first = text_dataset([pages(paragraphs("de", 1))], name="first").run(*ALL)
    (tmp_path / "empty").mkdir()
    for root, near, message in (
        (tmp_path / "empty", "", "no table with a text_key"),
        (first.lake.root, "rows = 4", "other ngram"),
    ):
        sections = f'[dedup]\nearlier = ["{root}"]\n[near_duplicates]\n{near}'
        with pytest.raises(RecipeError, match=message):
            text_dataset([pages(paragraphs("de", 1))], sections, "later").run(*LATER)


def test_a_text_too_short_for_a_signature_is_near_to_none(text_dataset):
    rules = '[text]\nmin_chars = 1\nmin_language_score = 0\n[quality]\npreset = "none"\n[near_duplicates]\nngram = 50'
    dataset = text_dataset([pages(["Ein kurzer Text der Stadt."], ["Ein kurzer Text der Kirche."])], rules).run(*ALL)
    assert len(dataset.released()) == 2


def test_shards_are_filled_in_order_and_have_all(text_dataset):
    dataset = text_dataset([text_archive(n, pages=12) for n in range(2)], "[publish]\nshard_size = 4")
    dataset.run(*ALL)
    released = dataset.released()
    assert len(dataset.lake.step("release/shards").finished()) > 4
    assert [row["order_key"] for row in released] == sorted(row["order_key"] for row in released)
    assert len(released) == dataset.tally("near").kept == dataset.tally("release/shards").kept
    assert "image" not in released[0]


def test_large_datasets_are_shuffled_group_by_group(text_dataset, monkeypatch):
    monkeypatch.setattr(release_texts, "GROUP_BYTES", 12_000)
    monkeypatch.setattr(row_groups, "GROUP_ROWS", 3)
    monkeypatch.setattr(unique_texts, "ROW_GROUP", 2)
    dataset = text_dataset([text_archive(n, pages=12) for n in range(3)], GERMAN).run(*ALL)
    plan = dataset.lake.step("release/shards").read_plan()
    assert len(plan.parts) == 3
    file = pq.ParquetFile(dataset.lake.at(dataset.lake.step("documents").files()[0]))
    assert max(file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)) == 3
    assert len({row["uid"] for row in dataset.released()}) == dataset.tally("near").kept


def test_what_was_taken_down_stays_out(text_dataset, tmp_path):
    log = TombstoneFolder(str(tmp_path / "log"))
    log.create()
    archive = pages(paragraphs("de", 1), paragraphs("de", 2), paragraphs("de", 3))
    archive.page("http://www.b.example/", page("de", paragraphs("de", 4)))
    sections = f'[safety]\ntombstones = "{tmp_path / "log"}"\n'
    log.append([("url", "http://a.example/1")], "other", "T", "2026-10-21T12:00:00Z")
    dataset = text_dataset([archive], sections).run("documents")
    assert dataset.tally("documents").dropped == {"taken_down": 1}
    uid = next(row["uid"] for row in dataset.rows("documents").to_pylist() if row["url"].endswith("/2"))
    log.append([("uid", uid), ("domain", "b.example")], "other", "T", "2026-10-21T12:00:00Z")
    dataset.run("unique", "near", "release/shards")
    assert [row["url"] for row in dataset.released()] == ["http://a.example/0"]
    assert dataset.tally("release/shards").dropped == {"taken_down": 2}


def test_cluster_sizes_count_equal_texts():
    own, seen = np.array([0, 0, 2, -1]), np.array([2, 3, 1, 7])
    assert cluster_sizes(own, seen).tolist() == [5, 5, 1, 7]
