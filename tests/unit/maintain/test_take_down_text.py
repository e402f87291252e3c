"""Documents that are taken down: by name, and by their text wherever it lies."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.dataset import Dataset
from allmende.dedup.same_text import text_digest
from allmende.lock import leave
from allmende.maintain.takedown import take_down
from allmende.maintain.targets import Targets
from allmende.parts import Plan
from allmende.schema import Reason
from allmende.steps.order import steps
from allmende.steps.step import Settings
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


def archive(*pages):
    made = Archive()
    for url, seed in pages:
        made.page(url, page("de", paragraphs("de", seed)))
    return made


def documents(lake):
    tables = [pq.read_table(lake.at(name)) for name in lake.step("documents").files()]
    return [row for row in pa.concat_tables(tables).to_pylist() if row["uid"]]


def by_url(lake):
    return {row["url"]: row for row in documents(lake)}


def dropped(lake):
    files = [name for step in ("pages", "documents") for name in lake.step(step).files(".dropped.parquet")]
    return [row for name in files for row in pq.read_table(lake.at(name)).to_pylist()]


TWICE = archive(("http://a.example/1", 1), ("http://b.example/1", 1), ("http://a.example/2", 2))


def test_white_space_and_case_make_no_other_text():
    assert text_digest("Ein  Text\n") == text_digest("EIN TEXT") != text_digest("Ein Tex t")


@pytest.mark.parametrize(("reason", "left"), [("privacy", 1), ("opt-out", 2)])
def test_only_some_reasons_follow_a_text_to_other_addresses(build_text, reason, left):
    lake = build_text([TWICE])
    gone = by_url(lake)["http://a.example/1"]
    removal = take_down(lake, Targets.of(uids=[gone["uid"]]), reason=reason, ticket="T-1")
    assert (removal.samples, removal.entries) == (3 - left, 3 - left)
    assert len(documents(lake)) == left


def test_a_text_that_was_taken_down_is_not_taken_up_again_from_another_address(build_text):
    lake = build_text([TWICE])
    row = by_url(lake)["http://a.example/1"]
    take_down(lake, Targets.of(urls=[row["url"]]), reason="illegal", ticket="T-1")
    log = f'[safety]\ntombstones = "{lake.at("tombstones")}"\n'
    other = build_text([archive(("http://c.example/new", 1), ("http://c.example/3", 3))], log, name="other")
    assert list(by_url(other)) == ["http://c.example/3"]
    assert other.step("documents").counts()["document"].dropped == {str(Reason.TAKEN_DOWN): 1}


def test_a_text_can_be_named_by_its_digest(build_text):
    lake = build_text([TWICE])
    named = text_digest(by_url(lake)["http://a.example/1"]["text"].upper())
    removal = take_down(lake, Targets.of(sha256s=[named]), reason="other", ticket="T-1")
    assert removal.by_kind == {"sha256": 2}
    assert list(by_url(lake)) == ["http://a.example/2"]


@pytest.mark.parametrize("unit", ["off", "line"])
def test_pages_that_became_no_documents_go_too(build_text, unit):
    made = archive(("http://a.example/1", 1), ("http://b.example/2", 2))
    for host in "ab":
        made.page(f"http://{host}.example/short", page("de", ["Zu kurz."]))
        made.page(f"http://{host}.example/bad", page("de", [paragraphs("de", host)[0]] * 9))
    lake = build_text([made], f'[text]\nkeep_dropped = true\n[repeats]\nunit = "{unit}"\n')
    bad = next(row for row in dropped(lake) if row["url"] == "http://b.example/bad")
    assert len(dropped(lake)) == 4
    removal = take_down(lake, Targets.of(domains=["a.example"]), reason="other", ticket="T-1")
    assert removal.samples == 1
    assert sorted(row["url"] for row in dropped(lake)) == ["http://b.example/bad", "http://b.example/short"]
    removal = take_down(lake, Targets.of(sha256s=[text_digest(bad["text"])]), reason="other", ticket="T-2")
    assert (removal.samples, removal.version) == (0, removal.version_before)
    assert [row["url"] for row in dropped(lake)] == ["http://b.example/short"]
    assert list(by_url(lake)) == ["http://b.example/2"]


@pytest.mark.parametrize("target", ["urls", "uids", "sha256s"])
def test_a_text_goes_from_the_pages_too_that_are_kept_until_lines_are_taken_out(build_text, target):
    notice = "Dieser Beitrag erschien zuerst am Abend in der Zeitung der Stadt am Fluss."
    made = Archive()
    for number in range(3):
        made.page(f"http://a.example/{number}", page("de", [*paragraphs("de", number), notice]))
    made.page("http://a.example/short", page("de", ["Kurz. " * 60, "Zu kurz. " * 60, notice]))  # no document
    lake = build_text([made], '[repeats]\nunit = "line"\ndocuments = 3\n')
    gone = by_url(lake)["http://a.example/1"]
    named = {"urls": gone["url"], "uids": gone["uid"], "sha256s": text_digest(gone["text"])}
    assert notice not in gone["text"]
    removal = take_down(lake, Targets.of(**{target: [named[target]]}), reason="other", ticket="T-1")
    assert (removal.samples, removal.failures) == (1, 1)
    assert sorted(by_url(lake)) == ["http://a.example/0", "http://a.example/2"]
    pages = [row["url"] for name in lake.step("pages").files() for row in pq.read_table(lake.at(name)).to_pylist()]
    assert pages == ["http://a.example/0", None, "http://a.example/2", "http://a.example/short"]

    further = take_down(lake, Targets.of(urls=["http://a.example/short"]), reason="other", ticket="T-2")
    assert (further.samples, further.failures) == (0, 1)
    recipe = Dataset(lake).recipe
    step = next(step for step in steps(recipe) if step.name == "documents")
    parts = lake.step("documents").read_plan().parts
    lake.step("documents").discard()
    lake.step("documents").write_plan(Plan(step="documents", digest="e", parts=parts))
    try:
        step.worker(Settings.encode(lake, recipe, "e", 1)).run({"parts": parts})
    finally:
        leave(lake)
    assert sorted(by_url(lake)) == ["http://a.example/0", "http://a.example/2"]
    assert lake.step("documents").counts()["document"].dropped == {str(Reason.TAKEN_DOWN): 2}
