"""Parquet with the images inside, as Hugging Face's `Image` feature: one file a shard, metadata and bytes together.

    00000.parquet      key, image {bytes, path}, all metadata

A table of documents has no images: it is the rows, with their keys. A map becomes a list of pairs, because `datasets` has no
maps (5.2: "Arrow type map does not have a datasets dtype equivalent").

A row group holds at most 1,000 rows or 32 MB of images, whichever is reached first: that bounds the memory of writer and
reader, and is small enough for the dataset viewer, which reads whole row groups.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.publish.member import TableWriter, dtype, has_images, released
from allmende.publish.sink import Release, Row, Sample, Shard, Usage, WrittenShard
from allmende.schema import DOCUMENTS

ROWS_PER_GROUP = 1_000
BYTES_PER_GROUP = 32_000_000

FIELDS = (
    pa.field("key", pa.string(), metadata={"doc": "Name of the sample: shard and index, as in the other formats."}),
    pa.field(
        "image",
        pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())]),
        metadata={"doc": "The stored image: its bytes, and a file name that tells the format."},
    ),
)
"""Columns before those of the samples; of documents only the first."""


class Parquet:
    """The sink `parquet`."""

    def write(self, shard: Shard, samples: Iterable[Sample], directory: Path) -> WrittenShard:
        """Writes `NNNNN.parquet`; see `Sink.write`."""
        schema = table_schema(shard.schema)
        maps, rows = _maps(shard.schema), 0
        with TableWriter(directory, f"{shard.name}.parquet", schema, ROWS_PER_GROUP, BYTES_PER_GROUP) as table:
            for index, (row, image) in enumerate(samples):
                key = shard.key(index)
                path = f"{key}.{row.get('format') or 'jpg'}"
                stored = {"image": {"bytes": image, "path": path}} if has_images(shard.schema) else {}
                table.add({**row, **_pairs(row, maps), "key": key, **stored}, len(image) + len(row.get("text") or ""))
                rows += 1
        return WrittenShard(shard.number, rows, (table.facts(),))

    def read(self, folder: str, shard: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yields the samples of a shard; see `Sink.read`."""
        with fsspec.open(f"{folder}/{shard}.parquet", "rb") as file:
            table = pq.ParquetFile(file)
            maps = [name for name in _maps(DOCUMENTS) if name in table.schema_arrow.names]
            for batch in table.iter_batches(batch_size=100):
                for row in batch.to_pylist():
                    image = row.pop("image", None)
                    for name in maps:
                        row[name] = row.get(name) and [(pair["name"], pair["value"]) for pair in row[name]]
                    yield row, image["bytes"] if image else b""

    def usage(self, release: Release) -> Usage:
        """A snippet for datasets, and one for a look at the table; see `Sink.usage`."""
        text = (_USAGE if has_images(release.schema) else _TEXT_USAGE).format(
            folder=release.folder, first=release.shards[0]
        )
        return Usage(f"{release.folder}/*.parquet", (), text)


def table_schema(schema: pa.Schema) -> pa.Schema:
    """The columns of a shard, with the features that Hugging Face `datasets` reads from the file's metadata."""
    fields = [*(FIELDS if has_images(schema) else FIELDS[:1]), *map(_paired, released(schema))]
    features = {field.name: _feature(field.type) for field in fields}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _paired(field: pa.Field) -> pa.Field:
    """A field of a map as a list of name and value; any other as it is."""
    if not pa.types.is_map(field.type):
        return field
    pair = pa.struct([pa.field("name", field.type.key_type), pa.field("value", field.type.item_type)])
    return pa.field(field.name, pa.list_(pair), metadata=field.metadata)


def _maps(schema: pa.Schema) -> list[str]:
    """Names of the columns that hold maps."""
    return [field.name for field in schema if pa.types.is_map(field.type)]


def _pairs(row: Row, maps: Iterable[str]) -> dict[str, Any]:
    """The maps of a row in their stored form."""
    return {name: row.get(name) and [{"name": key, "value": value} for key, value in row[name]] for name in maps}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """A column's type in the notation of `datasets.Features.to_dict`."""
    if pa.types.is_struct(kind):
        inner = {field.name: _feature(field.type) for field in kind}
        return {"_type": "Image"} if inner.keys() == {"bytes", "path"} else inner
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": dtype(kind), "_type": "Value"}


_USAGE = """\
### Hugging Face datasets

```python
from pathlib import Path

from datasets import load_dataset

dataset = load_dataset(str(Path.cwd()), split="train", streaming=True)
for sample in dataset:
    print(sample["key"], sample["image"].size, sample["caption"], sample["page_url"])
```

### The metadata alone

Only the columns asked for are read, so the images cost nothing.

```python
import pyarrow.parquet as pq

print(pq.read_table("{folder}/{first}.parquet", columns=["key", "url", "caption", "language"]))
```
"""

_TEXT_USAGE = """\
### Hugging Face datasets

```python
from pathlib import Path

from datasets import load_dataset

dataset = load_dataset(str(Path.cwd()), split="train", streaming=True)
for document in dataset:
    print(document["key"], document["language"], document["url"], document["text"][:80])
```

### pandas

```python
import pandas

print(pandas.read_parquet("{folder}/{first}.parquet", columns=["language", "url", "text"]))
```

### DuckDB

Only the columns asked for are read.

```sql
SELECT language, count(*), sum(words) FROM '{folder}/*.parquet' GROUP BY ALL ORDER BY 2 DESC;
```
"""
