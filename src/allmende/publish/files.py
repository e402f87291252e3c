"""Plain files: a folder a shard with image, caption and JSON of each sample, as img2dataset's `files` format.

    00000/             000000000.jpg, 000000000.json, 000000000.txt, 000000001.jpg ...
    00000.parquet      a row for each sample: key, file name, all metadata
    00000_stats.json   counts, as img2dataset writes them

Meant for looking around and for some ten thousand samples; beyond that, file systems prefer archives.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.errors import LakeError
from allmende.publish.member import check_images, described, json_fields, metadata_writer, statistics, write_file
from allmende.publish.sink import Release, Sample, Shard, Usage, WrittenShard
from allmende.publish.unsafe import why_unsafe

FIELDS = (
    pa.field("key", pa.string(), metadata={"doc": "Name of the sample's files, without folder and extension."}),
    pa.field("file", pa.string(), metadata={"doc": "The image's path, relative to this table."}),
)
"""Columns of the metadata table before those of the samples."""


class Files:
    """The sink `files`."""

    def write(self, shard: Shard, samples: Iterable[Sample], directory: Path) -> WrittenShard:
        """Writes the folder `NNNNN`, `NNNNN.parquet` and `NNNNN_stats.json`; see `Sink.write`."""
        check_images(shard, "files")
        (directory / shard.name).mkdir()
        files = []
        fields = json_fields(shard.schema)
        rows = 0
        with metadata_writer(shard, FIELDS, directory) as table:
            for index, (row, image) in enumerate(samples):
                key = shard.key(index)
                path = f"{shard.name}/{key}.{row.get('format') or 'jpg'}"
                files += [
                    write_file(directory, path, image),
                    write_file(directory, f"{shard.name}/{key}.json", described(row, key, fields)),
                    write_file(directory, f"{shard.name}/{key}.txt", (row.get("caption") or "").encode()),
                ]
                table.add({**row, "key": key, "file": path, "status": "success"})
                rows += 1
        stats = write_file(directory, f"{shard.name}_stats.json", statistics(rows))
        return WrittenShard(shard.number, rows, (*files, table.facts(), stats))

    def read(self, folder: str, shard: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yields the samples of a shard; see `Sink.read`."""
        fs, path = fsspec.core.url_to_fs(folder)
        with fs.open(f"{path}/{shard}.parquet", "rb") as table:
            for batch in pq.ParquetFile(table).iter_batches(batch_size=500):
                for row in batch.to_pylist():
                    if why := why_unsafe(row["file"] or ""):
                        raise LakeError(f"{folder}/{shard}.parquet names the file {row['file']!r}: {why}.")
                    yield row, fs.cat_file(f"{path}/{row['file']}")

    def usage(self, release: Release) -> Usage:
        """A snippet with nothing but Pillow and pyarrow; see `Sink.usage`."""
        return Usage(f"{release.folder}/*.parquet", (), _USAGE.format(folder=release.folder, first=release.shards[0]))


_USAGE = """\
### Python

```python
import pyarrow.parquet as pq
from PIL import Image

for row in pq.read_table("{folder}/{first}.parquet").to_pylist():
    print(Image.open("{folder}/" + row["file"]).size, row["caption"], row["page_url"])
```
"""
