"""Datasets of text with damaged files: every command says which, or counts it; none ends with a foreign error."""

import json
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from allmende.api import tune
from allmende.dataset import Dataset
from allmende.errors import LakeError, RecipeError
from allmende.maintain.diff import compare
from allmende.maintain.recheck import recheck
from allmende.maintain.takedown import take_down
from allmende.maintain.targets import Targets
from allmende.maintain.verify import verify
from allmende.steps.documents import write_documents
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def nothing(path):
    path.write_bytes(b"")


def nonsense(path):
    path.write_bytes(b"nonsense")


def other_columns(path):
    if path.suffix == ".zst":
        path.write_bytes(zstandard.compress(b'{"a": 1}\n'))
    else:
        pq.write_table(pa.table({"a": [1]}), path)


DAMAGES = [cut, nothing, nonsense, other_columns]


@pytest.fixture(params=["parquet", "jsonl"])
def made(request, build_text):
    """Two datasets that differ in a page, with documents of a release."""

    def build(name, pages):
        archive = Archive()
        for number in pages:
            archive.page(f"http://a.example/{number}", page("de", paragraphs("de", number)))
        sections = f'[publish]\nsink = "{request.param}"\n[quality]\nsignals = true\n'
        lake = build_text([archive], sections, name=name)
        write_documents(Dataset(lake))
        return lake

    return build("old", range(3)), build("new", range(1, 4))


def file_of(lake, step):
    (name,) = (
        name
        for m in lake.step(step).manifests()
        for name in m.files
        if name.endswith((".parquet", ".zst")) and "keys" not in name
    )
    return Path(lake.root) / step / name


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_table_of_documents_is_an_error_that_names_it(made, damage):
    lake, _ = made
    path = file_of(lake, "documents")
    damage(path)
    commands = (
        lambda: recheck(lake),
        lambda: take_down(lake, Targets.of(urls=["http://a.example/1"]), dry_run=True),
        lambda: tune(lake.root),
    )
    for command in commands:
        with pytest.raises(LakeError, match=rf"{path.name} (can't be read|lacks)") as caught:
            command()
        assert "allmende verify" in str(caught.value)
    assert verify(lake.root).problems == {"file_size": 1}


@pytest.mark.parametrize("damage", [cut, nothing, nonsense])
def test_a_damaged_table_of_what_stays_is_one_too(made, damage):
    lake, _ = made
    damage(file_of(lake, "near"))
    with pytest.raises(LakeError, match=r"near/part-00000\.parquet can't be read"):
        recheck(lake)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_counted_and_no_release_to_compare_with(made, damage):
    old, new = made
    path = file_of(new, "release/shards")
    damage(path)
    found = verify(new.root).problems
    assert {"file_size", "file_digest", "count"} <= found.keys()
    with pytest.raises(LakeError, match=rf"{path.name}|rows without uid") as caught:
        compare(old.root, new.root)
    assert "allmende verify" in str(caught.value)


def test_manifests_that_lie_are_counted(made):
    lake, _ = made
    path = Path(lake.root) / "release/shards/part-00000.json"
    manifest = json.loads(path.read_bytes())
    manifest["counts"]["document"]["kept"] += 1
    path.write_bytes(msgspec.json.encode(manifest))
    assert verify(lake.root).problems["count"] >= 1


@pytest.mark.parametrize("step", ["documents", "near", "release/shards"])
def test_a_report_on_a_damaged_dataset_is_an_error_that_names_the_file(made, step):
    lake, _ = made
    path = file_of(lake, step)
    sound = path.read_bytes()
    for damage in (nonsense, Path.unlink) if path.suffix == ".zst" else (cut, nothing, nonsense, Path.unlink):
        damage(path)
        with pytest.raises(LakeError, match=rf"{path.name.split('.')[0]}\..+ can't be read: .+allmende verify"):
            write_documents(Dataset(lake))
        path.write_bytes(sound)


def test_a_damaged_note_is_an_error_that_names_it(made):
    lake, _ = made
    for name in ("lists.json", "near/plan.json", "documents/part-00000.json"):
        sound = lake.read(name) if lake.exists(name) else b""
        for content in (b'{"lists"', b"", b"\xff\xfe"):
            lake.write(name, content)
            with pytest.raises(LakeError, match=rf"{name} is damaged .+Delete it"):
                write_documents(Dataset(lake))
        lake.write(name, sound or b'{"lists": []}')
    lake.write("recipe.toml", lake.read("recipe.toml") + b"\xff")
    with pytest.raises(RecipeError, match=r"recipe\.toml is not valid TOML: not UTF-8"):
        Dataset(lake).status()
