import msgspec
import pytest

from allmende import recipe_file
from allmende.building import build, outlook
from allmende.cli import init
from allmende.errors import RecipeError
from allmende.steps.recipe_check import check

IMAGES = """
[dataset]
name = "set"
output = "{output}"
[select]
archives = ["nowhere/x.wat.gz"]
"""
TEXT = IMAGES.replace('"set"', '"set"\nkind = "text"').replace("wat", "warc")

WRONG = [
    (IMAGES + '[captions]\nlanguages = ["german", "xx"]', r"captions.languages: german \(de\?\), xx can't .* af, am"),
    (IMAGES + '[publish]\nsink = "nosuch"', "no such sink. Installed: files, jsonl, parquet, webdataset"),
    (TEXT + '[text]\nlanguages = ["French"]', r"'French' is none that can be identified \(fr\?\). There are: aa"),
    (TEXT + '[text]\nlanguages = ["en"]\n[quality]\npreset = "fineweb"\n[publish]\nsink = "zip"', "no such sink"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_would_stop_a_build_later_stops_it_before_anything_is_read(tmp_path, text, message):
    recipe = recipe_file.loads(text.replace("{output}", str(tmp_path / "set")))
    for ask in (check, build, outlook):
        with pytest.raises(RecipeError, match=message):
            ask(recipe)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    "name", ["..", "../set", "lab/cats", "/set", "~set", ".set", "s3://set", "data:set", "a\\b", "a\0"]
)
def test_a_name_that_leads_elsewhere_needs_an_output(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    recipe = recipe_file.loads(TEXT.replace('output = "{output}"', ""))
    named = msgspec.structs.replace(recipe, dataset=msgspec.structs.replace(recipe.dataset, name=name))
    for ask in (check, build, outlook):
        with pytest.raises(RecipeError, match=r"can't be the name of the dataset's folder.*output = "):
            ask(named)
    assert not list(tmp_path.iterdir())
    check(msgspec.structs.replace(named, dataset=msgspec.structs.replace(named.dataset, output="elsewhere")))


@pytest.mark.parametrize("name", ["set", "Katzen & Hunde 2026.1", "Grün", "v1..2"])
def test_other_names_are_names_of_folders(name):
    check(recipe_file.loads(TEXT.replace('"set"', f'"{name}"', 1).replace('output = "{output}"', "")))


@pytest.mark.parametrize("kind", ["images", "text"])
def test_init_refuses_a_language_that_nobody_identifies(tmp_path, kind):
    place = tmp_path / "recipe.toml"
    with pytest.raises(RecipeError, match=r"\(de\?\).*"):
        init.command.main([str(place), "--kind", kind, "--languages", "german,xx"], standalone_mode=False)
    assert not place.exists()
    init.command.main([str(place), "--kind", kind, "--languages", "de,fr"], standalone_mode=False)
    assert place.exists()
