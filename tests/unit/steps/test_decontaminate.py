"""Evaluation sets in documents, and the list of what was removed."""

import gzip
import hashlib
import json

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.errors import RecipeChanged, RecipeError, SourceError
from allmende.recipe import Decontamination
from allmende.steps import decontaminate
from allmende.steps.decontaminate import evaluation_sets, prepare, publish_removed
from allmende.steps.tombstone_folder import TombstoneFolder
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

ALL = ("documents", "decontaminated", "unique", "near", "release/shards")
IN_SET, IN_BOTH, CLEAN = (paragraphs("de", n) for n in range(3))


@pytest.fixture
def sets(tmp_path):
    """Two sets in three files."""
    quiz = [{"question": " ".join(text[1].split()[:20]), "answer": "42"} for text in (IN_SET, IN_BOTH)]
    lines = "\n".join(json.dumps(row) for row in [*quiz, {"question": "Zu kurz?"}])
    (tmp_path / "quiz.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    (tmp_path / "exam").mkdir()
    pq.write_table(pa.table({"q": [IN_BOTH[3].upper()]}), tmp_path / "exam/test.parquet")
    (tmp_path / "exam/dev.txt").write_text("Was nirgends steht.\n\nUnd noch etwas.")
    return [tmp_path / name for name in ("quiz.jsonl.gz", "exam/test.parquet", "exam/dev.txt")]


@pytest.fixture
def make(text_dataset, sets):
    archives = [Archive(), Archive()]
    for number, text in enumerate((IN_SET, IN_BOTH, CLEAN)):
        archives[number % 2].page(f"http://h{number}.example/", page("de", text))

    def dataset(keys="", more="", name="set"):
        made = text_dataset(archives, f"[decontamination]\nsets = {[str(path) for path in sets]}\n{keys}\n{more}", name)
        prepare(made.lake, made.recipe)
        return made

    return dataset


def listed(dataset):
    publish_removed(dataset.lake, dataset.recipe)
    return pq.read_table(dataset.lake.at(decontaminate.PUBLISHED))


def test_documents_with_a_run_of_a_set_go_and_are_listed(make, sets):
    dataset = make().run(*ALL)
    assert [row["url"] for row in dataset.released()] == ["http://h2.example/"]
    tally = dataset.tally("decontaminated")
    assert (tally.seen, tally.kept, tally.dropped) == (3, 1, {"text_contaminated": 2})
    assert dataset.tally("unique").seen == 1
    table = listed(dataset)
    urls = {row["uid"]: row["url"] for row in dataset.rows("documents").to_pylist()}
    told = sorted((urls[row["uid"]], row["set"], row["words"] >= 13) for row in table.to_pylist())
    assert told[0] == ("http://h0.example/", "quiz", True)
    assert {(url, name) for url, name, _ in told[1:]} == {
        ("http://h1.example/", "exam/test"),
        ("http://h1.example/", "quiz"),
    }
    assert table.column("uid").to_pylist() == sorted(table.column("uid").to_pylist())
    known = {one.name: one for one in evaluation_sets(dataset.lake)}
    assert {name: (one.examples, one.short, one.contaminated) for name, one in known.items()} == {
        "exam/dev": (2, 2, 0),
        "exam/test": (1, 0, 1),
        "quiz": (3, 1, 2),
    }
    assert known["quiz"].files == (("quiz.jsonl.gz", hashlib.sha256(sets[0].read_bytes()).hexdigest()),)
    noted = json.loads(table.schema.metadata[b"evaluation_sets"])
    assert [one["name"] for one in noted] == ["exam/dev", "exam/test", "quiz"]


def test_runs_can_be_longer_and_more_of_them_asked_for(make):
    assert make("ngram = 40", name="long").run(*ALL).tally("decontaminated").kept >= 2
    assert make("least = 9", name="many").run(*ALL).tally("decontaminated").kept == 2


def test_the_list_does_not_name_what_was_taken_down(make, tmp_path):
    log = TombstoneFolder(str(tmp_path / "log"))
    log.create()
    dataset = make(more=f'[safety]\ntombstones = "{tmp_path / "log"}"\n').run(*ALL)
    assert len(set(listed(dataset).column("uid").to_pylist())) == 2
    log.append([("url", "http://h0.example/")], "other", "T", "2026-10-21T12:00:00Z")
    assert set(listed(dataset).column("set").to_pylist()) == {"exam/test", "quiz"}
    log.append([("domain", "h1.example")], "other", "T", "2026-10-21T12:00:00Z")
    assert len(listed(dataset)) == 0


def test_other_contents_of_a_set_need_redo(make, sets):
    dataset = make().run(*ALL)
    prepare(dataset.lake, dataset.recipe)
    before = dataset.lake.read(decontaminate.RECORD)
    sets[2].write_text("Ein anderer Absatz.")
    with pytest.raises(RecipeChanged, match="exam/dev"):
        prepare(dataset.lake, dataset.recipe)
    assert dataset.lake.read(decontaminate.RECORD) == before
    with pytest.raises(SourceError, match="files changed"):
        dataset.run("decontaminated")
    prepare(dataset.lake, dataset.recipe, redo=True)
    plans = {name: dataset.lake.step(name).read_plan() is not None for name in ALL}
    assert plans == {name: name == "documents" for name in ALL}
    assert len(dataset.run(*ALL[1:]).released()) == 1


def test_who_names_no_set_any_more_publishes_no_list(make):
    dataset = make().run(*ALL)
    listed(dataset)
    recipe = msgspec.structs.replace(dataset.recipe, decontamination=Decontamination())
    prepare(dataset.lake, recipe)
    publish_removed(dataset.lake, recipe)
    assert not dataset.lake.exists(decontaminate.PUBLISHED)
    assert evaluation_sets(dataset.lake) == ()


@pytest.mark.parametrize(
    ("name", "error"), [("quiz.csv", RecipeError), ("missing.jsonl", SourceError), ("broken.jsonl", SourceError)]
)
def test_what_is_no_set_stops_a_build_before_it_begins(text_dataset, tmp_path, name, error):
    (tmp_path / "broken.jsonl").write_text("{")
    dataset = text_dataset([Archive()], f'[decontamination]\nsets = ["{tmp_path / name}"]\n')
    with pytest.raises(error, match=name):
        prepare(dataset.lake, dataset.recipe)
