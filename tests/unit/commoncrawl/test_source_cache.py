"""The cache: resumed, renamed when whole, shared by processes, also after SIGKILL."""

import errno
import fcntl
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from allmende.commoncrawl.cache import place_in
from allmende.commoncrawl.remote import Version
from allmende.commoncrawl.source import open_archive, read_range
from allmende.errors import SourceError, SourceMissing
from allmende.testing.crawl_server import Chunked, CrawlServer, Cut, IgnoreRange, Status, WrongLength, slow_down

DATA = random.Random(8).randbytes(3_000_000)
NAME = "crawl-data/CC-MAIN-2026-43/segments/1/wat/a.wat.gz"

CHILD = """
import os, signal, sys
from allmende.commoncrawl.source import open_archive
url, cache, action = sys.argv[1:]
def sleep(seconds):
    if action == "die":
        os.kill(os.getpid(), signal.SIGKILL)
with open_archive(url, cache=cache, sleep=sleep) as archive:
    sys.stdout.buffer.write(archive.read())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    file = tmp_path / "root" / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    return tmp_path / "root"


@pytest.fixture
def server(root: Path) -> Iterator[CrawlServer]:
    with CrawlServer(root) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def read(server: CrawlServer, cache: Path, retries: int = 3) -> bytes:
    with open_archive(f"{server.url}/{NAME}", retries=retries, cache=str(cache), sleep=lambda _: None) as archive:
        return archive.read()


def place(server: CrawlServer, cache: Path) -> Path:
    return cache / server.url.removeprefix("http://") / NAME


def child(server: CrawlServer, cache: Path, action: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", CHILD, f"{server.url}/{NAME}", str(cache), action]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ranges(server: CrawlServer) -> list[str]:
    return [asked.range for asked in server.asked]


def test_a_file_is_asked_for_once(server: CrawlServer, cache: Path) -> None:
    assert read(server, cache) == DATA
    assert read(server, cache) == DATA
    assert len(server.asked) == 1
    assert [path.name for path in place(server, cache).parent.iterdir()] == ["a.wat.gz"]


def test_a_broken_download_is_taken_up_by_the_next_run(server: CrawlServer, cache: Path) -> None:
    server.fail(Cut(after=1_500_000))
    server.fail(slow_down(), times=3)
    with pytest.raises(SourceError, match="gave up"):
        read(server, cache, retries=2)
    assert not place(server, cache).exists()
    server.heal()
    assert read(server, cache) == DATA
    assert ranges(server)[-1] == "bytes=1500000-"
    assert server.asked[-1].status == 206


def test_a_killed_download_is_taken_up(server: CrawlServer, cache: Path) -> None:
    server.fail(Cut(after=1_500_000))
    process = child(server, cache, "die")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not place(server, cache).exists()
    assert read(server, cache) == DATA
    assert ranges(server) == ["", "bytes=1500000-"]


def test_killed_between_the_last_byte_and_the_name(server: CrawlServer, root: Path, cache: Path) -> None:
    assert read(server, cache) == DATA
    whole = place(server, cache)
    whole.rename(whole.with_name("a.wat.gz.part"))
    version = Version(modified="Sat, 21 Nov 2026 10:00:00 GMT", size=len(DATA))
    os.utime(root / NAME, (1795255200, 1795255200))
    whole.with_name("a.wat.gz.part.json").write_bytes(msgspec.json.encode(version))
    assert read(server, cache) == DATA
    assert server.asked[-1].status == 416


@pytest.mark.parametrize("notes", [b"", b"{", b"[1]", b"{}", b'{"size":3000000}', None])
def test_a_part_without_notes_begins_anew(server: CrawlServer, cache: Path, notes: bytes | None) -> None:
    part = place(server, cache).with_name("a.wat.gz.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 4_000_000)
    if notes is not None:
        part.with_name("a.wat.gz.part.json").write_bytes(notes)
    assert read(server, cache) == DATA
    assert ranges(server) == [""]


def test_a_part_of_another_version_begins_anew(server: CrawlServer, root: Path, cache: Path) -> None:
    server.fail(Cut(after=1_500_000))
    server.fail(Status(503), times=9)
    with pytest.raises(SourceError):
        read(server, cache, retries=0)
    server.heal()
    (root / NAME).write_bytes(DATA[::-1])
    os.utime(root / NAME, ns=(1, 1))
    assert read(server, cache) == DATA[::-1]
    assert ranges(server)[-2:] == ["bytes=1500000-", ""]


def test_a_part_longer_than_the_file_begins_anew(server: CrawlServer, root: Path, cache: Path) -> None:
    server.fail(Cut(after=1_500_000))
    with pytest.raises(SourceError):
        read(server, cache, retries=0)
    (root / NAME).write_bytes(b"short")
    assert read(server, cache) == b"short"


@pytest.mark.parametrize("fault", [Chunked(), Chunked(cut=1_000_000), WrongLength(by=7), IgnoreRange()])
def test_odd_servers(server: CrawlServer, cache: Path, fault: Chunked) -> None:
    server.fail(fault)
    assert read(server, cache) == DATA
    assert place(server, cache).read_bytes() == DATA


def test_two_processes_share_one_download(server: CrawlServer, cache: Path) -> None:
    processes = [child(server, cache, "read") for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == [DATA, DATA]
    assert ranges(server) == [""]


def test_a_waiting_process_takes_what_the_other_finished(server: CrawlServer, cache: Path) -> None:
    part = place(server, cache).with_name("a.wat.gz.part")
    part.parent.mkdir(parents=True)
    with part.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = child(server, cache, "read")
        held.write(DATA)
        held.flush()
        part.rename(part.with_name("a.wat.gz"))
    assert process.communicate(timeout=60)[0] == DATA
    assert server.asked == []
    assert [path.name for path in part.parent.iterdir()] == ["a.wat.gz"]


def test_a_file_system_without_locks(server: CrawlServer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert read(server, cache) == DATA


def test_a_missing_file_leaves_nothing_that_looks_whole(server: CrawlServer, cache: Path) -> None:
    with (
        pytest.raises(SourceMissing),
        open_archive(f"{server.url}/crawl-data/none.gz", cache=str(cache), sleep=lambda _: None),
    ):
        pass
    assert not (cache / server.url.removeprefix("http://") / "crawl-data/none.gz").exists()


def test_a_cache_that_cannot_be_written_says_so(server: CrawlServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SourceError, match=r"the cache can't be written .*select\.cache"):
        read(server, tmp_path / "file")


def test_a_full_disk_says_so_and_is_continued(
    server: CrawlServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0
    real = os.write

    def write(file: int, data: bytes) -> int:
        nonlocal written
        if written > 1_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        written += real(file, data)
        return len(data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        with pytest.raises(SourceError, match="No space left on device"):
            read(server, cache)
    assert read(server, cache) == DATA
    assert ranges(server)[-1] == f"bytes={written}-"


def test_read_range_takes_from_the_cache(server: CrawlServer, cache: Path) -> None:
    url = f"{server.url}/{NAME}"
    assert read_range(url, 5, 5, cache=str(cache)) == DATA[5:10]
    read(server, cache)
    asked = len(server.asked)
    assert read_range(url, 7, 9, cache=str(cache)) == DATA[7:16]
    assert len(server.asked) == asked


def test_local_files_are_not_copied(root: Path, cache: Path) -> None:
    with open_archive(str(root / NAME), cache=str(cache)) as archive:
        assert archive.read() == DATA
    assert not cache.exists()


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (f"https://data.commoncrawl.org/{NAME}", NAME),
        (f"s3://commoncrawl/{NAME}", NAME),
        (f"s3://mirror/{NAME}", f"mirror/{NAME}"),
        (f"https://user:pw@example.org:8080/cc/{NAME}", f"example.org:8080/cc/{NAME}"),
        ("https://example.org//a//b.gz", "example.org/a/b.gz"),
    ],
)
def test_places(location: str, place: str) -> None:
    assert place_in("/cache", location) == Path("/cache") / place


def test_queries_are_different_files() -> None:
    places = {place_in("c", f"https://example.org/get?file={name}") for name in "ab"}
    assert len(places) == 2


@pytest.mark.parametrize(
    "location",
    [
        "https://example.org/",
        "https://example.org/a/",
        "https://example.org/a/../../etc/passwd",
        "https://../etc/passwd",
    ],
)
def test_no_place_outside_the_cache(location: str) -> None:
    with pytest.raises(SourceError, match="names no file"):
        place_in("/cache", location)
