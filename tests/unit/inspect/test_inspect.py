"""Real files of every kind, whole and broken, by path and by URL."""

import gzip
import io
import json
import tarfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from allmende.errors import SourceError
from allmende.inspect import Finding, inspect, render_text
from allmende.parts import Manifest, Plan, Tally
from allmende.publish import Shard, load_sink
from allmende.schema import DOCUMENTS
from allmende.testing.archives import Archive, wat_from_warc
from allmende.testing.samples import document, sample


@pytest.fixture
def warc() -> bytes:
    archive = Archive("demo.warc.gz")
    for number in range(3):
        archive.page(
            f"http://a.example/{number}", '<title>A page</title><img src="b.jpg" alt="A red bicycle"><a href="/">x</a>'
        )
        archive.request(f"http://a.example/{number}")
    archive.response("http://a.example/b.jpg", b"\xff\xd8", content_type="image/jpeg")
    return archive.to_bytes()


def look(tmp_path, name: str, content: bytes, **options) -> Finding:
    (tmp_path / name).write_bytes(content)
    return inspect(str(tmp_path / name), **options)


def test_a_warc(tmp_path, warc):
    finding = look(tmp_path, "x.warc.gz", warc)
    assert finding.kind.startswith("WARC archive")
    assert finding.bytes == len(warc)
    assert finding.facts["ispartof"] == "CC-MAIN-2026-99"
    assert finding.facts["records"] == 8
    assert finding.counts["Records"] == {"response": 4, "request": 3, "warcinfo": 1}
    assert finding.counts["HTTP status"] == {"200": 4}
    assert finding.counts["Content-Type"] == {"text/html": 3, "image/jpeg": 1}
    assert finding.examples[0]["url"] == "http://a.example/0"
    assert finding.examples[0]["http"] == "200 text/html"
    assert (finding.problems, finding.complete) == ((), True)


def test_a_wat_tells_its_links(tmp_path, warc):
    finding = look(tmp_path, "x.warc.wat.gz", wat_from_warc(warc))
    assert finding.kind.startswith("WAT archive")
    assert finding.facts["image links"] == 3
    pages = [one for one in finding.examples if one.get("page") == "A page"]
    assert pages[0]["first image"] == "b.jpg · A red bicycle"
    assert (pages[0]["links"], pages[0]["images"]) == ("2", "1")


def test_names_are_not_trusted(tmp_path, warc):
    assert look(tmp_path, "x.csv", warc).kind.startswith("WARC archive")


def test_a_cut_archive_is_described_up_to_the_cut(tmp_path, warc):
    finding = look(tmp_path, "x.warc.gz", warc[:-20])
    assert finding.facts["records"] == 7
    assert "record_truncated" in finding.problems[0]
    assert "! 1 x record_truncated" in render_text(finding)


def test_reading_stops_at_the_limit(tmp_path, warc):
    finding = look(tmp_path, "x.warc.gz", warc, limit=3)
    assert (finding.facts["records"], finding.complete) == (3, False)
    assert "stopped at the limit" in render_text(finding)
    assert look(tmp_path, "x.warc.gz", warc, limit=8).complete
    assert look(tmp_path, "x.warc.gz", warc, limit=0).complete


@pytest.fixture
def release(tmp_path):
    for name in ("webdataset", "parquet"):
        (tmp_path / name).mkdir()
        load_sink(name).write(Shard(0), [sample(seed) for seed in range(9)], tmp_path / name)
    return tmp_path


def test_a_shard(release):
    finding = inspect(str(release / "webdataset" / "00000.tar"), rows=2)
    assert finding.kind == "WebDataset shard (tar)"
    assert (finding.facts["samples"], finding.facts["members"]) == (9, 27)
    assert finding.counts == {"Members": {"jpg": 9, "json": 9, "txt": 9}}
    assert [one["key"] for one in finding.examples] == ["000000000", "000000001"]
    assert finding.examples[1]["txt"] == sample(1)[0]["caption"]
    assert finding.examples[1]["json uid"] == sample(1)[0]["uid"]
    assert finding.examples[1]["jpg"] == f"{len(sample(1)[1]):,} bytes"


@pytest.mark.parametrize("cut", [700, 5_000, 20_000])
def test_a_cut_shard_is_described_up_to_the_cut(release, cut):
    content = (release / "webdataset" / "00000.tar").read_bytes()[:cut]
    finding = look(release, "cut.tar", content)
    assert finding.problems
    assert finding.facts["members"] >= 1


def test_a_shard_cut_between_members_has_no_end_mark(release):
    content = (release / "webdataset" / "00000.tar").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        end = tar.getmembers()[3].offset
    finding = look(release, "cut.tar", content[:end])
    assert "no end mark" in finding.problems[0]
    assert finding.facts["samples"] == 1


def test_a_compressed_shard(release):
    content = gzip.compress((release / "webdataset" / "00000.tar").read_bytes())
    assert look(release, "x.tar.gz", content).facts["samples"] == 9
    assert look(release, "x.tar.gz", content[:-100]).problems


def test_a_parquet_table(release):
    finding = inspect(str(release / "parquet" / "00000.parquet"), rows=1)
    assert (finding.kind, finding.facts["rows"], finding.facts["row groups"]) == ("Parquet table", 9, 1)
    columns = {column.name: column for column in finding.columns}
    assert columns["uid"].doc.startswith("128-bit hash")
    assert columns["image"].type.startswith("struct")
    assert f"<{len(sample(0)[1]):,} bytes>" in finding.examples[0]["image"]


def test_a_foreign_table_has_not_our_meaning_because_names_agree(tmp_path):
    row = {"uid": "1", "url": "http://a", "original_width": "300", "clip_score": "0.3"}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "x.parquet")
    assert {column.doc for column in inspect(str(tmp_path / "x.parquet")).columns} == {""}
    for name, content in (("x.csv", ",".join(row)), ("x.jsonl", json.dumps(row)), ("x.json", json.dumps([row]))):
        assert {column.doc for column in look(tmp_path, name, content.encode()).columns} == {""}
    ours = look(tmp_path, "ours.csv", b"uid,url,caption\n")
    assert ours.columns[1].doc.startswith("Image URL")


def test_a_long_name_does_not_run_into_its_value(tmp_path):
    row = {"page_tdm_reservation": 0, "a_name_that_is_much_longer_than_most": "words", "x": 1}
    text = render_text(look(tmp_path, "x.jsonl", json.dumps(row).encode()))
    assert "  page_tdm_reservation        0\n" in text
    assert "  a_name_that_is_much_longer_than_most  words\n" in text


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_an_image_is_called_so(tmp_path, kind):
    Image.new("RGB", (40, 30), "red").save(tmp_path / "x", kind)
    finding = inspect(str(tmp_path / "x"))
    assert (finding.kind, finding.facts) == (f"{kind} image", {"width": 40, "height": 30})
    if kind == "JPEG":
        assert "tells no size" in look(tmp_path, "cut", (tmp_path / "x").read_bytes()[:20]).problems[0]


def test_a_cut_parquet_table(release):
    content = (release / "parquet" / "00000.parquet").read_bytes()
    assert "Can't be read" in look(release, "x.parquet", content[:-9]).problems[0]


def test_text_tables(tmp_path):
    text = b'url,caption\nhttp://a,"x, y"\nhttp://b,z,too much\n'
    finding = look(tmp_path, "x.csv", text)
    assert (finding.kind, finding.facts) == ("CSV table", {"rows": 2})
    assert finding.examples[0] == {"url": "http://a", "caption": "x, y"}
    assert finding.problems == ("1 rows do not have the 2 cells of the header.",)
    assert look(tmp_path, "x.csv.gz", gzip.compress(text)).facts == {"rows": 2}
    assert look(tmp_path, "x.tsv", text.replace(b",", b"\t")).kind == "TSV table"
    assert look(tmp_path, "x.csv", text, limit=1).complete is False
    assert "cut off" not in str(look(tmp_path, "x.csv", text).problems)


def test_json_lines_in_zstandard(tmp_path):
    shard = load_sink("jsonl").write(
        Shard(0, schema=DOCUMENTS), [(document(seed), b"") for seed in range(30)], tmp_path
    )
    content = (tmp_path / shard.files[0].name).read_bytes()
    finding = inspect(str(tmp_path / "00000.jsonl.zst"))
    assert (finding.kind, finding.facts["rows"], finding.problems) == ("JSON lines", 30, ())
    meaning = {column.name: column.doc for column in finding.columns}
    assert "main text" in meaning["text"].lower()
    for damaged in (content[:-500], content[:40], content[:900] + b"\0" * 40 + content[940:]):
        assert look(tmp_path, "cut.jsonl.zst", damaged).kind


def test_a_cut_compressed_table(tmp_path):
    rows = b"url,caption\n" + b"".join(b"http://a/%d,%d\n" % (n, n * n) for n in range(50_000))
    finding = look(tmp_path, "x.csv.gz", gzip.compress(rows)[:-5000])
    assert finding.facts["rows"] > 1000
    assert "Can't be read beyond row" in finding.problems[0]


def test_json(tmp_path):
    rows = [{"url": "http://a", "n": 1}, {"url": "http://b"}]
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    finding = look(tmp_path, "x.jsonl", lines + b"\n\nnot json\n")
    assert (finding.kind, finding.facts) == ("JSON lines", {"rows": 3})
    assert finding.problems == ("1 lines are not JSON.",)
    assert [column.name for column in finding.columns] == ["url", "n"]
    assert look(tmp_path, "x.json", json.dumps(rows).encode()).facts == {"rows": 2}
    assert look(tmp_path, "x.json", b'{"a": [1, 2],\n "b": "c"}').examples[0] == {"a": "[1, 2]", "b": "c"}
    assert "Not valid JSON" in look(tmp_path, "x.json", b"[1, 2").problems[0]


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_json_that_is_nested_too_deep_is_not_followed(tmp_path, name):
    assert "JSON" in look(tmp_path, name, b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n").problems[0]


def test_lists_of_urls(tmp_path):
    assert look(tmp_path, "x.txt", b"http://a/\nhttps://b/,c\n").kind == "list of URLs"
    assert look(tmp_path, "x.txt", b"words\n").kind == "text file"
    finding = look(tmp_path, "x.txt", b"http://a/\n" * 9, limit=4, rows=2)
    assert (finding.facts["lines"], finding.complete, len(finding.examples)) == (4, False, 2)


def test_manifests_and_plans(tmp_path):
    tally = Tally(10, 7, {"no_caption": 3})
    manifest = Manifest(step="candidates", part="00000", plan="d", files={}, counts={"candidate": tally})
    finding = look(tmp_path, "part-00000.json", msgspec.json.encode(manifest))
    assert finding.kind.startswith("Allmende manifest")
    assert finding.counts["candidate"] == {"seen": 10, "kept": 7, "no_caption": 3}
    assert finding.problems == ()
    manifest.counts["candidate"].seen = 11
    assert "lost" in look(tmp_path, "part-00000.json", msgspec.json.format(msgspec.json.encode(manifest))).problems[0]
    plan = Plan(step="samples", digest="d", parts={"00000": {"unique": ["00001"]}})
    finding = look(tmp_path, "plan.json", msgspec.json.encode(plan))
    assert finding.facts["parts"] == 1
    assert finding.examples[0] == {"part": "00000", "unique": "['00001']"}


def test_folders(release):
    finding = inspect(str(release / "webdataset"))
    assert finding.counts == {"Files": {"tar": 1, "parquet": 1, "json": 1}}
    assert finding.examples[0] == {"file": "00000.parquet"}


def test_datasets(tmp_path):
    (tmp_path / "recipe.toml").write_text('[dataset]\nname = "mine"\n[select]\ncrawl = "CC-MAIN-2026-43"\n')
    finding = inspect(str(tmp_path))
    assert finding.kind == "Allmende dataset"
    assert finding.facts["name"] == "mine"
    assert finding.facts["candidates"] == "not planned yet"


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SourceError, match=r"nothing\.warc\.gz"):
        inspect(str(tmp_path / "nothing.warc.gz"))
    with pytest.raises(SourceError, match="nonsense"):
        inspect("nonsense://a/b")


def test_odd_files(tmp_path):
    assert look(tmp_path, "empty", b"").kind == "empty file"
    assert look(tmp_path, "x.gz", b"\x1f\x8b\x08garbage").kind == "damaged gzip file"
    assert look(tmp_path, "x.bin", b"\x00\x01\x02").facts == {"first bytes": "00 01 02"}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    start=st.sampled_from(
        [b"", b"WARC/1.0\r\n", b"PAR1", b"\x1f\x8b\x08\0", b"{", b'{"a":1}\n', b"[", b"a,b\n", b"a\tb\n"]
    ),
    rest=st.binary(max_size=400),
    name=st.sampled_from(["x", "x.tar", "x.tar.gz", "x.csv", "x.jsonl", "x.toml", "x.gz"]),
)
def test_any_bytes_are_described(tmp_path, start, rest, name):
    assert render_text(look(tmp_path, name, start + rest))


def test_a_terminal_is_safe_from_what_is_shown(tmp_path):
    row = {"caption\x1b[31m": "\x1b]0;title\x07 \N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\nnext"}
    text = render_text(look(tmp_path, "x.jsonl", json.dumps(row).encode()))
    assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_findings_are_values_for_machines(tmp_path, warc):
    finding = look(tmp_path, "x.warc.gz", warc)
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding


def test_the_text_is_wrapped(release):
    text = render_text(inspect(str(release / "webdataset" / "00000.parquet")), width=80)
    assert max(map(len, text.splitlines()[1:])) <= 80


@pytest.fixture
def web(release, warc):
    (release / "x.warc.gz").write_bytes(warc)

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(release))

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_on_the_web(web):
    assert inspect(f"{web}/x.warc.gz").facts["records"] == 8
    assert inspect(f"{web}/webdataset/00000.tar").facts["samples"] == 9
    assert inspect(f"{web}/parquet/00000.parquet").facts["rows"] == 9
    with pytest.raises(SourceError):
        inspect(f"{web}/nothing.warc.gz")


def shard_with(*members):
    """A tar file of two good members, and these."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as file:
        for name, kind in (("0.jpg", tarfile.REGTYPE), ("0.txt", tarfile.REGTYPE), *members):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("0.pkl", tarfile.REGTYPE, "unpickle"),
        ("0.pyd", tarfile.REGTYPE, "unpickle"),
        ("0.model.pth", tarfile.REGTYPE, "unpickle"),
        ("0.PKL", tarfile.REGTYPE, "unpickle"),
        ("../../.bashrc", tarfile.REGTYPE, "out of its folder"),
        ("/etc/cron.d/x", tarfile.REGTYPE, "absolute"),
        ("pipe:touch x", tarfile.REGTYPE, "command"),
        ("0.sh", tarfile.REGTYPE, "program"),
        ("0.png", tarfile.SYMTYPE, "link or a device"),
        ("0.png", tarfile.LNKTYPE, "link or a device"),
        ("0.png", tarfile.CHRTYPE, "link or a device"),
    ],
)
def test_members_that_may_harm_are_told_and_not_followed(tmp_path, name, kind, why):
    (problem,) = look(tmp_path, "00000.tar", shard_with((name, kind))).problems
    assert why in problem
    assert "1 such members" in problem
    assert not (tmp_path / "x").exists()


def test_a_header_may_not_ask_for_memory(tmp_path):
    """tarfile would read all of an extended header at once: here a gigabyte, packed into a megabyte."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    packer = io.BytesIO()
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=1) as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(16):
            file.write(bytes(1 << 20))
    finding = look(tmp_path, "00000.tar.gz", packer.getvalue())
    assert "an extended header of 1,073,741,824 bytes" in finding.problems[0]


@pytest.mark.parametrize("location", ["pipe:touch x", "pipe:cat /etc/passwd |", "| touch x"])
def test_a_location_is_no_command(tmp_path, monkeypatch, location):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        inspect(location)
    assert list(tmp_path.iterdir()) == []
