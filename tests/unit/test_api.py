import inspect
import io
from importlib.resources import files

import pyarrow as pa
import pytest

import allmende
from allmende.api import FUNCTIONS
from allmende.cli import COMMANDS
from allmende.errors import LakeError, RecipeError
from allmende.schema import CANDIDATES
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs

ARCHIVES = str(files("allmende.demo") / "data" / "crawl-data" / "*" / "segments" / "*" / "wat" / "*.gz")


def test_archives_are_a_dataframe():
    frame = allmende.candidates(ARCHIVES)
    assert frame.column_names == CANDIDATES.names
    german = frame.where("language = 'de'").select("url", "caption", "warc_offset")
    assert german.count_rows() > 100
    assert pa.types.is_int64(german.to_arrow().schema.field("warc_offset").type)


def test_a_recipe_decides_which_captions_pass():
    text = f'[dataset]\nname = "few"\n[select]\narchives = ["{ARCHIVES}"]\n[captions]\nlanguages = ["pl"]'
    assert {row["language"] for row in allmende.candidates(allmende.loads(text)).to_pylist()} == {"pl"}


def test_every_command_has_its_function():
    assert FUNCTIONS.keys() == COMMANDS.keys()
    for name in (name for names in FUNCTIONS.values() for name in names):
        assert name in allmende.__all__
        assert inspect.isfunction(getattr(allmende, name)), f"{name} is hidden by a module of this name"
        assert inspect.getdoc(getattr(allmende, name))


@pytest.fixture(scope="module")
def text_set(tmp_path_factory):
    """A dataset of two documents, by path."""
    folder = tmp_path_factory.mktemp("api")
    archive = Archive()
    for number in range(2):
        archive.page(f"http://a{number}.example/", page("de", paragraphs("de", number)))
    (folder / "a.warc.gz").write_bytes(archive.to_bytes())
    path = allmende.init(folder / "set.toml", kind="text", archives=[str(folder / "a.warc.gz")], languages=["de"])
    recipe = path.read_text().replace("#: signals = false", "signals = true")
    path.write_text(recipe.replace('#: output = ""', f'output = "{folder}/set"'))
    assert allmende.build(allmende.load(path)).documents().count_rows() == 2
    return folder / "set"


def test_what_commands_do_functions_do(text_set):
    assert all(step.finished == step.parts for step in allmende.status(text_set))
    assert any(name.endswith("report.html") for name in allmende.report(text_set))
    assert allmende.verify(text_set).sound
    assert allmende.diff(str(text_set), str(text_set)).samples_old == allmende.tune(text_set)[0].kept
    assert allmende.describe(str(text_set)).kind == "Allmende dataset"
    denied = io.StringIO()
    assert allmende.recheck(text_set, "strict", signals={"tdmrep": "allow"}, denied=denied).denied == 0
    targets = allmende.Targets.of(urls=["http://a0.example/"])
    assert allmende.takedown(text_set, targets, reason="privacy", ticket="1", dry_run=True).samples == 1
    assert [crawl.id for crawl in allmende.crawls(str(files("allmende.demo") / "data"))] == ["CC-MAIN-2026-99"]


def test_errors_of_functions_are_those_of_commands(text_set, tmp_path):
    with pytest.raises(RecipeError, match="dataset of text: nothing of it was requested"):
        allmende.retry(text_set, ["timeout"])
    with pytest.raises(LakeError, match="No dataset at"):
        allmende.retry(str(tmp_path), ["timeout"])
    with pytest.raises(RecipeError, match="exists"):
        allmende.init(text_set.parent / "set.toml")
    for function in (allmende.apply_patch, allmende.verify_patch):
        with pytest.raises(allmende.AllmendeError, match="patch"):
            function(text_set / "release", tmp_path / "none.patch")
