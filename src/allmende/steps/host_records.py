"""What hosts said about mining, stored: `hosts/DAY/BUCKET-ID.parquet`, each file written whole and never changed.

A worker stores what it was told before it commits a part that relies on it. So the evidence for a row is always there, and
a build that goes on within a day asks no host again. Two workers may have asked the same host, or one may have died after
it stored: whoever reads takes one row for each file, day and digest.
"""

import io
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from allmende.extract.urls import split_host
from allmende.identity import key64
from allmende.lake import Lake
from allmende.parts import part_id
from allmende.permission.hosts import LIFE, HostFile
from allmende.schema import HOSTS, Reason

FOLDER = "hosts"

STORE_BYTES = 16_000_000
"""Bodies that wait for a part to commit are stored when they are more than this."""


class HostRecords:
    """The records of a dataset: those of the last day, bucket by bucket, and new ones.

    Args:
        lake: The dataset.
        buckets: In how many its hosts are divided, a power of two.
        now: The time; what is stored later than this is not read back.
    """

    def __init__(self, lake: Lake, buckets: int, now: datetime):
        self._lake = lake
        self._shift = 64 - (buckets.bit_length() - 1)
        self._stored: dict[str, list[str]] = {}
        for day in sorted({(now - LIFE).date(), now.date()}):
            folder = f"{FOLDER}/{day}"
            for name in sorted(lake.names(folder)):
                if name.endswith(".parquet") and not name.startswith("."):
                    self._stored.setdefault(name.partition("-")[0], []).append(f"{folder}/{name}")

    @property
    def empty(self) -> bool:
        """True if nothing is stored that was not taken."""
        return not self._stored

    def take(self, url: str) -> list[HostFile]:
        """What is stored of all hosts in a URL's bucket; once, then nothing. Hosts that failed are to be asked anew."""
        files: list[HostFile] = []
        for name in self._stored.pop(self._bucket(url), ()):
            with self._lake.open(name) as file:
                rows = pq.read_table(file, schema=HOSTS).to_pylist()
            files += (found for row in rows if not (found := _file(row)).failed)
        return files

    def store(self, files: Iterable[HostFile]) -> None:
        """Writes what hosts said."""
        found: dict[tuple[date, str], list[HostFile]] = {}
        for file in files:
            found.setdefault((file.at.astimezone(UTC).date(), self._bucket(file.url)), []).append(file)
        for (day, bucket), group in found.items():
            out = io.BytesIO()
            pq.write_table(_table(group), out, compression="zstd")
            self._lake.write(f"{FOLDER}/{day}/{bucket}-{uuid4().hex[:16]}.parquet", out.getvalue())

    def _bucket(self, url: str) -> str:
        return part_id(key64(split_host(url)) >> self._shift)


def _table(files: list[HostFile]) -> pa.Table:
    rows = [
        {
            "kind": file.kind,
            "url": file.url,
            "status": file.status,
            "reason": str(file.reason) if file.reason else None,
            "fetched_at": file.at,
            "sha256": file.sha256,
            "body": file.body,
        }
        for file in files
    ]
    return pa.Table.from_pylist(rows, HOSTS)


def _file(row: dict[str, Any]) -> HostFile:
    return HostFile(
        kind=row["kind"],
        url=row["url"],
        status=row["status"],
        at=row["fetched_at"],
        body=row["body"],
        reason=Reason[row["reason"].upper()] if row["reason"] else None,
    )
