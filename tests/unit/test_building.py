import gzip
import shutil
from importlib.resources import files

import pytest

from allmende import recipe_file
from allmende.building import build, outlook
from allmende.engine import Engine
from allmende.errors import LakeError, RecipeChanged, SourceMissing

WAT = next((files("allmende.demo") / "data").glob("crawl-data/*/segments/*/wat/*.gz"))
CRAWL = "CC-MAIN-2026-43"


@pytest.fixture
def mirror(tmp_path):
    """A folder with path lists, of whose files none is there."""
    folder = tmp_path / "mirror" / "crawl-data" / CRAWL
    folder.mkdir(parents=True)
    for kind in ("wat", "warc"):
        names = [f"crawl-data/{CRAWL}/{number}.{kind}.gz\n" for number in range(2)]
        (folder / f"{kind}.paths.gz").write_bytes(gzip.compress("".join(names).encode()))
    return folder


def recipe(tmp_path, sections):
    select = f'[select]\ncrawl = "{CRAWL}"\nfiles = 2\nsource = "{tmp_path}/mirror"\n'
    return recipe_file.loads(f'[dataset]\nname = "set"\noutput = "{tmp_path}/set"\n{sections}\n{select}')


@pytest.mark.parametrize("sections", ['kind = "text"', "[captions]\nmin_chars = 1000"])
def test_a_build_of_whose_archives_none_is_there_stops(tmp_path, mirror, sections):
    with pytest.raises(SourceMissing, match=rf"the first of 2 is {mirror}/[01]\.wa"):
        build(recipe(tmp_path, sections), Engine(workers=1))


def test_one_missing_archive_of_many_is_counted(tmp_path, mirror):
    wanted = recipe(tmp_path, "[captions]\nmin_chars = 1000")  # no caption, no request
    with pytest.raises(SourceMissing):
        build(wanted, Engine(workers=1))
    shutil.copy(WAT, mirror / "1.wat.gz")  # what stopped the build is mended: the same command goes on
    left = [tmp_path / "set" / name for name in (".recipe.toml.4711", "release/.README.md.4711")]  # by a kill
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    counts = build(wanted, Engine(workers=1)).status()[0].counts
    assert not any(path.exists() for path in left)
    assert counts["record"].dropped["archive_missing"] == 1
    assert counts["record"].kept > 0


def test_a_dry_run_says_what_the_build_will_say(tmp_path, mirror):
    for number in range(2):
        shutil.copy(WAT, mirror / f"{number}.wat.gz")
    wanted = recipe(tmp_path, "[captions]\nmin_chars = 1000")
    assert set(outlook(wanted).steps.values()) == {"to do"}
    assert not (tmp_path / "set").exists()
    build(wanted, Engine(workers=1))
    done = "2 of 2 parts finished"
    assert outlook(wanted).steps["candidates"] == done
    before = {path for path in (tmp_path / "set").rglob("*") if path.is_file()}
    for sections in ("[captions]\nmin_chars = 999", "[captions]\nmin_chars = 1000\n[safety]\ndomain_lists = []"):
        other = recipe(tmp_path, sections)
        with pytest.raises(RecipeChanged) as said:
            outlook(other)
        with pytest.raises(RecipeChanged) as stopped:
            build(other, Engine(workers=1))
        assert str(said.value) == str(stopped.value)
    assert set(outlook(recipe(tmp_path, "[captions]\nmin_chars = 999"), redo=True).steps.values()) == {"to do"}
    sizes = recipe(tmp_path, "[captions]\nmin_chars = 1000\n[images]\nsize = 9")
    assert outlook(sizes, redo=True).steps["candidates"] == done
    assert outlook(sizes, redo=True).steps["samples"] == "to do"
    text = recipe(tmp_path, 'kind = "text"')
    with pytest.raises(RecipeChanged, match="is a dataset of images"):
        outlook(text, redo=True)
    (tmp_path / "set" / "recipe.toml").unlink()
    with pytest.raises(LakeError, match=r"has no recipe\.toml"):
        outlook(wanted)
    assert before >= {path for path in (tmp_path / "set").rglob("*") if path.is_file()}
