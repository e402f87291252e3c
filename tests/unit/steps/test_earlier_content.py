"""Builds that go on after an earlier dataset, at the same path, has become another one."""

import pytest

from allmende import recipe_file
from allmende.building import build
from allmende.errors import LakeError, RecipeChanged
from allmende.maintain.takedown import take_down
from allmende.maintain.targets import Targets
from allmende.steps.earlier_content import content, prepare
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


@pytest.fixture
def make(tmp_path):
    """Builds a dataset of text with some pages, or goes on with it."""

    def make(name, pages, earlier="", *, redo=False):
        archive = Archive()
        for number in pages:
            archive.page(f"http://a.example/{number}", page("de", paragraphs("de", number)))
        (tmp_path / f"{name}-{len(pages)}.warc.gz").write_bytes(archive.to_bytes())
        recipe = recipe_file.loads(
            f'[dataset]\nname = "{name}"\nkind = "text"\noutput = "{tmp_path / name}"\n'
            f'[select]\narchives = ["{tmp_path}/{name}-{len(pages)}.warc.gz"]\n[text]\ncareful = false\n'
            + (f'[dedup]\nearlier = ["{earlier}"]\n' if earlier else "")
        )
        return recipe, build(recipe, redo=redo).lake

    return make


def kept(lake):
    return lake.step("near").counts()["document"].kept


def test_other_contents_at_the_same_path_are_noticed(make):
    _, old = make("old", range(2))
    released = content(old.url("release"))
    recipe, new = make("new", range(4), old.root)
    assert kept(new) == 2
    prepare(new, recipe)  # nothing changed
    make("old", range(3), redo=True)
    assert content(old.url("release")) != released
    with pytest.raises(RecipeChanged, match=f"other contents of earlier datasets: {old.root}"):
        make("new", range(4), old.root)
    assert kept(make("new", range(4), old.root, redo=True)[1]) == 1


def test_a_take_down_makes_no_other_dataset(make):
    _, lake = make("old", range(3))
    before = [content(lake.root), content(lake.url("release"))]
    take_down(lake, Targets.of(urls=["http://a.example/1"]), reason="privacy", ticket="1")
    assert [content(lake.root), content(lake.url("release"))] == before


def test_a_finished_build_does_without_one_that_is_gone(make, tmp_path):
    _, old = make("old", range(2))
    recipe, new = make("new", range(4), old.root)
    (tmp_path / "old").rename(tmp_path / "elsewhere")
    prepare(new, recipe)
    (tmp_path / "elsewhere").rename(tmp_path / "old")
    prepare(new, recipe)
    new.write("earlier.json", b"{")
    with pytest.raises(LakeError, match=r"earlier\.json is damaged .+ Delete it"):
        prepare(new, recipe)
