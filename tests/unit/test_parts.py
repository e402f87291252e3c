import errno
import json
import os

import pytest

from allmende.errors import LakeError, LakeTooNew
from allmende.lake import Lake
from allmende.parts import Plan, Tally, part_id
from allmende.schema import Reason


def commit(step, name="00000", content=b"rows", round_=0, **counts):
    with step.part(name, "digest", round_) as part:
        part.file(".parquet").write_bytes(content)
        return part.commit(counts or {"candidate": Tally(3, 2, {"url_invalid": 1})})


def test_a_part_exists_when_its_manifest_does(lake):
    step = lake.step("candidates")
    assert step.finished() == []
    manifest = commit(step)
    assert step.finished() == ["00000"]
    assert step.manifest("00000") == manifest
    assert lake.read("candidates/part-00000.parquet") == b"rows"
    assert step.files() == ["candidates/part-00000.parquet"]


def test_a_part_that_was_not_committed_leaves_nothing(lake):
    step = lake.step("candidates")

    def die():
        with step.part("00000", "digest") as part:
            part.file(".parquet").write_bytes(b"half")
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        die()
    assert step.finished() == []
    assert lake.names("candidates") == {}


def test_lost_rows_are_refused(lake):
    with pytest.raises(LakeError, match="candidates are lost"):
        commit(lake.step("candidates"), candidate=Tally(seen=3, kept=1, dropped={"url_invalid": 1}))


def test_sweep_removes_what_no_manifest_names_and_nothing_else(lake):
    step = lake.step("samples")
    commit(step, "00001")
    lake.write("samples/part-00002.parquet", b"its manifest never came")
    step.write_plan(Plan(step="samples", digest="d", parts={}))
    if lake.local is not None:
        lake.write("samples/.part-00003.json.4711", b"its writer was killed")
    step.sweep()
    assert set(lake.names("samples")) == {"part-00001.json", "part-00001.parquet", "plan.json"}


def test_a_rewritten_part_replaces_the_old_one(lake):
    step = lake.step("samples")
    commit(step, content=b"old")
    manifest = commit(step, content=b"new", round_=1)
    assert step.files() == ["samples/part-00000.r1.parquet"]
    assert step.manifest("00000").round == manifest.round == 1
    step.sweep()
    assert "part-00000.parquet" not in lake.names("samples")


def test_files_in_folders_are_part_of_a_part(lake):
    with lake.step("release/shards").part("00000", "digest") as part:
        (part.aside / "00000").mkdir()
        (part.aside / "00000" / "a.jpg").write_bytes(b"x")
        manifest = part.commit({})
    assert list(manifest.files) == ["00000/a.jpg"]
    assert lake.read("release/shards/00000/a.jpg") == b"x"


def test_discard_forgets_everything(lake):
    step = lake.step("samples")
    commit(step)
    step.write_plan(Plan(step="samples", digest="d", parts={}))
    step.discard()
    assert lake.names("samples") == {}
    assert step.read_plan() is None


def test_files_in_folders_are_swept_and_discarded_too(lake):
    step = lake.step("release/shards")
    with step.part("00000", "digest") as part:
        (part.aside / "00000").mkdir()
        (part.aside / "00000" / "a.jpg").write_bytes(b"x")
        part.commit({})
    lake.write("release/shards/00000/b.jpg", b"its part never came")
    step.sweep()
    assert lake.exists("release/shards/00000/a.jpg")
    assert not lake.exists("release/shards/00000/b.jpg")
    step.discard()
    assert not lake.exists("release/shards/00000/a.jpg")
    assert step.finished() == []


def test_counts_add_up_over_parts(lake):
    step = lake.step("candidates")
    commit(step, "00000")
    commit(step, "00001")
    assert step.counts() == {"candidate": Tally(6, 4, {"url_invalid": 2})}


def test_a_newer_format_is_refused(lake):
    step = lake.step("samples")
    commit(step)
    raw = json.loads(lake.read("samples/part-00000.json"))
    lake.write("samples/part-00000.json", json.dumps({**raw, "format": 99}).encode())
    with pytest.raises(LakeTooNew, match="pip install -U allmende"):
        step.manifest("00000")


def test_a_damaged_manifest_says_what_to_do(lake):
    lake.write("samples/part-00000.json", b'{"format": 1, "step"')
    with pytest.raises(LakeError, match="Delete it"):
        lake.step("samples").manifest("00000")


def test_a_full_disk_is_explained(tmp_path):
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    step = Lake(tmp_path).step("samples")
    with pytest.raises(LakeError, match=r"disk is full\. Free some room"), step.part("00000", "digest"):
        full()


def test_tally_counts_every_row_once():
    tally = Tally()
    tally.keep(2)
    tally.drop(Reason.URL_INVALID)
    tally.drop(Reason.URL_INVALID, 3)
    assert tally == Tally(6, 2, {"url_invalid": 4})
    assert tally.balanced()


def test_part_ids_sort_like_numbers():
    assert part_id(7) == "00007"


def test_a_file_of_a_part_is_read_only_as_it_was_written(lake):
    step = lake.step("candidates")
    manifest = commit(step, content=b"rows")
    assert step.read_file(manifest, "part-00000.parquet") == b"rows"
    lake.write("candidates/part-00000.parquet", b"row")
    with pytest.raises(LakeError, match="it has 3 bytes, not 4 as when it was written"):
        step.read_file(manifest, "part-00000.parquet")
