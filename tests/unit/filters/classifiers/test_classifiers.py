"""Models that score documents: trained, found, refused."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from allmende.cli.classifier import command
from allmende.errors import RecipeError, SourceMissing
from allmende.filters.classifiers.ngrams import read_arpa
from allmende.filters.classifiers.scorer import Model, digest, load, parse_model
from allmende.filters.classifiers.training import Options, read_labelled, train
from allmende.filters.quality.rule import judge
from allmende.filters.quality.text import Text

GOOD = ["harbour", "morning", "market", "bread", "weather", "school", "river", "bridge", "letter", "garden"]
BAD = ["casino", "bonus", "jackpot", "click", "winner", "cheap", "pills", "viagra", "loans", "crypto"]

ARPA = """
\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.8\t</s>
-0.6\tthe\t-0.3
-0.9\tboat\t-0.2

\\2-grams:
-0.2\t<s> the
-0.3\tthe boat
-0.4\tboat </s>

\\end\\
"""


def labelled(count=400):
    dice = random.Random(0)
    for number in range(count):
        label, words = ("good", GOOD) if number % 2 else ("bad", BAD)
        yield {"label": label, "text": " ".join(dice.choices(words, k=20)) + f" {number}\nand so on"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    (folder / "all.jsonl").write_text("\n".join(map(json.dumps, labelled())))
    report = train([folder / "all.jsonl"], folder / "good.bin", Options(dimensions=8, buckets=1_000))
    return folder / "good.bin", report


def test_a_model_tells_what_it_was_taught(trained):
    path, report = trained
    assert [one.label for one in report.labels] == ["__label__bad", "__label__good"]
    assert all(one.precision > 0.95 and one.recall > 0.95 for one in report.labels)
    assert sum(report.train.values()) + sum(report.valid.values()) == 400
    assert 20 <= sum(report.valid.values()) <= 60
    model = Model(name="good", path=str(path), sha256=report.sha256, label="good", low=0.5)
    scorer = load(model)
    assert scorer.score(" ".join(GOOD)) > 0.8
    assert scorer.score("\n".join(BAD)) < 0.2
    assert 0 <= scorer.score("") <= 1
    assert 0 <= scorer.score("\ud800\x00 \n") <= 1
    outcome = judge(Text(" ".join(BAD), "en"), (model.rule,), signals=True)
    assert outcome.reason == "model:good"
    assert outcome.signals == {"model:good": pytest.approx(scorer.score(" ".join(BAD)))}


def test_the_same_lists_give_the_same_model(trained, tmp_path):
    path, report = trained
    again = train([path.parent / "all.jsonl"], tmp_path / "good.bin", Options(dimensions=8, buckets=1_000))
    assert (again.train, again.labels, again.sha256) == (report.train, report.labels, report.sha256)
    assert json.loads((tmp_path / "good.json").read_text())["sha256"] == report.sha256


def test_weights_are_pinned(trained):
    path, report = trained
    line = f"good = {path} sha256:{report.sha256} label:__label__good >= 0.5"
    found = parse_model(line)
    assert (found.name, found.path, found.label, found.low) == ("good", str(path), "__label__good", 0.5)
    assert parse_model(f"odd = {path} sha256:{report.sha256} <= 3e-2").high == 0.03
    with pytest.raises(RecipeError, match=f"has sha256:{report.sha256}"):
        parse_model(f"good = {path}")
    with pytest.raises(RecipeError, match="is no model"):
        parse_model("good")
    with pytest.raises(SourceMissing, match="can't be read"):
        parse_model(f"good = {path}.gone")
    with pytest.raises(RecipeError, match="other weights"):
        load(Model(name="good", path=str(path), sha256="0" * 64, label="good"))
    with pytest.raises(RecipeError, match="no label 'fine'"):
        load(Model(name="good", path=str(path), sha256=report.sha256, label="fine"))


def test_what_is_no_model_is_refused(tmp_path):
    for name in ("a.bin", "a.arpa", "a.arpa.gz", "a.txt"):
        (tmp_path / name).write_bytes(b"no model")
        with pytest.raises(RecipeError, match=r"a\.(bin|arpa|txt)"):
            load(Model(name="a", path=str(tmp_path / name), sha256=digest(str(tmp_path / name)), label="x"))


def test_perplexity_is_kenlms(tmp_path):
    """Values by hand, with KenLM's rules for backoff."""
    (tmp_path / "a.arpa").write_text(ARPA)
    model = read_arpa(str(tmp_path / "a.arpa"))
    assert model.log_probability(["the", "boat"]) == pytest.approx(-0.2 - 0.3 - 0.4)
    assert model.log_probability(["boat", "the"]) == pytest.approx((-0.5 - 0.9) + (-0.2 - 0.6) + (-0.3 - 0.8))
    assert model.log_probability(["ship"]) == pytest.approx((-0.5 - 1.0) + -0.8)
    assert model.score("the boat\n\nthe boat\n") == pytest.approx(10 ** (1.8 / 6))
    assert model.score(" \n") == float("inf")


def test_lists_of_all_forms_are_read(tmp_path):
    rows = [*labelled(4), {"label": None, "text": "x"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text("__label__good the boat\nno label\n")
    assert list(read_labelled(tmp_path / "a.jsonl")) == list(read_labelled(tmp_path / "a.parquet"))
    assert list(read_labelled(tmp_path / "a.txt")) == [("__label__good", "the boat\n"), ("", "label\n")]
    (tmp_path / "b.jsonl").write_text("{broken\n")
    with pytest.raises(RecipeError, match="can't be read as a list"):
        list(read_labelled(tmp_path / "b.jsonl"))
    with pytest.raises(RecipeError, match="for training"):
        train([tmp_path / "a.txt"], tmp_path / "m.bin", Options())


def test_the_command_prints_a_line_for_the_recipe(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, labelled(100))))
    run = CliRunner().invoke(command, ["train", str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "good.bin")])
    assert run.exit_code == 0, run.output
    line = run.output.rsplit('models = ["', 1)[1].partition('"]')[0]
    assert parse_model(line).sha256 == digest(str(tmp_path / "good.bin"))
    wrong = CliRunner().invoke(command, ["train", str(tmp_path / "a.jsonl"), "--to", str(tmp_path / "good.txt")])
    assert "wants a .bin file" in wrong.output
