"""What hosts said is stored by day and bucket, and read back once."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from allmende.lake import Lake
from allmende.permission.hosts import HostFile
from allmende.schema import HOSTS, Reason
from allmende.steps.host_records import HostRecords
from allmende.testing.compare import fingerprint

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def file(host, *, kind="robots.txt", at=NOW, body=b"User-agent: *", reason=None, status=200):
    url = f"https://{host}.example/{kind}"
    return HostFile(kind=kind, url=url, status=status, at=at, body=body, reason=reason)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "set")


def test_what_was_stored_comes_back_by_bucket(lake):
    files = [file(name, kind=kind) for name in "abcdefgh" for kind in ("robots.txt", "ai.txt")]
    HostRecords(lake, 8, NOW).store(files)
    records = HostRecords(lake, 8, NOW + timedelta(hours=1))
    found = [each for one in files for each in records.take(one.url)]
    assert sorted(found, key=lambda each: each.url) == sorted(files, key=lambda each: each.url)
    assert records.empty
    assert records.take(files[0].url) == []


def test_failures_and_older_days_are_not_read_back(lake):
    away = file("a", body=b"", status=404, reason=Reason.HTTP_NOT_FOUND)
    failed = file("b", body=b"", status=503, reason=Reason.HTTP_SERVER_ERROR)
    silent = file("c", body=b"", status=None, reason=Reason.DNS_NOT_FOUND)
    old = file("d", at=NOW - timedelta(days=2))
    HostRecords(lake, 1, NOW).store([away, failed, silent, old])
    assert HostRecords(lake, 1, NOW).take("https://z.example/") == [away]


def test_days_are_those_of_utc(lake):
    HostRecords(lake, 1, NOW).store([file("a", at=datetime.fromisoformat("2026-11-23T00:30:00+02:00"))])
    assert [name.split("/")[1] for name in lake.files_below("hosts")] == ["2026-11-22"]


def test_a_table_of_hosts_has_its_schema_and_digests(lake):
    HostRecords(lake, 1, NOW).store([file("a")])
    (name,) = lake.files_below("hosts")
    with lake.open(name) as stored:
        table = pq.read_table(stored)
    assert table.schema.equals(HOSTS)
    assert table.column("sha256").to_pylist() == [file("a").sha256]


def test_a_file_that_nobody_finished_is_passed_over(lake):
    HostRecords(lake, 1, NOW).store([file("a")])
    (name,) = lake.files_below("hosts")
    folder = lake.local / "hosts/2026-11-22"
    (folder / ".00000-0.parquet.77").write_bytes(b"half")
    assert lake.files_below("hosts") == [name]
    assert len(HostRecords(lake, 1, NOW).take("https://a.example/")) == 1


def test_it_does_not_matter_who_stored_an_answer_or_how_often(tmp_path):
    one, other = Lake(tmp_path / "one"), Lake(tmp_path / "other")
    HostRecords(one, 1, NOW).store([file("a"), file("b")])
    HostRecords(other, 1, NOW).store([file("b"), file("a")])
    HostRecords(other, 1, NOW).store([file("a", at=NOW + timedelta(minutes=3))])
    assert fingerprint(tmp_path / "one") == fingerprint(tmp_path / "other") != {}
    HostRecords(other, 1, NOW).store([file("a", body=b"another")])
    assert fingerprint(tmp_path / "one") != fingerprint(tmp_path / "other")
