"""`allmende report`: figures that agree with `status`."""

import json
import shutil

from allmende.lake import Lake
from allmende.lock import locked


def test_a_file_with_many_captions_was_asked_for_once(allmende, table):
    paths = [f"/ok/asked-{n % 4}" for n in range(12)] + ["/missing/x"]
    allmende("fetch", *table(paths), "--to", "out")
    samples = json.loads(allmende("status", "out", "--json"))[3]
    report = json.loads(allmende("report", "out", "--json"))
    assert samples["counts"]["sample"]["seen"] == 13
    assert (report["asked"], report["arrived"]) == (5, 4)
    assert report["bytes_received"] == samples["facts"]["bytes_received"]


def test_a_report_of_a_build_that_is_not_finished_makes_no_version(allmende, table, tmp_path):
    command = ("fetch", *table(["/ok/a", "/ok/b"]), "--to", "out")
    allmende(*command)
    first = (tmp_path / "out/release/manifest.json").read_bytes()
    shutil.rmtree(tmp_path / "out/release")
    shutil.rmtree(tmp_path / "out/releases")
    assert allmende("report", "out").split() == ["out/report.html"]
    assert "<html" in (tmp_path / "out/report.html").read_text()
    assert not (tmp_path / "out/release").exists()
    assert not (tmp_path / "out/releases").exists()
    allmende(*command)
    assert not (tmp_path / "out/report.html").exists()
    second = (tmp_path / "out/release/manifest.json").read_bytes()
    assert [json.loads(one)["version"] for one in (first, second)] == ["1.0.0", "1.0.0"]
    assert "out/release/report.html" in allmende("report", "out")
    assert (tmp_path / "out/release/manifest.json").read_bytes() == second


def test_a_report_is_not_written_while_a_build_writes(allmende, table, tmp_path):
    allmende("fetch", *table(["/ok/a"]), "--to", "out")
    with locked(Lake(tmp_path / "out")):
        assert "another build works on this dataset" in allmende("report", "out", code=5)
        assert json.loads(allmende("report", "out", "--json"))["asked"] == 1


def test_a_copy_of_a_release_keeps_its_report(allmende, table, tmp_path):
    allmende("fetch", *table(["/ok/a"]), "--to", "out")
    before = (tmp_path / "out/release/report.html").read_bytes()
    assert "no build has begun here" in allmende("report", "out/release", code=5)
    assert (tmp_path / "out/release/report.html").read_bytes() == before
