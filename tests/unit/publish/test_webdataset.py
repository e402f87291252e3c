"""The archive, read by everything that is meant to read it: tarfile, webdataset, open_clip's pipeline, a plain seek."""

import io
import json
import tarfile
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
import webdataset
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from allmende.publish import Release, Shard, read_sample
from allmende.publish.webdataset import WebDataset, _header, braces
from allmende.testing.samples import sample


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    for number in range(2):
        WebDataset().write(Shard(number), (sample(100 * number + index) for index in range(40)), folder)
    return folder


def members(path: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(path) as tar:
        return tar.getmembers()


def test_members_are_named_and_ordered_as_img2dataset_writes_them(release):
    names = [member.name for member in members(release / "00001.tar")]
    assert names[:4] == ["000010000.jpg", "000010000.json", "000010000.txt", "000010001.jpg"]
    assert len(names) == 120


def test_members_tell_nothing_of_time_and_machine(release):
    facts = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members(release / "00000.tar")}
    assert facts == {(0, 0, 0, "", "", 0o444)}


def test_the_json_begins_with_the_fields_of_img2dataset_1_47(release):
    with tarfile.open(release / "00000.tar") as tar:
        content = json.load(tar.extractfile("000000003.json"))
    expected = ["url", "caption", "key", "status", "error_message", "width", "height", "original_width"]
    assert list(content)[:11] == [*expected, "original_height", "exif", "sha256"]
    assert (content["key"], content["status"], content["error_message"]) == ("000000003", "success", None)
    assert content["captured_at"] == "2026-10-01T00:03:00Z"
    assert not {"fetched_at", "fetch_ms", "host_key", "data_offset"} & set(content)


def test_the_archive_ends_as_posix_asks(release):
    content = (release / "00000.tar").read_bytes()
    last = max(m.offset_data + -(-m.size // 512) * 512 for m in members(release / "00000.tar"))
    assert content[last:].strip(b"\0") == b""
    assert len(content) - last >= 1024
    assert len(content) % 10240 == 0


def test_a_sample_is_read_by_seeking_only(release):
    row = pq.read_table(release / "00001.parquet").to_pylist()[17]
    with (release / row["shard"]).open("rb") as file:
        file.seek(row["image_offset"])
        image = file.read(row["image_size"])
        file.seek(row["text_offset"])
        text = file.read(row["text_size"])
        file.seek(row["json_offset"])
        content = json.loads(file.read(row["json_size"]))
    assert image == sample(117)[1]
    assert text.decode() == row["caption"] == content["caption"]
    assert content["key"] == row["key"] == "000010017"


def test_read_sample_finds_a_sample_by_its_key(release):
    found = read_sample(str(release / "00001.tar"), "000010033")
    assert found["__image__"] == sample(133)[1]
    assert found["__text__"].decode() == found["caption"]
    assert json.loads(found["__json__"])["uid"] == found["uid"]


def test_read_sample_works_on_any_file_system(release):
    memory = fsspec.filesystem("memory")
    for name in ("00001.tar", "00001.parquet"):
        memory.pipe_file(f"/bucket/{name}", (release / name).read_bytes())
    assert read_sample("memory://bucket/00001.tar", "000010005")["__image__"] == sample(105)[1]


def test_read_sample_says_what_is_missing(release):
    with pytest.raises(KeyError, match="000020000"):
        read_sample(str(release / "00001.tar"), "000020000")


LEAKY = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # webdataset leaves its files to the garbage collector


@LEAKY
def test_the_webdataset_package_reads_it(release):
    shards = str(release / "{00000..00001}.tar")
    read = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
    assert [one["__key__"] for one in read] == [f"{shard:05d}{index:04d}" for shard in range(2) for index in range(40)]
    for one in read:
        assert one["jpg"].size == (one["json"]["width"], one["json"]["height"])
        assert one["txt"] == one["json"]["caption"]


@LEAKY
def test_open_clips_pipeline_reads_it(release):
    """The stages of open_clip_train's image pipeline: filter, decode to RGB, rename, to tuple; broken samples raise."""
    pipeline = webdataset.DataPipeline(
        webdataset.SimpleShardList(str(release / "{00000..00001}.tar")),
        webdataset.tarfile_to_samples(handler=webdataset.reraise_exception),
        webdataset.select(lambda one: "txt" in one and any(kind in one for kind in ("jpg", "png", "jpeg", "webp"))),
        webdataset.decode("pilrgb", handler=webdataset.reraise_exception),
        webdataset.rename(image="jpg;png;jpeg;webp", text="txt"),
        webdataset.to_tuple("image", "text"),
    )
    read = list(pipeline)
    assert len(read) == 80
    assert all(isinstance(image, Image.Image) and image.mode == "RGB" and text for image, text in read)


def test_metadata_says_what_each_column_means(release):
    schema = pq.read_schema(release / "00000.parquet")
    assert all(field.metadata and field.metadata[b"doc"] for field in schema)
    assert {"uid", "page_url", "warc_file", "warc_offset", "x_robots_tag", "fetched_at"} <= set(schema.names)
    assert not {"data_offset", "data_size"} & set(schema.names)


def test_png_and_webp_members_have_their_own_extension(tmp_path):
    rows = [sample(0, format="png"), sample(1, format="webp"), sample(2, format=None)]
    WebDataset().write(Shard(0), rows, tmp_path)
    images = [m.name for m in members(tmp_path / "00000.tar") if not m.name.endswith(("json", "txt"))]
    assert images == ["000000000.png", "000000001.webp", "000000002.jpg"]


@given(name=st.from_regex(r"[0-9]{1,20}\.[a-z]{1,4}", fullmatch=True), size=st.integers(0, 8**11 - 1))
def test_headers_are_those_of_tarfile(name, size):
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o444
    assert _header(name.encode(), size) == member.tobuf(tarfile.USTAR_FORMAT)


@given(sizes=st.lists(st.sampled_from([0, 1, 511, 512, 513, 10_240]), max_size=6))
def test_any_sizes_round_trip(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("sizes")
    row = sample(0)[0]
    WebDataset().write(Shard(0), [(row, bytes([65 + i]) * size) for i, size in enumerate(sizes)], folder)
    with tarfile.open(fileobj=io.BytesIO((folder / "00000.tar").read_bytes()), mode="r|") as tar:
        read = [tar.extractfile(member).read() for member in tar if member.name.endswith(".jpg")]
    assert read == [bytes([65 + i]) * size for i, size in enumerate(sizes)]


def test_braces_name_all_shards():
    assert braces(["00000"]) == "00000"
    assert braces(["00000", "00001", "00002"]) == "{00000..00002}"


def test_usage_names_the_real_files_and_the_type_of_every_json_field():
    usage = WebDataset().usage(Release(("00000", "00001"), 80, "webp"))
    assert "{00000..00001}.tar" in usage.markdown
    assert '["webp"]' in usage.markdown
    features = usage.features[1]["struct"]
    types = {field["name"]: field["dtype"] for field in features if "dtype" in field}
    (signals,) = (field["list"] for field in features if "list" in field)
    assert [field["name"] for field in signals] == ["name", "says", "value", "url", "field", "line"]
    assert types["captured_at"] == types["key"] == types["page_license"] == "string"
    assert types["language_score"] == "float32"
