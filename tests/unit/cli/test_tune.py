"""`allmende tune` on a dataset with stored values."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from allmende import recipe_file
from allmende.cli.tune import command
from allmende.errors import RecipeError
from allmende.lake import Lake
from allmende.parts import Plan, Tally
from allmende.schema import DOCUMENTS

RECIPE = '[dataset]\nkind = "text"\nname = "mine"\n[select]\narchives = ["a.warc.gz"]\n[quality]\nsignals = {}\n'


@pytest.fixture
def dataset(tmp_path):
    """Three German documents in two parts: one stays, one is short, one repeats itself and is short."""

    def make(signals="true"):
        lake = Lake(tmp_path)
        lake.write("recipe.toml", recipe_file.dumps(recipe_file.loads(RECIPE.format(signals))).encode())
        values = [
            {"word_count": 80.0, "dup_line_frac": 0.1},
            {"word_count": 40.0},
            {"word_count": 30.0, "dup_line_frac": 0.9},
        ]
        step = lake.step("documents")
        step.write_plan(Plan(step="documents", digest="d", parts={"00000": {}, "00001": {}}))
        for name, part_values in {"00000": values[:2], "00001": values[2:]}.items():
            row = dict.fromkeys(DOCUMENTS.names)
            rows = [row | {"language": "de", "chars": 100, "quality": list(found.items())} for found in part_values]
            with step.part(name, "d") as part:
                pq.write_table(pa.Table.from_pylist(rows, DOCUMENTS), part.file(".parquet"))
                part.commit({"document": Tally(seen=len(rows), kept=len(rows))}, {})
        return str(tmp_path)

    return make


def run(*arguments):
    found = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_it_tells_what_each_rule_does(dataset):
    told = run(dataset()).output
    assert "de: 1 of 3 documents stay (33.3 %), 33.3 % of their characters" in told
    assert [line.split()[1:6] for line in told.splitlines() if line.startswith("  word_count")] == [
        ["50", "..", "100,000", "66.7", "%"]
    ]


def test_it_tells_what_other_thresholds_would_keep(dataset):
    folder = dataset()
    found = json.loads(run(folder, "--rule", "word_count", "--at", "20,40,90", "--json").output)
    (german,) = found["languages"]
    assert [(at["value"], at["by_rule"], at["by_all"]) for at in german["at"]] == [(20, 3, 2), (40, 2, 2), (90, 0, 0)]
    assert "66.7 %" in run(folder, "--rule", "word_count", "--at", "40").output
    changed = json.loads(
        run(folder, "--limit", "word_count >= 30", "--limit", "de: dup_line_frac <= 1", "--json").output
    )
    assert changed["languages"][0]["kept"] == 3


def test_what_can_not_be_told_is_said(dataset):
    folder = dataset()
    assert "No rule 'best'" in run(folder, "--rule", "best", "--at", "1").output
    assert "go together" in run(folder, "--rule", "word_count").output
    assert "wants numbers" in run(folder, "--rule", "word_count", "--at", "few").output
    with pytest.raises(RecipeError, match="c4 measures otherwise than fineweb-2"):
        run(folder, "--preset", "c4")


def test_a_dataset_without_stored_values_is_refused(dataset):
    with pytest.raises(RecipeError, match="no stored values"):
        run(dataset("false"))


def test_a_preset_without_thresholds_for_a_language_keeps_nothing_of_it(dataset):
    told = run(dataset(), "--preset", "gopher").output
    assert "de: 0 of 3 documents stay" in told
    assert "the preset has no thresholds for this language" in told


def test_what_is_not_there_is_told(dataset):
    folder = dataset()
    assert "No documents in fr. There are: de." in run(folder, "--language", "fr").output
    with pytest.raises(RecipeError, match="No preset"):
        run(folder, "--preset", "nonsense")
