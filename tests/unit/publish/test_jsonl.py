"""A document a line: what any reader of JSON sees."""

import io
import json

import zstandard

from allmende.publish import Shard
from allmende.publish.jsonl import Jsonl
from allmende.schema import DOCUMENTS
from allmende.testing.samples import document


def lines(path):
    content = io.BytesIO(path.read_bytes())
    return [json.loads(line) for line in zstandard.ZstdDecompressor().stream_reader(content).read().splitlines()]


def test_a_line_has_every_field_in_a_form_that_all_readers_of_json_understand(tmp_path):
    row = document(1)
    Jsonl().write(Shard(3, schema=DOCUMENTS), [(row, b""), (document(2, quality=None), b"")], tmp_path)
    first, second = lines(tmp_path / "00003.jsonl.zst")
    assert list(first) == ["key", *DOCUMENTS.names]
    assert (first["key"], first["text"], first["tokens"]) == ("000030000", row["text"], None)
    assert first["text_key"] == f"{row['text_key']:016x}"
    assert first["captured_at"] == "2026-10-01T00:01:00Z"
    assert (first["quality"], second["quality"]) == (dict(row["quality"]), None)


def test_the_file_knows_when_it_is_damaged(tmp_path):
    Jsonl().write(Shard(0, schema=DOCUMENTS), [(document(1), b"")], tmp_path)
    content = (tmp_path / "00000.jsonl.zst").read_bytes()
    assert zstandard.get_frame_parameters(content).has_checksum


def test_the_usage_has_snippets_for_datasets_shell_and_pandas():
    from allmende.publish import Release

    markdown = Jsonl().usage(Release(("00007",), 1, schema=DOCUMENTS)).markdown
    assert "shards/00007.jsonl.zst" in markdown
    assert markdown.count("### ") == 3
