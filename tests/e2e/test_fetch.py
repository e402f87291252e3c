"""`allmende fetch` and what comes after it, from the outside."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections import Counter

import pyarrow.parquet as pq
from PIL import Image

import allmende as library
from allmende.testing.compare import fingerprint

TROUBLE = {
    "/missing/{}": "http_not_found",
    "/html/{}": "content_type_refused",
    "/robots/{}?tag=noai": "permission_denied",
    "/empty/{}": "body_empty",
    "/redirects/9?n={}": "redirects_too_many",
}


def samples(dataset):
    return pq.read_table(sorted(dataset.glob("release/shards/*.parquet"))).to_pylist()


def failures(dataset):
    return Counter(row["reason"] for row in library.Dataset(str(dataset)).failures().to_pylist())


def test_a_table_becomes_a_dataset(allmende, table, tmp_path):
    paths = [f"/ok/{i}" for i in range(50)] + [path.format(i) for i in range(3) for path in TROUBLE]
    said = allmende("fetch", *table(paths), "--to", "set")
    assert "release/report.html" in said
    rows = samples(tmp_path / "set")
    assert len(rows) == 50
    assert failures(tmp_path / "set") == dict.fromkeys(TROUBLE.values(), 3)
    with tarfile.open(tmp_path / "set/release/shards/00000.tar") as tar:
        members = {m.name: tar.extractfile(m).read() for m in tar}
    for row in rows:
        image = Image.open(io.BytesIO(members[f"{row['key']}.jpg"]))
        assert image.size == (row["width"], row["height"])
        assert members[f"{row['key']}.txt"].decode() == row["caption"]
        assert json.loads(members[f"{row['key']}.json"])["url"] == row["url"]
    for name in ("README.md", "report.html", "recipe.toml"):
        assert (tmp_path / "set/release" / name).stat().st_size > 500


def test_the_same_command_again_changes_nothing(allmende, table, tmp_path, web):
    command = ("fetch", *table([f"/ok/again-{i}" for i in range(30)]), "--to", "set")
    allmende(*command)
    before, asked = fingerprint(tmp_path / "set"), len(web.asked)
    allmende(*command)
    assert fingerprint(tmp_path / "set") == before
    assert len(web.asked) == asked


def test_one_url_is_asked_for_once_whatever_its_captions(allmende, table, tmp_path, web):
    flags = table(["/ok/shared"] * 8, captions=[f"caption {i // 4}" for i in range(8)])
    allmende("fetch", *flags, "--to", "set")
    # four hosts, two captions each
    assert len(samples(tmp_path / "set")) == 8
    assert sum(path == "/ok/shared" for _, path in web.asked) == 4
    flags = table(["/ok/cut"] * 40, captions=[f"caption {i // 4}" for i in range(40)])
    allmende("fetch", *flags, "--to", "parts", "--set", "fetch.part_size=9")
    assert len(samples(tmp_path / "parts")) == 40
    assert sum(path == "/ok/cut" for _, path in web.asked) == 4


def test_retry_asks_only_for_what_failed_so(allmende, table, tmp_path, web):
    paths = [f"/ok/kept-{i}" for i in range(20)] + [f"/recovers/503?times=1&n={i}" for i in range(6)] + ["/missing/x"]
    allmende("fetch", *table(paths), "--to", "set", "--set", "fetch.retries=0")
    assert failures(tmp_path / "set") == {"http_server_error": 6, "http_not_found": 1}
    first = {row["url"] for row in samples(tmp_path / "set")}
    asked = len(web.asked)
    said = allmende("retry", "set", "--status", "503")
    assert len(web.asked) - asked == 6
    assert failures(tmp_path / "set") == {"http_not_found": 1}
    assert len(samples(tmp_path / "set")) == 26
    assert first < {row["url"] for row in samples(tmp_path / "set")}
    assert "http_not_found" in said
    assert "6 URLs are asked again" in said
    assert "No reason 'nonsense'" in allmende("retry", "set", "--reason", "nonsense", code=2)


def test_a_part_that_was_deleted_is_made_anew_and_what_came_of_it_only_if_it_differs(allmende, table, tmp_path, web):
    paths = [f"/ok/deleted-{i}" for i in range(9)] + ["/recovers/503?times=1&n=deleted"]
    command = ("fetch", *table(paths), "--to", "set", "--set", "fetch.retries=0")
    allmende(*command)
    assert len(samples(tmp_path / "set")) == 9
    asked = len(web.asked)
    next((tmp_path / "set/unique").glob("part-*.json")).unlink()
    allmende(*command)
    assert len(web.asked) == asked
    for manifest in (tmp_path / "set/samples").glob("part-*.json"):
        manifest.unlink()
    removal = ("--url", web.url("/ok/deleted-0"), "--reason", "privacy", "--ticket", "T-1")
    for flag in ("--dry-run", "--yes"):
        said = allmende("takedown", "set", *removal, flag, code=5)
        assert "its last build is not finished" in said  # a shard might hold what is in no part
    allmende(*command)
    assert len(samples(tmp_path / "set")) == 10


def test_a_retry_makes_a_part_anew_that_was_deleted(allmende, table, tmp_path, web):
    flags = table([f"/ok/both-{i // 4}" for i in range(8)] + [f"/recovers/503?times=1&n=both-{i}" for i in range(4)])
    allmende("fetch", *flags, "--to", "set", "--set", "fetch.retries=0", "--set", "fetch.part_size=2")
    assert len(samples(tmp_path / "set")) == 8
    parts = sorted((tmp_path / "set/samples").glob("part-*.json"))
    whole = next(part for part in parts if not json.loads(part.read_text())["counts"]["sample"]["dropped"])
    whole.unlink()
    allmende("retry", "set", "--status", "503")
    assert len(samples(tmp_path / "set")) == 12


def test_a_retry_of_what_did_not_happen_changes_nothing(allmende, table, tmp_path, web):
    allmende("fetch", *table(["/ok/1", "/missing/2"]), "--to", "set")

    def written():
        folders = ("samples", "release", "releases")
        return {path: path.stat().st_mtime_ns for folder in folders for path in (tmp_path / "set" / folder).rglob("*")}

    before = written()
    asked = len(web.asked)
    for choice in (("--status", "999"), ("--reason", "timeout")):
        assert "nothing is asked again" in allmende("retry", "set", *choice)
    assert len(web.asked) == asked
    assert written() == before


def test_status_tells_how_far_it_is_and_why_rows_were_dropped(allmende, table):
    said = allmende("fetch", *table(["/ok/1", "/missing/2"]), "--to", "set")
    assert "frequent: nothing to do" in said  # a table's captions are its owner's choice
    text = allmende("status", "set")
    assert "frequent        nothing to do" in text
    assert "not planned yet" not in text
    assert "samples" in text
    assert "http_not_found" in text
    steps = json.loads(allmende("status", "set", "--json"))
    assert [s["step"] for s in steps if s["parts"] == s["finished"]] == [s["step"] for s in steps]
    assert {s["step"]: s["counts"] for s in steps}["samples"]["sample"]["dropped"] == {"http_not_found": 1}


def test_a_column_that_is_not_there_is_refused_and_binds_nobody(allmende, table, tmp_path):
    flags = table(["/ok/column"])
    for option in ("--url-column", "--caption-column"):
        said = allmende("fetch", *flags, "--to", "set", option, "nope", code=2)
        assert f"no column 'nope'; it has: url, caption. Say which it is: {option}" in said
    allmende("fetch", *flags, "--to", "set")
    assert samples(tmp_path / "set")[0]["caption"] == "picture number 0"


def test_another_recipe_over_the_same_folder_is_refused_and_redo_keeps_what_it_can(allmende, table, tmp_path, web):
    flags = table([f"/ok/redo-{i}" for i in range(10)])
    allmende("fetch", *flags, "--to", "set")
    said = allmende("fetch", *flags, "--to", "set", "--size", "32", code=2)
    assert "images.size: 256 → 32" in said
    assert "allmende fetch --redo" in said
    assert samples(tmp_path / "set")[0]["width"] > 32
    candidates = (tmp_path / "set/candidates/part-00000.json").read_bytes()
    allmende("fetch", *flags, "--to", "set", "--size", "32", "--redo", "--workers", "1")
    assert min(samples(tmp_path / "set")[0][side] for side in ("width", "height")) == 32
    assert (tmp_path / "set/candidates/part-00000.json").read_bytes() == candidates


def test_a_changed_contact_or_pace_is_no_other_recipe(allmende, table):
    flags = table(["/ok/contact"])
    allmende("fetch", *flags, "--to", "set")
    allmende("fetch", *flags, "--to", "set", "--contact", "me@example.org", "--set", "fetch.per_host=1")


def test_more_than_ten_thousand_urls_need_a_contact(allmende, tmp_path):
    (tmp_path / "urls.txt").write_text("".join(f"http://host-{i}.example/a.jpg\n" for i in range(10_001)))
    said = allmende("fetch", "urls.txt", "--to", "set", code=2)
    assert "nobody says whose it is. Say it: --contact you@example.org" in said


def test_a_folder_in_which_nothing_was_made_binds_nobody(allmende, table, tmp_path):
    flags = table(["/ok/begun"])
    (tmp_path / "broken.csv").write_bytes("url,caption".encode("utf-16"))
    assert "broken.csv is not a readable csv file" in allmende("fetch", "broken.csv", "--to", "set", code=4)
    assert (tmp_path / "set/recipe.toml").exists()
    allmende("fetch", *flags, "--to", "set")
    assert len(samples(tmp_path / "set")) == 1


def test_errors_are_one_line_and_have_their_own_exit_codes(allmende, table, tmp_path):
    assert "No dataset at nothing" in allmende("status", "nothing", code=5)
    assert "none.csv: no such file" in allmende("fetch", "none.csv", "--to", "set", code=4)
    assert "No recipe at none.toml" in allmende("build", "none.toml", code=2)
    flags = table(["/ok/newer"])
    allmende("fetch", *flags, "--to", "set")
    plan = tmp_path / "set/samples/plan.json"
    plan.write_text(plan.read_text().replace('"format": 1', '"format": 99'))
    assert "pip install -U allmende" in allmende("fetch", *flags, "--to", "set", code=5)


def test_a_folder_that_nobody_may_write_is_refused(allmende, table):
    assert "can't be written" in allmende("fetch", *table(["/ok/1"]), "--to", "/proc/allmende", code=5)


def test_a_folder_that_is_a_file_is_refused(allmende, table, tmp_path):
    (tmp_path / "set").write_text("not a folder")
    assert "can't be written" in allmende("fetch", *table(["/ok/1"]), "--to", "set", code=5)


def test_ctrl_c_leaves_a_dataset_that_the_same_command_continues(allmende, table, tmp_path, web):
    paths = [f"/ok/{i}" for i in range(60)] + ["/held/1"]
    command = ["fetch", *table(paths), "--to", "set"]
    process = subprocess.Popen(
        [sys.executable, "-m", "allmende", *command],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not any(path == "/held/1" for _, path in web.asked):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    assert "Traceback" not in said
    web.release()
    allmende(*command)
    assert len(samples(tmp_path / "set")) == 61


def test_a_notebook_may_download_although_its_event_loop_runs(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *flags = table([f"/ok/notebook-{i}" for i in range(10)])
    settings = dict(flag.split("=", 1) for flag in flags[1::2])

    async def cell():
        return library.download(name, "set", **settings)

    asyncio.run(cell())
    assert len(samples(tmp_path / "set")) == 10


def test_columns_that_are_kept_go_into_the_release(allmende, table, tmp_path):
    name, *flags = table(["/ok/kept-1", "/ok/kept-2", "/missing/kept"])
    rows = pq.read_table(tmp_path / name)
    for column, values in {
        "similarity": [0.5, None, 0.1],
        "NSFW": ["UNLIKELY", "ask me@mail.example.org", None],
        "SAMPLE_ID": [7, 8, 9],
        "other": ["x"] * 3,
    }.items():
        rows = rows.append_column(column, [values])
    pq.write_table(rows, tmp_path / name)
    keep = [flag for column in ("similarity", "NSFW", "SAMPLE_ID") for flag in ("--keep-column", column)]
    for sink in ("webdataset", "parquet", "files"):
        allmende("fetch", name, *flags, *keep, "--to", sink, "--sink", sink)
        kept = {row["SAMPLE_ID"]: (row["similarity"], row["NSFW"]) for row in samples(tmp_path / sink)}
        assert kept[7] == (0.5, "UNLIKELY")
        assert kept[8][0] is None
        assert "me@mail.example.org" not in kept[8][1]
        assert kept.keys() == {7, 8}
        assert "Nothing is wrong with it" in allmende("verify", sink)
        assert "| `SAMPLE_ID` | int64 |" in (tmp_path / sink / "release/README.md").read_text()
        assert {"extra", "other"}.isdisjoint(samples(tmp_path / sink)[0])
    with tarfile.open(tmp_path / "webdataset/release/shards/00000.tar") as tar:
        told = [json.loads(tar.extractfile(m).read()) for m in tar if m.name.endswith(".json")]
    assert {one["SAMPLE_ID"]: one["similarity"] for one in told} == {7: 0.5, 8: None}
    assert "no column 'nope'; it has: url, caption" in allmende(
        "fetch", name, *flags, "--to", "x", "--keep-column", "nope", code=2
    )
    assert "'caption' can't be kept" in allmende("fetch", name, *flags, "--to", "x", "--keep-column", "caption", code=2)
