import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende import url_table
from allmende.errors import RecipeError, SourceError

ROWS = [
    {"url": "http://a.example/1.jpg", "caption": 'Ein Hund, "schnell"'},
    {"url": "http://b.example/2.jpg", "caption": "zwei\tKatzen"},
]


def write(path):
    kind = url_table.format_of(str(path))
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return
    quoted = lambda text: '"' + text.replace('"', '""') + '"'  # noqa: E731
    lines = {
        "csv": ["url,caption", *(f"{r['url']},{quoted(r['caption'])}" for r in ROWS)],
        "tsv": ["url\tcaption", *(f"{r['url']}\t{quoted(r['caption'])}" for r in ROWS)],
        "json": [json.dumps(ROWS)],
        "jsonl": [json.dumps(r) for r in ROWS],
        "txt": [r["url"] for r in ROWS],
    }[kind]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("kind", [*url_table.FORMATS, *(f"{f}.gz" for f in url_table.FORMATS if f != "parquet")])
def test_every_format_gives_the_same_rows(tmp_path, kind):
    path = tmp_path / f"urls.{kind}"
    write(path)
    tables = [batch.rows for batch in url_table.read(str(path), "url")]
    rows = pa.concat_tables(tables).to_pylist()
    assert [r["url"] for r in rows] == [r["url"] for r in ROWS]
    if not kind.startswith("txt"):
        assert [r["caption"] for r in rows] == [r["caption"] for r in ROWS]
    look = url_table.look(str(path), "url", "")
    assert (look.rows, look.row_groups) == (len(ROWS), [len(ROWS)]) if kind == "parquet" else look.row_groups == []


def test_lines_that_cannot_be_parsed_are_counted(tmp_path):
    path = tmp_path / "urls.jsonl"
    path.write_text('{"url": "http://a.example/"}\n{"url": \n[1]\n\n{"url": "http://b.example/"}\n')
    [batch] = url_table.read(str(path), "url")
    assert (len(batch.rows), batch.malformed) == (2, 2)
    path = tmp_path / "urls.csv"
    path.write_text("url,caption\nhttp://a.example/,x\nonly-one-field\n")
    batches = list(url_table.read(str(path), "url"))
    assert (sum(len(b.rows) for b in batches), sum(b.malformed for b in batches)) == (1, 1)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    path = tmp_path / "urls.csv"
    path.write_text("link,text\nhttp://a.example/,x\n")
    with pytest.raises(RecipeError, match="no column 'url'; it has: link, text"):
        list(url_table.read(str(path), "url"))


@pytest.mark.parametrize("kind", ["parquet", "csv", "json", "jsonl.gz", "txt"])
def test_a_caption_column_that_was_named_must_be_there(tmp_path, kind):
    path = tmp_path / f"urls.{kind}"
    write(path)
    url_table.look(str(path), "url", "caption")
    url_table.look(str(path), "url", "")
    there = "url" if kind == "txt" else "url, caption"
    with pytest.raises(RecipeError, match=f"no column 'nope'; it has: {there}. Say which it is: --caption-column"):
        url_table.look(str(path), "url", "nope")
    with pytest.raises(RecipeError, match=r"no column 'nope'.+ --url-column" if kind != "txt" else "'text'"):
        url_table.look(str(path), "nope", "text")


def test_columns_to_keep_must_be_there_and_have_a_kind(tmp_path):
    row = {"url": "x", "s": 0.5, "n": 3, "b": True, "big": 2**63, "t": "a"}
    table = pa.table({name: pa.array([value], pa.uint64() if name == "big" else None) for name, value in row.items()})
    pq.write_table(table, tmp_path / "x.parquet")
    (tmp_path / "x.jsonl").write_text(json.dumps(row))
    kinds = {"s": "double", "n": "int64", "b": "bool", "big": "string", "t": "string"}
    assert url_table.look(str(tmp_path / "x.parquet"), "url", "", tuple(kinds)).kinds == kinds
    assert url_table.look(str(tmp_path / "x.jsonl"), "url", "", tuple(kinds)).kinds == dict.fromkeys(kinds, "string")
    with pytest.raises(RecipeError, match=r"no column 'nope'.+ --keep-column, or select.keep_columns in a recipe"):
        url_table.look(str(tmp_path / "x.jsonl"), "url", "", ("nope",))


def test_a_table_may_have_urls_only_and_one_without_rows_in_json_tells_no_columns(tmp_path):
    (tmp_path / "urls.csv").write_text("url\nhttp://a.example/1.jpg\n")
    url_table.look(str(tmp_path / "urls.csv"), "url", "caption")
    (tmp_path / "urls.jsonl").write_text('{"broken\n')
    url_table.look(str(tmp_path / "urls.jsonl"), "url", "text")


@pytest.mark.parametrize("name", ["urls.parquet", "urls.csv.gz", "urls.json"])
def test_a_damaged_file_is_a_source_error(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"PAR1 this is nothing that anybody wrote")
    with pytest.raises(SourceError, match="not a readable"):
        list(url_table.read(str(path), "url"))


def test_unknown_names_and_missing_files(tmp_path):
    with pytest.raises(RecipeError, match="not a URL table"):
        url_table.format_of("urls.xlsx")
    with pytest.raises(SourceError, match="can't be opened"):
        list(url_table.read(str(tmp_path / "none.csv"), "url"))


def test_an_empty_table_has_no_rows(tmp_path):
    path = tmp_path / "urls.csv"
    path.write_text("url,caption\n")
    assert sum(len(b.rows) for b in url_table.read(str(path), "url")) == 0


def test_bytes_that_are_no_utf8_cost_no_line_and_no_count(tmp_path):
    path = tmp_path / "urls.csv"
    path.write_bytes(
        b"url,caption\nhttp://a.example/1.jpg,b\nhttp://a.example/2.jpg,\xff,c\nhttp://a.example/3.jpg,\xcf\n"
    )
    batches = list(url_table.read(str(path), "url"))
    assert [row["caption"] for batch in batches for row in batch.rows.to_pylist()] == ["b", "\ufffd"]
    assert sum(batch.malformed for batch in batches) == 1


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("two.csv", b"url,caption,caption\nx,y,z\n", "more than one column 'caption'"),
        ("none.csv", b"", "no column 'url'; it has: none"),
        ("packed.parquet.gz", b"", "gunzip"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecipeError, match=rf"{name}.*{told}"):
        list(url_table.read(str(tmp_path / name), "url"))


@pytest.mark.parametrize(
    ("content", "rows", "malformed"),
    [
        (b'{"url": "x"}\n\n{"url": "y"\n{"url": "z"}\n', ["x", "z"], 1),
        (b'{"url": "x"}\n{"url": ' + b"[" * 100_000 + b"\n", ["x"], 1),
        (b'{"url": "x"}', ["x"], 0),
        (b'{\n "url": "x",\n "tags": ["a"]\n}\n', ["x"], 0),
        (b'[\n{"url": "x"}\n]\n', ["x"], 0),
        (b'{"url": {"0": "x", "1": "y"}}', ["x", "y"], 0),
        (b'{"url": ["x", "y"],\n"caption": ["1", "2"]}', ["x", "y"], 0),
    ],
)
def test_what_people_call_json_is_read_by_what_it_holds(tmp_path, content, rows, malformed):
    (tmp_path / "urls.json").write_bytes(content)
    batches = list(url_table.read(str(tmp_path / "urls.json"), "url"))
    assert [row["url"] for batch in batches for row in batch.rows.to_pylist()] == rows
    assert sum(batch.malformed for batch in batches) == malformed


def test_parquet_without_rows_is_asked_for_its_columns_too(tmp_path):
    pq.write_table(pa.table({"link": pa.array([], pa.string())}), tmp_path / "links.parquet")
    with pytest.raises(RecipeError, match="no column 'url'; it has: link"):
        list(url_table.read(str(tmp_path / "links.parquet"), "url"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("wide.csv", "url,caption\nx,y\n".encode("utf-16"), "not text in UTF-8"),
        ("table.csv", b"PAR1\x15\0\0\n", "not text in UTF-8"),
        ("deep.json", b"[" * 100_000, "nor an object a line"),
        ("number.json", b"7", "neither a list of objects, nor columns of one length, nor an object a line"),
        ("uneven.json", b'{"url": ["x", "y"], "caption": ["z"]}', "there are 2 in url, 1 in caption"),
        ("cut.json", b'[{"url": "x"},\n{"url', "nor an object a line"),
    ],
)
def test_what_is_in_another_format_than_its_name_says_is_a_source_error(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=rf"{name} is not a readable .+{told}"):
        list(url_table.read(str(tmp_path / name), "url"))
