"""What `allmende verify` finds wrong offline: each kind of damage, in each format, in a dataset and in a copy of it."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.maintain.problem import EXAMPLES, Flaw
from allmende.maintain.verify import verify, write_report
from allmende.maintain.verify_text import render_text
from allmende.media.image import process
from allmende.parts import File, Tally
from allmende.publish.sink import Shard, load_sink
from allmende.recipe import Images
from allmende.schema import SAMPLES
from allmende.testing.samples import sample

SINKS = ["webdataset", "parquet", "files"]


def clouds(seed):
    """A picture with enough detail for a perceptual hash."""
    colours = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(colours).resize((160, 120), Image.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


def stored(seed):
    """A sample as a build would store it."""
    row, _ = sample(seed)
    made = process(clouds(seed), Images(min_bytes=0, size=64))
    facts = {name: getattr(made, name) for name in ("phash", "phash_quality", "width", "height", "format")}
    sides = {"original_width": made.original_width, "original_height": made.original_height}
    return {**row, **facts, **sides, "data_size": len(made.data)}, made.data


@pytest.fixture(scope="module")
def samples():
    made = [stored(seed) for seed in range(6)]
    rows = pa.Table.from_pylist([row for row, _ in made], SAMPLES).to_pylist()
    return list(zip(rows, (image for _, image in made), strict=True))


@pytest.fixture
def release(tmp_path, samples):
    """Writes a release of two shards, as a build does, and returns the folder of its shards."""

    def write(sink="webdataset", changed=lambda number, rows: rows):
        folder = Lake(tmp_path / "data").step("release/shards")
        for number, rows in enumerate((samples[:4], samples[4:])):
            with folder.part(f"{number:05d}", "plan") as part:
                shard = load_sink(sink).write(Shard(number), changed(number, rows), part.aside)
                files = {file.name: File(file.bytes, file.sha256) for file in shard.files}
                part.commit({"sample": Tally(len(rows), shard.rows)}, files=files)
        return tmp_path / "data" / "release" / "shards"

    return write


def problems(folder, **options):
    return verify(str(folder.parents[1]), **options).problems


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("place", ["dataset", "copy", "shards alone"])
def test_a_sound_dataset_has_no_problems_wherever_it_lies(release, tmp_path, sink, place):
    folder = release(sink)
    at = {"dataset": folder.parents[1], "copy": folder.parent, "shards alone": folder}[place]
    report = verify(str(at), decode=place == "dataset")
    assert report.problems == {}
    assert (report.sink, report.shards, report.samples, report.sound) == (sink, 2, 6, True)
    assert report.form == ("dataset" if place == "dataset" else "copy of the release")
    assert "Nothing is wrong" in render_text(report)
    write_report(report)
    assert json.loads((at / "verify.json").read_text())["samples"] == 6
    assert verify(str(at)).problems == {}


@pytest.mark.parametrize("sink", SINKS)
def test_every_flipped_byte_is_found(release, sink):
    folder = release(sink)
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("part-")):
        whole = path.read_bytes()
        for at in {len(whole) // 3, len(whole) - 1}:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
            assert Flaw.FILE_DIGEST in problems(folder), (path, at)
        path.write_bytes(whole)
    assert problems(folder) == {}


@pytest.mark.parametrize("sink", SINKS)
def test_files_that_are_cut_missing_or_stray(release, sink):
    folder = release(sink)
    table = folder / "00000.parquet"
    table.write_bytes(table.read_bytes()[:-100])
    (folder / "00007.txt").write_text("who wrote this?")
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    shutil.rmtree(folder / "00001", ignore_errors=True)
    (folder / "00001.tar").unlink(missing_ok=True)
    (folder / "00001.parquet").unlink()
    found = problems(folder)
    wanted = {Flaw.TABLE_DAMAGED, Flaw.FILE_SIZE, Flaw.FILE_MISSING, Flaw.FILE_STRAY, Flaw.UNSAFE, Flaw.COUNT}
    assert found.keys() >= set(map(str, wanted))


def test_a_copy_without_manifests_is_still_compared_with_itself(release, tmp_path):
    folder = release()
    for path in folder.glob("part-*.json"):
        path.unlink()
    assert problems(folder) == {"manifest_missing": 1}


def test_a_release_manifest_counts_as_much_as_those_of_parts(release):
    folder = release()
    digest = "0" * 64
    manifest = {
        "format": 1,
        "dataset": "data",
        "version": "1.0.0",
        "previous": None,
        "released": "2026-11-22T00:00:00Z",
        "allmende": "0",
        "samples": 7,
        "taken_down": 0,
        "data": "",
        "form": "",
        "policy": "",
        "tombstones": {"entries": 0, "digest": digest, "key": digest},
        "files": {
            "README.md": {"bytes": 1, "sha256": digest},
            "shards/00000.tar": {"bytes": 1, "sha256": digest},
        },
    }
    path = folder.parent / "manifest.json"
    path.write_text(json.dumps(manifest))
    report = verify(str(folder.parent))
    assert report.version == "1.0.0"
    assert report.problems == {"count": 1, "file_missing": 1, "manifest_damaged": 1}
    path.write_text(json.dumps(manifest | {"files": {"../x": {"bytes": 1, "sha256": digest}}}))
    assert verify(str(folder.parent)).problems.keys() >= {"manifest_damaged"}


def with_rows(**columns):
    """Changes columns of the first sample of the first shard, behind the back of everything else."""

    def change(number, rows):
        return [(row | (columns if (number, i) == (0, 0) else {}), image) for i, (row, image) in enumerate(rows)]

    return change


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize(
    ("columns", "flaw"),
    [
        ({"uid": "0" * 32}, "uid"),
        ({"url": "http://other.example/"}, "uid"),
        ({"width": 99}, "image_size"),
        ({"format": "png"}, "image_format"),
    ],
)
def test_rows_that_do_not_fit_their_image_or_words(release, sink, columns, flaw):
    assert problems(release(sink, with_rows(**columns))) == {flaw: 1}


def test_an_image_that_is_another_is_found_by_its_perceptual_hash(release, samples):
    def swapped(number, rows):
        return [(row, samples[5][1] if (number, i) == (0, 0) else image) for i, (row, image) in enumerate(rows)]

    folder = release("webdataset", swapped)
    assert problems(folder, decode=True) == {"image_other": 1}


def test_an_image_that_can_not_be_decoded(release):
    def broken(number, rows):
        return [(row, image[:-200] if (number, i) == (0, 0) else image) for i, (row, image) in enumerate(rows)]

    folder = release("webdataset", broken)
    assert problems(folder) == {}
    assert problems(folder, decode=True) == {"image_undecodable": 1}


def rewritten(tar: Path, change):
    """The archive with each member as `change(member, content)` makes it: None leaves it out, a list replaces it."""
    out = io.BytesIO()
    with tarfile.open(tar) as old, tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as new:
        for member in old:
            for info, content in change(member, old.extractfile(member).read()):
                info.size = len(content) if info.isreg() else 0
                new.addfile(info, io.BytesIO(content))
    tar.write_bytes(out.getvalue())


def named(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def only_content(found):
    """Problems beside those of digest, size and place, which any change of an archive has."""
    return {
        kind: count
        for kind, count in found.items()
        if kind not in {"file_digest", "file_size", "member_place", "count"}
    }


@pytest.mark.parametrize(
    ("member", "flaw"),
    [
        (named("../../etc/cron.d/x"), "unsafe"),
        (named("/etc/passwd"), "unsafe"),
        (named("000000001.pkl"), "unsafe"),
        (named("000000001.pyd"), "unsafe"),
        (named("000000001.weights.pth"), "unsafe"),
        (named("pipe:touch x"), "unsafe"),
        (named("C:\\x.jpg"), "unsafe"),
        (named("000000001.cls"), "member_stray"),
        (named("evil.jpg"), "member_stray"),
        (named("link.jpg", tarfile.SYMTYPE, "/etc/passwd"), "archive_damaged"),
        (named("hard.jpg", tarfile.LNKTYPE, "000000000.jpg"), "archive_damaged"),
        (named("device", tarfile.CHRTYPE), "archive_damaged"),
        (named("folder", tarfile.DIRTYPE), "archive_damaged"),
        (named("pax", tarfile.XHDTYPE), "archive_damaged"),
        (named("long", tarfile.GNUTYPE_LONGNAME), "archive_damaged"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else value,
)
def test_members_that_do_not_belong_there(release, member, flaw):
    folder = release()

    def put_in(info, content):
        return [(member, b""), (info, content)] if info.name == "000000001.jpg" else [(info, content)]

    rewritten(folder / "00000.tar", put_in)
    assert only_content(problems(folder)) == {flaw: 1}
    assert not Path("x").exists()


@pytest.mark.parametrize("extension", ["jpg", "json", "txt"])
def test_a_member_that_is_missing(release, extension):
    folder = release()
    rewritten(folder / "00000.tar", lambda i, c: [] if i.name == f"000000002.{extension}" else [(i, c)])
    found = problems(folder)
    assert only_content(found) == {"member_missing": 1}
    assert found["count"] == 1


def test_members_that_say_something_else(release):
    folder = release()

    def lie(info, content):
        if info.name == "000000001.json":
            content = content.replace(b'"status": "success"', b'"status": "Success"')
        return [(info, b"Other words" if info.name == "000000002.txt" else content)]

    rewritten(folder / "00000.tar", lie)
    assert only_content(problems(folder)) == {"json": 1, "caption": 1}


def test_json_that_is_none(release):
    folder = release("files")
    (folder / "00000" / "000000001.json").write_bytes(b"[" * 100_000)
    (folder / "00000" / "000000002.json").write_bytes(b"[]")
    (folder / "00000" / "000000003.exe").write_bytes(b"MZ")
    found = problems(folder)
    assert (found["json"], found["unsafe"], found["member_stray"]) == (2, 1, 1)


def test_a_table_that_points_elsewhere_is_not_followed(release, tmp_path):
    folder = release("files")
    (tmp_path / "secret").write_text("secret")
    table = pq.read_table(folder / "00000.parquet")
    column = pa.array(["../../../secret"] * len(table))
    pq.write_table(table.set_column(table.column_names.index("file"), "file", column), folder / "00000.parquet")
    assert problems(folder)["member_place"] == 4
    with pytest.raises(LakeError, match="leads out of its folder"):
        list(load_sink("files").read(str(folder), "00000"))


def test_a_manifest_that_points_elsewhere_is_not_followed(release):
    folder = release()
    path = folder / "part-00000.json"
    path.write_text(path.read_text().replace('"00000.tar"', '"../../../../etc/passwd"'))
    assert problems(folder).keys() == {"unsafe", "file_stray"}


def test_manifests_that_can_not_be_read(release):
    folder = release()
    (folder / "part-00000.json").write_text("{")
    assert problems(folder).keys() == {"manifest_damaged", "file_stray"}


def test_keys_that_fall(release):
    folder = release()
    table = pq.read_table(folder / "00000.parquet")
    pq.write_table(table.take([1, 0, 2, 3]), folder / "00000.parquet")
    assert "key_order" in problems(folder)


def test_other_steps_of_a_build_are_looked_at_too(release):
    folder = release()
    data = folder.parents[1]
    (data / "recipe.toml").write_text('[dataset]\nname = "data"\n[select]\narchives = ["a.warc.gz"]\n')
    with Lake(data).step("samples").part("00000", "plan") as part:
        part.file(".bin").write_bytes(b"12345")
        part.file(".parquet").write_bytes(b"12345")
        part.commit({"sample": Tally(1, 1)})
    assert problems(folder) == {}
    (data / "samples" / "part-00000.bin").write_bytes(b"1234")
    (data / "samples" / "part-00000.parquet").unlink()
    assert problems(folder) == {"file_missing": 1, "file_size": 1}


def test_the_list_of_problems_stays_short(release):
    folder = release()
    for number in range(3 * EXAMPLES):
        (folder / f"stray-{number}.txt").write_text("")
    report = verify(str(folder))
    assert report.problems == {"file_stray": 3 * EXAMPLES}
    assert len(report.examples) == EXAMPLES
    assert "Problems: 60" in render_text(report)


def test_there_must_be_shards(tmp_path):
    with pytest.raises(LakeError, match="No shards"):
        verify(str(tmp_path))
