import msgspec
import pytest

from allmende import recipe_file
from allmende.errors import RecipeError
from allmende.recipe import Recipe

GOOD = """
[dataset]
name = "a"
[select]
archives = ["x.warc.gz"]
"""

TEXT = """
[dataset]
name = "a"
kind = "text"
[select]
archives = ["x.warc.wet.gz"]
kind = "wet"
"""


def test_a_resolved_recipe_reads_back_as_itself():
    recipe = recipe_file.loads(GOOD)
    assert recipe_file.loads(recipe_file.dumps(recipe)) == recipe


def test_the_template_is_a_valid_recipe_and_shows_every_key():
    text = recipe_file.template("mine", {"select": {"crawl": "CC-MAIN-2026-43", "files": 10}})
    assert recipe_file.loads(text).select.files == 10
    uncommented = text.replace("#: ", "")
    for key in recipe_file.all_keys("images"):
        assert f"\n{key.name} = " in uncommented
        assert key.description in text
    # The defaults it shows are the defaults.
    shown = recipe_file.loads(uncommented.replace('name = ""', 'name = "mine"'))
    assert shown == recipe_file.loads(text)


def test_the_template_names_the_values_that_a_key_may_have():
    text = recipe_file.template("mine", {})
    assert '# ai.txt (Spawning). ("preset" | "deny" | "allow" | "ignore")\n#: ai_txt = "preset"\n' in text
    assert 'needs a figcaption. (list of "alt" | "figcaption" | ' in text
    assert "# Target size in pixels, for `mode`. (≥ 1)\n" in text


def test_the_template_for_text_shows_what_counts_for_text():
    text = recipe_file.template("mine", {"dataset": {"kind": "text"}, "select": {"crawl": "CC-MAIN-2026-43"}})
    recipe = recipe_file.loads(text)
    assert (recipe.dataset.kind, recipe.select.kind, recipe.publish.sink) == ("text", "warc", "parquet")
    uncommented = text.replace("#: ", "")
    assert recipe_file.loads(uncommented.replace('name = ""', 'name = "mine"')) == recipe
    shown = {line[1:-1] for line in text.splitlines() if line.startswith("[")}
    assert {"text", "quality", "near_duplicates"} <= shown
    assert shown.isdisjoint({"images", "captions", "urls", "fetch"})
    assert "max_caption_seen" not in text


def test_text_reads_back_as_itself_and_keeps_what_it_is_told():
    recipe = recipe_file.loads(TEXT + '[publish]\nsink = "mine"')
    assert (recipe.select.kind, recipe.publish.sink) == ("wet", "mine")
    assert recipe_file.loads(recipe_file.dumps(recipe)) == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dataset", "not valid TOML"),
        ("x = 1", r"\[x\]: no such key. There are: dataset, select"),
        (GOOD + "[images]\nsize = 0", r"line 7: \[images\] size: Expected `int` >= 1"),
        (GOOD + "[images]\n\nsizee = 3", r"line 8: \[images\] sizee: no such key. There are: size, mode"),
        ("[select]\ncrawl = 'c'", r"\[dataset\] lacks a name"),
        ("[dataset]\nname = 'a'", "names no input"),
        (GOOD + "crawl = 'CC'", "names crawl and archives"),
        (GOOD + "[captions]\nlanguages = ['de', 3]", r"line 7: \[captions\] languages\[1\]"),
        (GOOD + "[captions]\nmin_words = 9\nmax_words = 3", "min_words is above max_words"),
        (GOOD + "[images]\nformat = 'png'", "compression level"),
        (GOOD + "kind = 'wet'", "has no images"),
        (TEXT.replace("wet", "wat"), "has no text"),
        (TEXT.replace("archives", "urls"), "urls names images"),
        (TEXT + "[publish]\nsink = 'files'", "is for images"),
        (TEXT + "[text]\nmin_chars = 9\nmax_chars = 3", "min_chars is above max_chars"),
        (GOOD + "[urls]\nblocked = ['(']", "no regular expression"),
    ],
)
def test_errors_say_what_is_wrong_and_where(text, message):
    with pytest.raises(RecipeError, match=message):
        recipe_file.loads(text)


def test_a_missing_recipe_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(RecipeError, match="allmende init"):
        recipe_file.load(tmp_path / "none.toml")


def test_the_digest_ignores_what_it_is_told_to_ignore():
    recipe = recipe_file.loads(GOOD)
    slower = msgspec.structs.replace(recipe, fetch=msgspec.structs.replace(recipe.fetch, per_host=1))
    keys = {"fetch": frozenset({"per_host"})}
    assert recipe_file.digest(recipe, keys) == recipe_file.digest(slower, keys)
    assert recipe_file.digest(recipe, {"fetch": frozenset()}) != recipe_file.digest(slower, {"fetch": frozenset()})
    assert recipe_file.changed_keys(recipe, slower) == ["fetch.per_host: 4 → 1"]


def test_settings_of_the_fetch_command_reach_the_recipe():
    chosen = {
        "url_column": "u",
        "caption_column": "c",
        "size": 512,
        "mode": "no",
        "image_format": "png",
        "quality": None,
        "sink": "files",
        "contact": "",
    }
    recipe = recipe_file.from_table(
        ["u.csv"], "out/", chosen, ["images.min_side=200", "fetch.ports=[80, 8080]", "dataset.license=mit"]
    )
    assert (recipe.images.min_side, recipe.fetch.ports, recipe.dataset.license) == (200, (80, 8080), "mit")
    assert (recipe.images.quality, recipe.dataset.name, recipe.select.urls) == (6, "out", ("u.csv",))
    with pytest.raises(RecipeError, match=r"the arguments: \[images\] sizee: no such key. There are: size"):
        recipe_file.from_table(["u.csv"], "out/", chosen, ["images.sizee=3"])
    with pytest.raises(RecipeError, match=r"section\.key=value"):
        recipe_file.from_table(["u.csv"], "out/", chosen, ["nonsense"])


def test_every_section_has_a_description():
    assert all(kind.__doc__ for kind in (field.type for field in msgspec.structs.fields(Recipe)))
