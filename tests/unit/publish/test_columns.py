"""Columns read from files of releases, sound and damaged, in both formats."""

import io
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from allmende.errors import LakeError
from allmende.lake import Lake
from allmende.publish.columns import AT_ONCE, read_columns

WANTED = pa.schema(
    [
        pa.field("uid", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("text_key", pa.uint64()),
        pa.field("captured_at", pa.timestamp("ms", "UTC")),
    ]
)
ROWS = [
    {"uid": f"{n:032x}", "url": None, "text_key": 2**64 - 1 - n, "captured_at": datetime(2026, 11, 1, tzinfo=UTC)}
    for n in range(AT_ONCE + 3)
]


def table(rows, schema=WANTED):
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


def line(row):
    return msgspec.json.encode(row | {"text_key": f"{row['text_key']:016x}", "text": "words"}) + b"\n"


def packed(lines):
    """Two frames, as shards may have."""
    middle = len(lines) // 2
    return b"".join(zstandard.compress(b"".join(some)) for some in (lines[:middle], lines[middle:]))


LINES = [line(row) for row in ROWS]


def read(content, name):
    return pa.Table.from_batches(read_columns(io.BytesIO(content), name, WANTED), WANTED)


@pytest.mark.parametrize(("content", "name"), [(table(ROWS), "a.parquet"), (packed(LINES), "a.jsonl.zst")])
def test_both_formats_give_the_same(content, name):
    assert read(content, name).to_pylist() == ROWS


def test_columns_that_are_not_there_are_null():
    assert read(table(ROWS[:1], pa.schema([WANTED.field("uid")])), "a.parquet").column("url").to_pylist() == [None]
    assert read(packed([b'{"uid":"0"}\n']), "a.jsonl.zst").column("text_key").to_pylist() == [None]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl.zst", packed([*LINES[:4], b"{\n"]), "a.jsonl.zst, line 5: no document"),
        ("a.jsonl.zst", packed([LINES[0], b"[]\n"]), "line 2: no document"),
        ("a.jsonl.zst", packed([b'{"uid":7}\n']), "line 1: no document"),
        ("a.jsonl.zst", packed([b'{"uid":"0","text_key":"xyz"}\n']), "line 1: no document"),
        ("a.jsonl.zst", packed([b'{"uid":"0","captured_at":"May"}\n']), "line 1: no document"),
        ("a.jsonl.zst", packed([b"\xff\n"]), "line 1: no document"),
        ("a.jsonl.zst", packed([b"[" * 100_000]), "line 1: no document"),
        ("a.jsonl.zst", packed([b"{}\n"]), "rows without uid"),
        ("a.jsonl.zst", packed(LINES)[:-40], "Truncated"),
        ("a.jsonl.zst", b"nothing", "can't be read"),
        ("a.jsonl.zst", b"", "it is empty"),
        ("a.parquet", table(ROWS)[:-8], "can't be read"),
        ("a.parquet", b"", "can't be read"),
        ("a.parquet", table(ROWS, WANTED.remove(0)), "rows without uid"),
        ("a.parquet", table([{"uid": "0", "captured_at": "May"}], pa.schema(dict.fromkeys(("uid", "captured_at"), pa.string()))), "can't be read"),
    ],
    ids=range(15),
)  # fmt: skip
def test_damage_is_an_error_with_its_place(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LakeError, match=told) as caught, Lake(tmp_path).open(name) as file:
        list(read_columns(file, name, WANTED))
    assert "allmende verify" in str(caught.value)
