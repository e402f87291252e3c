"""Whether two datasets are the same: every file's content, but for what a clock wrote."""

import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CLOCK_COLUMNS = ("fetched_at", "fetch_ms")
"""Columns that tell when and how fast."""

CLOCK_KEYS = (*CLOCK_COLUMNS, "started", "seconds", "start_time", "end_time", "duration")
"""The same in JSON: of manifests, statistics and samples."""

LOGS = ("events.jsonl", ".lock", ".workers", "README.md", "report.html", "manifest.json")
"""Files that tell of the build, not of the data; the documents give its date and pace, the manifest their digests."""

OWN_FOLDERS = ("releases", "tombstones", "hosts")
"""Folders that each dataset has its own content in: times of releases, keys of the take-down log, answers of hosts."""


def fingerprint(dataset: str | Path) -> dict[str, str]:
    """SHA-256 of each file of a local dataset, by name, with clock readings left out.

    Two builds of the same recipe over the same web have the same fingerprint, whatever happened on the way.
    """
    root = Path(dataset)
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name not in LOGS)
    names = {path: path.relative_to(root) for path in files}
    found = {n.as_posix(): sha256(_content(p)).hexdigest() for p, n in names.items() if n.parts[0] not in OWN_FOLDERS}
    hosts = _hosts(root / "hosts")
    return found | ({"hosts": sha256(repr(hosts).encode()).hexdigest()} if hosts else {})


def _hosts(folder: Path) -> list[tuple[object, ...]]:
    """What hosts said, each answer once: which worker stored it, and whether it was asked again after a kill, is chance."""
    tables = [pq.read_table(path).to_pylist() for path in sorted(folder.rglob("*.parquet"))]
    return sorted({(r["url"], r["kind"], r["status"] or 0, r["reason"] or "", r["sha256"]) for t in tables for r in t})


def _content(path: Path) -> bytes:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        table = table.drop_columns([name for name in table.column_names if name in CLOCK_COLUMNS])
        rows = table.to_pylist()
        for row in rows:
            _forget_times(row)
        return repr((table.schema.names, rows)).encode()
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


def _forget_times(row: dict[str, Any]) -> None:
    """Leaves out when signals were read."""
    signals = row.get("signals")
    for signal in signals if isinstance(signals, list) else ():
        signal.pop("at", None)


def _timeless(content: bytes, *, manifest: bool = False) -> bytes:
    value = json.loads(content)
    for key in CLOCK_KEYS:
        value.pop(key, None)
    _forget_times(value)
    if manifest:  # sizes and digests of files with clock columns in them
        value["files"] = sorted(value["files"])
    return json.dumps(value, sort_keys=True).encode()
