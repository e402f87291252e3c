"""Whether two datasets are the same: every file's content, but for what a clock wrote."""

import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq

CLOCK_COLUMNS = ("fetched_at", "fetch_ms")
"""Columns that tell when and how fast."""

CLOCK_KEYS = (*CLOCK_COLUMNS, "started", "seconds", "start_time", "end_time", "duration")
"""The same in JSON: of manifests, statistics and samples."""

LOGS = ("events.jsonl", ".lock", ".workers", "README.md", "report.html")
"""Files that tell of the build, not of the data; the documents give its date and pace."""


def fingerprint(dataset: str | Path) -> dict[str, str]:
    """SHA-256 of each file of a local dataset, by name, with clock readings left out.

    Two builds of the same recipe over the same web have the same fingerprint, whatever happened on the way.
    """
    root = Path(dataset)
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name not in LOGS)
    return {path.relative_to(root).as_posix(): sha256(_content(path)).hexdigest() for path in files}


def _content(path: Path) -> bytes:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        table = table.drop_columns([name for name in table.column_names if name in CLOCK_COLUMNS])
        return repr((table.schema.names, table.to_pylist())).encode()
    if path.suffix == ".json":
        return _timeless(path.read_bytes(), manifest="part-" in path.name)
    if path.suffix == ".tar":
        return _tar(path)
    return path.read_bytes()


def _tar(path: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            content = file.read() if file else b""
            out.write(f"{member.name} {len(content)}\n".encode())
            out.write(_timeless(content) if member.name.endswith(".json") else content)
    return out.getvalue()


def _timeless(content: bytes, *, manifest: bool = False) -> bytes:
    value = json.loads(content)
    for key in CLOCK_KEYS:
        value.pop(key, None)
    if manifest:  # sizes and digests of files with clock columns in them
        value["files"] = sorted(value["files"])
    return json.dumps(value, sort_keys=True).encode()
