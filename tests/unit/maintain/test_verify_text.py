"""What `allmende verify` finds wrong with releases of text, in Parquet and in JSON lines."""

import io
import json
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from allmende.maintain.verify import verify
from allmende.testing.archives import Archive
from allmende.testing.text_pages import page, paragraphs


@pytest.fixture(params=["parquet", "jsonl"])
def release(request, build_text):
    archive = Archive()
    for seed in range(5):
        archive.page(f"http://a.example/{seed}", page("de", paragraphs("de", seed)))
    lake = build_text([archive], f'[publish]\nsink = "{request.param}"\n')
    return Release(lake, request.param)


class Release:
    """A release of one shard, whose rows can be changed with and without its manifest."""

    def __init__(self, lake, sink):
        self.lake, self.sink = lake, sink
        self.name = "00000" + {"parquet": ".parquet", "jsonl": ".jsonl.zst"}[sink]

    def path(self, name=""):
        return Path(self.lake.root) / "release/shards" / name

    def rows(self):
        if self.sink == "parquet":
            return pq.read_table(self.path(self.name)).to_pylist()
        with zstandard.open(self.path(self.name), "rt") as file:
            return [json.loads(line) for line in file]

    def write(self, rows, types=None):
        out = io.BytesIO()
        if self.sink == "parquet":
            schema = pq.read_schema(self.path(self.name))
            for name, kind in (types or {}).items():
                schema = schema.set(schema.get_field_index(name), pa.field(name, kind))
            pq.write_table(pa.Table.from_pylist(rows, schema), out)
        else:
            out.write(zstandard.compress(b"".join(msgspec.json.encode(row) + b"\n" for row in rows)))
        self.forge(out.getvalue())

    def forge(self, content):
        """Puts another file there, and its size and digest into the manifest."""
        self.path(self.name).write_bytes(content)
        folder = self.lake.step("release/shards")
        manifest = folder.manifest("00000")
        manifest.files = {}
        self.lake.write("release/shards/part-00000.json", msgspec.json.encode(manifest))

    def changed(self, **changes):
        """With other values in the second row: what is wrong then."""
        rows = self.rows()
        self.write([row | changes if number == 1 else row for number, row in enumerate(rows)])
        return self.problems()

    def problems(self):
        found = verify(self.lake.root).problems
        return {kind: count for kind, count in found.items() if kind not in ("manifest_missing", "file_stray")}


def test_a_sound_release_has_no_problems_wherever_it_lies(release, tmp_path):
    for at in (release.lake.root, str(release.path())):
        report = verify(at)
        assert report.problems == {}
        assert (report.sink, report.shards, report.samples) == (release.sink, 1, 5)
    shutil.copytree(release.path(), tmp_path / "copy/shards")
    assert verify(str(tmp_path / "copy")).sound


def test_a_changed_byte_shows(release):
    content = release.path(release.name).read_bytes()
    release.path(release.name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "file_digest" in release.problems()


def test_a_row_that_is_not_what_it_says_shows_even_if_digests_were_made_anew(release):
    text = release.rows()[1]["text"]
    assert release.changed(text=text.replace(" ", "\t")) == {"uid": 1}
    assert release.changed(text=text + "!") == {"uid": 1, "text": 2}
    assert release.changed(text=text, chars=7) == {"text": 1}
    assert release.changed(chars=len(text), url="http://b.example/") == {"uid": 1}


def test_rows_out_of_order_and_missing_rows_show(release):
    rows = release.rows()
    release.write(rows[:3])
    assert release.problems() == {"count": 1}
    release.write([rows[1], rows[0]])
    assert release.problems() == {"key_order": 1, "count": 1}


def test_columns_of_another_type_show(release):
    rows = [row | {"chars": str(row["chars"]) + "x"} for row in release.rows()]
    release.write(rows, {"chars": pa.string()})
    found = release.problems()
    assert found == ({"table_damaged": 1, "count": 1} if release.sink == "parquet" else {"json": 5, "count": 1})


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x28\xb5\x2f\xfd"])
def test_a_file_that_is_none_shows(release, content):
    release.forge(content)
    assert "count" in release.problems()


def test_programs_among_the_shards_show(release):
    release.path("00000.pkl").write_bytes(b"x")
    assert verify(release.lake.root).problems["unsafe"] == 1


@pytest.mark.parametrize("release", ["jsonl"], indirect=True)
@pytest.mark.parametrize("line", [b"[]", b"{", b'"x"', b"{}", b"1", b'{"text_key": 7}', b"\xff", b"[" * 5000])
def test_lines_that_are_no_document_show(release, line):
    rows = release.rows()
    lines = [msgspec.json.encode(row) for row in rows]
    release.forge(zstandard.compress(b"\n".join([lines[0], line, *lines[2:]])))
    assert release.problems() == {"json": 1, "count": 1}
