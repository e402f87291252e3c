"""Personal data on its way into a dataset: from archives and from URL tables."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende import recipe_file
from allmende.identity import uid
from allmende.lake import Lake
from allmende.lock import leave
from allmende.safety.personal import Kind
from allmende.steps.order import steps
from allmende.steps.step import Settings
from allmende.testing.archives import Archive

TEXT = "Unser Garten im Sommer, Fragen an müller@bücher.de oder Tel. 030 23125-000"
MASKED = "Unser Garten im Sommer, Fragen an [EMAIL] oder Tel. [PHONE]"


@pytest.fixture
def archive(tmp_path):
    archive = Archive()
    archive.page("https://example.org/", f'<html lang="de"><body><img src="/garten.jpg" alt="{TEXT}"></body></html>')
    path = tmp_path / "pages.warc.gz"
    path.write_bytes(archive.to_bytes())
    return f"archives = ['{path}']"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "urls.parquet"
    columns = {"url": ["https://example.org/garten.jpg", "none"], "caption": [TEXT, TEXT], "alt": [TEXT, None]}
    pq.write_table(pa.table(columns | {"page_url": ["https://example.org/info@example.org", None]}), path)
    return f"urls = ['{path}']"


def candidates(root, select, safety):
    """Runs the first step: rows and the manifest's facts."""
    recipe = recipe_file.loads(f'[dataset]\nname = "x"\n[select]\n{select}\n[safety]\n{safety}')
    (root / "set").mkdir()
    lake, step = Lake(root / "set"), steps(recipe)[0]
    try:
        step.worker(Settings.encode(lake, recipe, "d", 1)).run({"parts": step.plan(recipe, lake)})
    finally:
        leave(lake)
    (manifest,) = lake.step("candidates").manifests()
    return pq.read_table(lake.at(lake.step("candidates").files()[0])).to_pylist(), manifest.facts


@pytest.mark.parametrize("source", ["archive", "table"])
def test_it_is_replaced_and_counted(tmp_path, request, source):
    (row,), facts = candidates(tmp_path, request.getfixturevalue(source), "")
    assert row["caption"] == row["alt"] == MASKED
    assert row["uid"] == uid("https://example.org/garten.jpg", MASKED)
    assert facts == {f"personal_{kind}": 0 for kind in Kind} | {"personal_email": 2, "personal_phone": 2}


@pytest.mark.parametrize("source", ["archive", "table"])
def test_a_recipe_may_leave_it(tmp_path, request, source):
    (row,), facts = candidates(tmp_path, request.getfixturevalue(source), "replace_personal = false")
    assert row["caption"] == row["alt"] == TEXT
    assert facts == {}


def test_urls_stay(tmp_path, table):
    (row,), _ = candidates(tmp_path, table, "")
    assert row["page_url"] == "https://example.org/info@example.org"


def test_the_key_decides_the_first_step_and_other_keys_of_its_section_do_not():
    def digest(**changes):
        safety = "\n".join(f"{key} = {value}" for key, value in changes.items())
        recipe = recipe_file.loads(f'[dataset]\nname = "x"\n[select]\narchives = ["none"]\n[safety]\n{safety}')
        return recipe_file.digest(recipe, steps(recipe)[0].keys)

    assert digest(replace_personal="false") != digest(replace_personal="true") == digest(tombstones='"elsewhere"')
