"""The table with images inside: what Hugging Face `datasets` needs, and bounded row groups."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.publish import Shard
from allmende.publish.parquet import Parquet, table_schema
from allmende.schema import DOCUMENTS, SAMPLES
from allmende.testing.samples import document, sample


def test_images_are_hugging_face_images(tmp_path):
    Parquet().write(Shard(3), [sample(0), sample(1, format="webp")], tmp_path)
    table = pq.read_table(tmp_path / "00003.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["captured_at"] == {"dtype": "timestamp[ms, tz=UTC]", "_type": "Value"}
    assert features["language_score"] == {"dtype": "float32", "_type": "Value"}
    assert list(features) == table.schema.names
    images = table["image"].to_pylist()
    assert images[0] == {"bytes": sample(0)[1], "path": "000030000.jpg"}
    assert images[1]["path"] == "000030001.webp"


def test_row_groups_are_bounded_by_rows_and_by_bytes(tmp_path):
    small, large = sample(0)[0], bytes(9_000_000)
    Parquet().write(Shard(0), [(small, b"x")] * 2100 + [(small, large)] * 9, tmp_path)
    parquet = pq.ParquetFile(tmp_path / "00000.parquet").metadata
    assert [parquet.row_group(i).num_rows for i in range(parquet.num_row_groups)] == [1000, 1000, 104, 4, 1]


def test_images_have_no_statistics_and_words_have(tmp_path):
    Parquet().write(Shard(0), [sample(0)], tmp_path)
    group = pq.ParquetFile(tmp_path / "00000.parquet").metadata.row_group(0)
    statistics = {group.column(i).path_in_schema: group.column(i).is_stats_set for i in range(group.num_columns)}
    assert not statistics["image.bytes"]
    assert statistics["language"]


def test_list_columns_have_a_feature_too():
    schema = SAMPLES.append(pa.field("embedding", pa.list_(pa.float32())))
    features = json.loads(table_schema(schema).metadata[b"huggingface"])["info"]["features"]
    assert features["embedding"] == {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "List"}


def test_documents_have_no_image_and_measures_as_pairs(tmp_path):
    """`datasets` 5.2 has no maps: "Arrow type map does not have a datasets dtype equivalent"."""
    row = document(1)
    Parquet().write(Shard(0, schema=DOCUMENTS), [(row, b"")], tmp_path)
    table = pq.read_table(tmp_path / "00000.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == table.schema.names == ["key", *DOCUMENTS.names]
    pair = {"name": {"dtype": "string", "_type": "Value"}, "value": {"dtype": "float64", "_type": "Value"}}
    assert features["quality"] == {"feature": pair, "_type": "List"}
    assert table["quality"][0].as_py() == [{"name": name, "value": value} for name, value in row["quality"]]
    assert next(Parquet().read(str(tmp_path), "00000"))[0]["quality"] == row["quality"]
