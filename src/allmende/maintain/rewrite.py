"""A part of `samples/` without the rows that were taken down: their images are gone, and of the rows only counts remain.

A new part replaces the old one as after a retry, so a process may die at any moment.
"""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from allmende.lake import Lake
from allmende.maintain import texts
from allmende.maintain.hits import Hits
from allmende.maintain.search import is_text
from allmende.parts import Manifest, PartWriter, Tally
from allmende.schema import FAILURES, SAMPLES
from allmende.steps.tombstone_screen import blanked


def rewrite(lake: Lake, hits: Hits) -> None:
    """Writes the part anew without the rows that were found."""
    if is_text(lake):
        texts.rewrite(lake, hits)
        return
    folder = lake.step("samples")
    manifest = folder.manifest(hits.part)
    samples = _read(lake, manifest, ".parquet").cast(SAMPLES)
    failures = _read(lake, manifest, ".dropped.parquet").cast(FAILURES)
    gone = [samples.filter(pa.array(hits.samples)), failures.filter(pa.array(hits.failures))]
    failures = pa.concat_tables([failures.filter(pa.array(~hits.failures)), *(blanked(rows) for rows in gone)])
    failures = failures.sort_by([("url_key", "ascending"), ("uid", "ascending")])
    with folder.part(hits.part, manifest.plan, manifest.round + 1) as part:
        kept = _copy_images(lake, manifest, samples.filter(pa.array(~hits.samples)), part)
        pq.write_table(kept, part.file(".parquet"), compression="zstd")
        pq.write_table(failures, part.file(".dropped.parquet"), compression="zstd")
        _copy_others(lake, manifest, part)
        reasons = {v["values"]: v["counts"] for v in failures.column("reason").value_counts().to_pylist()}
        tally = Tally(len(kept) + len(failures), len(kept), dict(sorted(reasons.items())))
        made = part.commit({**manifest.counts, "sample": tally}, facts=manifest.facts)
    _keep_pace(lake, made, manifest)
    lake.remove(f"samples/{name}" for name in manifest.files)


def _read(lake: Lake, manifest: Manifest, suffix: str) -> pa.Table:
    with lake.open(f"samples/{manifest.file(suffix)}") as file:
        return pq.read_table(file)


def _copy_images(lake: Lake, manifest: Manifest, samples: pa.Table, part: PartWriter) -> pa.Table:
    """Copies the images that stay, each once, and says where they are now."""
    placed: dict[int, int] = {}
    offsets = []
    spans = zip(samples.column("data_offset").to_pylist(), samples.column("data_size").to_pylist(), strict=True)
    with lake.open(f"samples/{manifest.file('.bin')}") as old, part.file(".bin").open("wb") as new:
        for begin, size in spans:
            if begin not in placed:
                placed[begin] = new.tell()
                old.seek(begin)
                if new.write(old.read(size)) != size:
                    raise lake.damaged(f"samples/{manifest.file('.bin')}", f"it ends before byte {begin + size:,}")
            offsets.append(placed[begin])
    at = samples.schema.get_field_index("data_offset")
    return samples.set_column(at, SAMPLES.field("data_offset"), pa.array(np.array(offsets, np.int64)))


def _copy_others(lake: Lake, manifest: Manifest, part: PartWriter) -> None:
    """Takes over files that hold neither rows nor images."""
    known = {manifest.file(suffix) for suffix in (".parquet", ".dropped.parquet", ".bin")}
    stem = manifest.file(".bin").removesuffix(".bin")
    for name in manifest.files.keys() - known:
        part.file(name.removeprefix(stem)).write_bytes(lake.step("samples").read_file(manifest, name))


def _keep_pace(lake: Lake, made: Manifest, before: Manifest) -> None:
    """Leaves the part the time of its fetch, which the report tells the crawl's pace from."""
    timed = msgspec.structs.replace(made, started=before.started, seconds=before.seconds)
    lake.write(f"samples/part-{made.part}.json", msgspec.json.format(msgspec.json.encode(timed), indent=1))
