"""What the command line says, and its exit code, where a user meets an error."""

import io
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende import cli
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command as `allmende` does; its exit code and what it said."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["allmende", *map(str, arguments)])
        code = cli._run()
        out, err = capsys.readouterr()
        return code, out + err

    return run


@pytest.fixture
def recipe(tmp_path):
    archive = Archive()
    archive.page("http://a.example/", page("de", paragraphs("de", 1)))
    (tmp_path / "a.warc.gz").write_bytes(archive.to_bytes())
    path = tmp_path / "recipe.toml"
    path.write_text(
        f'[dataset]\nname = "set"\nkind = "text"\noutput = "{tmp_path}/set"\n'
        f'[select]\narchives = ["{tmp_path}/a.warc.gz"]\n[text]\ncareful = false\n'
    )
    return path


@pytest.mark.parametrize("name", ["unique/mine.txt", "release/photo.jpg", "documents"])
def test_a_folder_with_files_that_a_build_would_replace_is_refused(run, recipe, tmp_path, name):
    mine = tmp_path / "set" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    code, said = run("build", recipe)
    assert (code, mine.read_text()) == (5, "precious")
    assert f"{tmp_path}/set has no recipe.toml, but {name.partition('/')[0]}, whose files" in said
    assert "Choose another folder (output under [dataset], or --to)" in said


def test_a_bucket_without_credentials_is_an_error_of_the_dataset(run, recipe, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for command in (("build", recipe, "--output", "s3://bucket/set"), ("status", "s3://bucket/set")):
        code, said = run(*command)
        assert code == 5
        assert "s3://bucket/set" in said
        assert "credentials" in said


def test_a_build_leaves_other_files_alone_and_a_take_down_that_is_not_confirmed_all(run, recipe, tmp_path, monkeypatch):
    mine = tmp_path / "set" / "notes" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    assert run("build", recipe)[0] == 0
    assert mine.read_text() == "precious"
    before = {path: path.read_bytes() for path in (tmp_path / "set" / "tombstones").iterdir()}
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    command = ("takedown", tmp_path / "set", "--url", "http://a.example/", "--reason", "privacy", "--ticket", "1")
    code, said = run(*command)
    assert code == 130
    assert "Nothing was changed." in said
    assert {path: path.read_bytes() for path in (tmp_path / "set" / "tombstones").iterdir()} == before


def test_a_recipe_that_cannot_be_written_says_so(run, tmp_path):
    for place in (tmp_path / "nowhere" / "r.toml", tmp_path / "f" / "r.toml"):
        (tmp_path / "f").write_text("a file")
        code, said = run("init", place)
        assert (code, f"{place} can't be written" in said) == (2, True)


def test_a_copy_that_nobody_may_write_to_is_verified_all_the_same(run, recipe, tmp_path):
    assert run("build", recipe)[0] == 0
    copy = tmp_path / "set" / "release"
    (copy / "verify.json").mkdir()  # what a rename can't replace, for root either
    code, said = run("verify", copy)
    assert code == 0
    assert "Nothing is wrong with it." in said
    assert "This report is not kept: Writing" in said
    assert not list(copy.glob(".verify.json*"))


def test_a_model_that_cannot_be_trained_or_written_says_why(run, tmp_path):
    good, table = tmp_path / "good.txt", tmp_path / "table.parquet"
    good.write_text("".join(f"__label__good text {number}\n" for number in range(50)) + "no label\n")
    pq.write_table(pa.table({"text": ["x"]}), table)
    for lists, to, told in (
        ([good], tmp_path / "nowhere" / "m.bin", "its folder is not there"),
        (
            [good],
            tmp_path / "m.bin",
            "1 label(s) are there for training, which takes two labels at least; 1 rows have no",
        ),
        (
            [table],
            tmp_path / "m.bin",
            "table.parquet can't be read as a list of labelled texts: it has no column label",
        ),
    ):
        code, said = run("classifier", "train", *lists, "--to", to)
        assert (code, told in said.replace("\n", " ")) == (2, True), said


def test_an_rdap_service_is_named_by_its_url(run, tmp_path):
    code, said = run("verify", tmp_path, "--online", "--rdap", "rdap.org")
    assert (code, "such as https://rdap.org/, not 'rdap.org'" in said) == (2, True)


def test_a_caption_column_that_is_not_there_stops_a_fetch(run, tmp_path):
    (tmp_path / "u.csv").write_text("url,caption\nhttp://127.0.0.1:9/a.jpg,words\n")
    code, said = run("fetch", tmp_path / "u.csv", "--to", tmp_path / "set", "--caption-column", "txt")
    assert (code, "u.csv has no column 'txt'; it has: url, caption" in said) == (2, True)
