import hashlib
import stat

import msgspec
import pyarrow as pa
import pytest

from allmende.building import outlook
from allmende.errors import RecipeChanged, RecipeError
from allmende.lake import Lake
from allmende.media.sample import ImageSample
from allmende.parts import Plan
from allmende.permission import ALLOWED, Verdict
from allmende.recipe import Dataset, Recipe, Safety, Select
from allmende.safety.hits import keyed
from allmende.safety.lists import load
from allmende.schema import CANDIDATES, FAILURES, Reason
from allmende.steps import list_screen
from allmende.steps.list_screen import ListGate, ListScreen

KEY = b"a key of sixteen"
BAD, UNWANTED, GOOD = "https://bad.example/1.jpg", "https://ads.example/1.jpg", "https://good.example/1.jpg"


@pytest.fixture
def safety(tmp_path):
    (tmp_path / "urls.txt").write_text(f"# kind: url\n{BAD}\n")
    (tmp_path / "files.txt").write_text(f"{hashlib.md5(b'bad').hexdigest()}\n")
    (tmp_path / "ads.txt").write_text("ads.example\n")
    return Safety(
        hash_lists=(f"{tmp_path}/urls.txt", f"{tmp_path}/files.txt"),
        domain_lists=(f"{tmp_path}/ads.txt",),
        drop_categories=("ads",),
    )


@pytest.fixture
def screen(safety):
    return ListScreen(load(safety), KEY)


def rows(*urls, page="https://page.example/", schema=CANDIDATES, **more):
    made = [{"url": url, "page_url": page, "uid": f"{n:032x}", "caption": "words"} | more for n, url in enumerate(urls)]
    return pa.Table.from_pylist(made, schema=schema)


def sample(body):
    facts = dict.fromkeys(("preview", "original_format", "format", "exif"), "")
    sizes = dict.fromkeys(("original_width", "original_height", "original_bytes", "width", "height"), 1)
    return ImageSample(
        data=body,
        sha256=hashlib.sha256(body).hexdigest(),
        phash="0" * 64,
        phash_quality=100,
        md5=hashlib.md5(body).hexdigest(),
        **facts,
        **sizes,
    )


def test_rows_are_dropped_for_their_url_or_their_page(screen):
    assert screen.before(rows(BAD, UNWANTED, GOOD)).to_pylist() == ["listed", "url_listed", None]
    assert screen.before(rows(GOOD, UNWANTED, page=BAD)).to_pylist() == ["listed", "listed"]
    assert screen.before(rows(GOOD, page=UNWANTED)).to_pylist() == ["url_listed"]
    assert screen.before(rows(GOOD, page=None)).to_pylist() == [None]


def test_files_are_dropped_for_their_bytes(screen):
    assert screen.after(GOOD, sample(b"bad")) == Reason.LISTED
    assert screen.after(GOOD, sample(b"good")) is None
    assert list_screen.digests([screen]) == ("md5",)


def test_every_row_of_a_file_that_was_hit_is_concealed(screen):
    screen.after(GOOD, sample(b"bad"))
    failed = pa.concat_tables(
        [
            rows(GOOD, schema=FAILURES, reason="listed"),
            rows(GOOD, schema=FAILURES, reason="caption_too_frequent"),
            rows(BAD, schema=FAILURES, reason="listed"),
            rows(UNWANTED, schema=FAILURES, reason="url_listed"),
            rows(None, schema=FAILURES, reason="listed"),  # of an earlier round
        ]
    )
    concealed, hits = screen.conceal(failed)
    assert concealed["reason"].to_pylist() == ["listed", "listed", "listed", "url_listed", "listed"]
    assert concealed["url"].to_pylist() == [None, None, None, UNWANTED, None]
    assert concealed["uid"][4].as_py() == failed["uid"][4].as_py()
    told = {(row["url_hash"], row["where"]): row["rows"] for row in hits.to_pylist()}
    assert told == {(keyed(KEY, GOOD), "file"): 2, (keyed(KEY, BAD), "url"): 1}


class Everything:
    """Permits all, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def before(self, url):
        self.asked.append(url)
        return ALLOWED

    def after(self, url, headers):
        del url, headers
        return Verdict(allowed=False)


def test_redirects_to_what_is_listed_are_not_followed(screen):
    inner = Everything()
    gate = list_screen.guarded(inner, [screen])
    assert isinstance(gate, ListGate)
    assert [gate.before(url).reason for url in (BAD, UNWANTED)] == [Reason.LISTED, Reason.URL_LISTED]
    assert inner.asked == []
    assert gate.before(GOOD).allowed
    assert inner.asked == [GOOD]
    assert not gate.after(GOOD, {}).allowed
    concealed, hits = screen.conceal(rows(GOOD, schema=FAILURES, reason="listed"))
    assert concealed["url"].to_pylist() == [None]
    assert [(row["where"], row["url_hash"]) for row in hits.to_pylist()] == [("redirect", keyed(KEY, BAD))]
    assert len(screen.conceal(rows(GOOD, schema=FAILURES, reason="listed"))[1]) == 0


def test_without_lists_nothing_is_guarded():
    inner = Everything()
    assert list_screen.guarded(inner, []) is inner
    assert list_screen.digests([]) == ()


def recipe(safety):
    return Recipe(dataset=Dataset(name="set"), select=Select(crawl="x"), safety=safety)


def test_the_dataset_records_its_lists_and_makes_a_key(tmp_path, safety):
    lake = Lake(tmp_path / "set")
    list_screen.prepare(lake, recipe(safety))
    assert [one.name for one in list_screen.read_lists(lake)] == ["urls", "files", "ads"]
    assert list_screen.read_lists(lake) == load(safety).about
    key = tmp_path / "set" / "hits.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made = key.read_text()
    list_screen.prepare(lake, recipe(safety))
    assert key.read_text() == made
    assert list_screen.hits_key(lake, safety) == made.strip().encode()
    assert len(list_screen.read_hits(lake)) == 0


def test_lists_without_illegal_content_need_no_key(tmp_path, safety):
    lake = Lake(tmp_path / "set")
    list_screen.prepare(lake, recipe(msgspec.structs.replace(safety, hash_lists=())))
    assert not (tmp_path / "set" / "hits.key").exists()


def test_the_key_may_come_from_elsewhere(tmp_path, safety, monkeypatch):
    lake = Lake(tmp_path / "set")
    monkeypatch.setenv("HITS_KEY", "0123456789abcdef")
    elsewhere = msgspec.structs.replace(safety, hits_key="env:HITS_KEY")
    assert list_screen.hits_key(lake, elsewhere) == b"0123456789abcdef"
    assert not (tmp_path / "set").exists()
    with pytest.raises(RecipeError, match="no local folder"):
        list_screen.hits_key(Lake("memory://set"), safety)


def test_other_lists_are_not_mixed_into_a_dataset(tmp_path, safety):
    lake = Lake(tmp_path / "set")
    list_screen.prepare(lake, recipe(safety))
    lake.step("samples").write_plan(Plan(step="samples", digest="x", parts={}))
    (tmp_path / "other").mkdir()
    (tmp_path / "files.txt").rename(tmp_path / "other" / "files.txt")
    moved = msgspec.structs.replace(safety, hash_lists=(safety.hash_lists[0], f"{tmp_path}/other/files.txt"))
    list_screen.prepare(lake, recipe(moved))  # the same list at another place is no other list
    with (tmp_path / "other" / "files.txt").open("a") as file:
        file.write("0" * 32 + "\n")
    with pytest.raises(RecipeChanged, match=r"- files \(.*\n  \+ files \("):
        list_screen.prepare(lake, recipe(moved))
    assert lake.step("samples").read_plan() is not None
    list_screen.prepare(lake, recipe(moved), redo=True)
    assert lake.step("samples").read_plan() is None
    assert list_screen.read_lists(lake)[1].entries == 2


def test_a_dry_run_looks_at_the_lists_too(tmp_path):
    broken = Safety(hash_lists=(f"md5:{tmp_path}/none.txt",))
    with pytest.raises(RecipeError, match="no such file"):
        outlook(recipe(broken))
