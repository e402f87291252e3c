"""Every source gives the same crawls, paths and bytes: a folder, a web server, S3, another fsspec store.

S3 is real s3fs, anonymous, against moto's server; and, for faults that moto can't have, against `CrawlServer`.
"""

import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fastwarc import ArchiveIterator
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from allmende.commoncrawl import store_file
from allmende.commoncrawl.crawls import archive_paths, list_crawls, sample
from allmende.commoncrawl.source import expand, locate, open_archive, read_range
from allmende.errors import MissingExtra, SourceError, SourceMissing, SourceRefused
from allmende.testing.archives import Archive, Place
from allmende.testing.crawl_server import CrawlServer, Cut, Garbage, Status, WrongLength, lay_out, slow_down

CRAWL = "CC-MAIN-2026-43"
BIG = random.Random(9).randbytes(300_000)


def warc() -> tuple[bytes, list[Place]]:
    archive = Archive(name="a.warc.gz", crawl=CRAWL)
    places = [archive.page(f"https://example.org/{number}", f"<p>{number}</p>" * 500) for number in range(40)]
    return archive.to_bytes(), places


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("s3") / "commoncrawl"
    content, _ = warc()
    files = {f"{number:05}.warc.gz": content for number in range(3)} | {"big.warc.gz": BIG}
    lay_out(root, CRAWL, {"warc": files, "wat": {"00000.wat.gz": b"wat"}})
    lay_out(root, "CC-MAIN-2026-08", {"wet": {"00000.wet.gz": b"wet"}})
    return root


@pytest.fixture(scope="module")
def moto(mirror: Path) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    owner = S3FileSystem(key="owner", secret="secret", endpoint_url=endpoint, skip_instance_cache=True)
    owner.mkdir("commoncrawl", acl="public-read")
    for file in mirror.rglob("*.gz"):
        owner.pipe(f"commoncrawl/{file.relative_to(mirror).as_posix()}", file.read_bytes(), ACL="public-read")
    owner.mkdir("private")
    owner.pipe("private/a.warc.gz", b"private")
    yield endpoint
    server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Names moto as the S3 endpoint, in fsspec's configuration."""
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": moto})
    return moto


@pytest.fixture(params=["folder", "file url", "web", "s3", "s3 url", "memory"])
def source(request: pytest.FixtureRequest, mirror: Path) -> Iterator[str]:
    match request.param:
        case "folder":
            yield str(mirror)
        case "file url":
            yield mirror.as_uri()
        case "web":
            with CrawlServer(mirror) as server:
                yield server.url
        case "memory":
            store = fsspec.filesystem("memory")
            store.put(str(mirror) + "/", "/mirror/", recursive=True)
            yield "memory://mirror"
            store.rm("/mirror", recursive=True)
        case name:
            request.getfixturevalue("s3")
            yield "s3" if name == "s3" else "s3://commoncrawl/"


def no_wait(_: float) -> None:
    """Stands in for time.sleep."""


def path(name: str = "00000.warc.gz") -> str:
    return f"crawl-data/{CRAWL}/segments/1700000000000.0/warc/{name}"


def test_crawls_newest_first(source: str) -> None:
    assert [crawl.id for crawl in list_crawls(source, sleep=no_wait)] == [CRAWL, "CC-MAIN-2026-08"]


def test_paths_and_a_sample_of_them(source: str) -> None:
    paths = archive_paths(CRAWL, "warc", source, sleep=no_wait)
    assert paths == [path(f"{number:05}.warc.gz") for number in range(3)] + [path("big.warc.gz")]
    assert set(sample(paths, 2, seed=1)) < set(paths)


def test_a_crawl_that_is_not_there(source: str) -> None:
    with pytest.raises(SourceMissing, match=r"Is there a crawl CC-MAIN-2020-01\? `allmende crawls`"):
        archive_paths("CC-MAIN-2020-01", "wat", source, sleep=no_wait)


def test_the_bytes_and_the_size(source: str) -> None:
    content, _ = warc()
    with open_archive(locate(path(), source), sleep=no_wait) as archive:
        assert archive.size == len(content)
        assert archive.read(10) == content[:10]
        assert archive.read() == content[10:]
        assert archive.read() == b""


def test_fastwarc_reads_the_stream(source: str) -> None:
    with open_archive(locate(path(), source), sleep=no_wait) as archive:
        kinds = [record.headers["WARC-Type"] for record in ArchiveIterator(archive)]
    assert kinds == ["warcinfo", *["response"] * 40]


def test_a_record_at_its_offset(source: str) -> None:
    content, places = warc()
    for place in places[::13]:
        data = read_range(locate(path(), source), place.offset, place.length, sleep=no_wait)
        assert data == content[place.offset : place.offset + place.length]
    assert read_range(locate(path(), source), 5, 0, sleep=no_wait) == b""


def test_a_record_beyond_the_end(source: str) -> None:
    content, _ = warc()
    with pytest.raises(SourceError):
        read_range(locate(path(), source), len(content) - 1, 2, sleep=no_wait)
    with pytest.raises(SourceError):
        read_range(locate(path(), source), len(content) + 1, 2, sleep=no_wait)


def test_seek(source: str) -> None:
    with open_archive(locate(path("big.warc.gz"), source), sleep=no_wait) as archive:
        archive.seek(200_000)
        assert archive.read(5) == BIG[200_000:200_005]
        archive.seek(7)
        assert archive.read(5) == BIG[7:12]
        archive.seek(-3, 2)
        assert archive.read() == BIG[-3:]
        archive.seek(len(BIG) + 10)
        assert archive.read() == b""


@pytest.mark.parametrize("location", ["crawl-data/none.warc.gz", "none"])
def test_a_missing_archive(source: str, location: str) -> None:
    with pytest.raises(SourceMissing), open_archive(locate(location, source), sleep=no_wait):
        pass


def test_globs(source: str) -> None:
    pattern = locate(f"crawl-data/{CRAWL}/segments/*/warc/*.warc.gz", source)
    if source.startswith("http://"):
        with pytest.raises(SourceError, match="can't be asked which files match"):
            expand([pattern])
        return
    found = expand([pattern, pattern], sleep=no_wait)
    assert [Path(name).name for name in found] == ["00000.warc.gz", "00001.warc.gz", "00002.warc.gz", "big.warc.gz"]
    with open_archive(found[-1], sleep=no_wait) as archive:
        assert archive.read() == BIG
    with pytest.raises(SourceMissing, match="no file matches"):
        expand([locate("crawl-data/*/none/*", source)], sleep=no_wait)


def test_the_cache_is_a_mirror(source: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    paths = archive_paths(CRAWL, "warc", source, cache=str(cache), sleep=no_wait)
    for each in paths:
        with open_archive(locate(each, source), cache=str(cache), sleep=no_wait) as archive:
            content = archive.read()
        with open_archive(locate(each, source), sleep=no_wait) as archive:
            assert content == archive.read()
    if source in {"s3", "s3://commoncrawl/"}:
        assert archive_paths(CRAWL, "warc", str(cache)) == paths
        assert Path(locate(paths[0], str(cache))).read_bytes() == warc()[0]


def test_large_objects_come_in_blocks(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "BLOCK_BYTES", 40_000)
    with open_archive(f"s3://commoncrawl/{path('big.warc.gz')}", sleep=no_wait) as archive:
        assert archive.read() == BIG


def test_a_private_object_says_how_to_sign(s3: str) -> None:
    with (
        pytest.raises(
            SourceRefused, match=r"`export FSSPEC_S3_ANON=false` signs requests with your AWS credentials\.$"
        ),
        open_archive("s3://private/a.warc.gz", sleep=no_wait),
    ):
        pass


def test_signing_as_fsspec_is_configured(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": s3, "key": "owner", "secret": "secret"})
    with open_archive("s3://private/a.warc.gz", sleep=no_wait) as archive:
        assert archive.read() == b"private"


def test_a_changed_object_is_noticed(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "BLOCK_BYTES", 1000)
    owner = S3FileSystem(key="owner", secret="secret", endpoint_url=s3)
    owner.pipe("commoncrawl/crawl-data/changing.gz", b"a" * 3_000_000, ACL="public-read")
    with open_archive("s3://commoncrawl/crawl-data/changing.gz", sleep=no_wait) as archive:
        archive.read(10)
        owner.pipe("commoncrawl/crawl-data/changing.gz", b"b" * 3_000_000, ACL="public-read")
        with pytest.raises(SourceError, match="changed while it was read"):
            archive.read()


def test_an_endpoint_named_in_the_environment(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    assert read_all(f"s3://commoncrawl/{path()}") == warc()[0]
    S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def storm_server(mirror: Path) -> Iterator[CrawlServer]:
    """An S3 endpoint whose objects come with faults."""
    with CrawlServer(mirror.parent) as server:
        yield server


@pytest.fixture
def storm(storm_server: CrawlServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[CrawlServer]:
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": storm_server.url})
    yield storm_server
    storm_server.heal()


OBJECT = f"s3://commoncrawl/{path('big.warc.gz')}"


@pytest.mark.parametrize(
    "fault",
    [slow_down(), Status(500), Status(503), Cut(after=-1), Cut(after=1000), Cut(after=1000, reset=True), Garbage()],
)
def test_s3_storms_are_outlasted(storm: CrawlServer, fault: Status) -> None:
    waits: list[float] = []
    storm.fail(fault, times=3)
    with open_archive(OBJECT, retries=3, sleep=waits.append) as archive:
        assert archive.read() == BIG
    assert 1 <= len(waits) <= 3  # aiohttp repeats a request once by itself when a kept connection turns out dead
    assert all(1 <= seconds <= 60 for seconds in waits)


def test_s3_retry_after_is_honoured(storm: CrawlServer) -> None:
    waits: list[float] = []
    storm.fail(slow_down(retry_after="100"))
    assert read_range(OBJECT, 10, 20, sleep=waits.append) == BIG[10:30]
    assert waits == [100]


def test_s3_is_given_up_after_the_retries(storm: CrawlServer) -> None:
    storm.fail(slow_down(), times=10)
    with (
        pytest.raises(SourceError, match="gave up after 3 tries; the last one said: HTTP 503"),
        open_archive(OBJECT, retries=2, sleep=no_wait),
    ):
        pass


def test_a_broken_s3_download_is_taken_up_from_the_cache(
    storm: CrawlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BLOCK_BYTES", 100_000)
    storm.fail(WrongLength(by=0), times=2)  # nothing wrong: the HEAD request, and the first block
    storm.fail(slow_down())
    with pytest.raises(SourceError, match="gave up"):
        read_all(OBJECT, retries=0, cache=str(tmp_path))
    asked = len(storm.asked)
    assert read_all(OBJECT, cache=str(tmp_path)) == BIG
    assert [each.range for each in storm.asked[asked:]] == ["", "bytes=100000-199999", "bytes=200000-299999"]


@pytest.mark.parametrize(
    "fault",
    [
        *(
            Status(code)
            for code in (201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 409, 410, 412, 416, 429, 501, 599)
        ),
        Status(200, {"Content-Length": "7"}),
        Status(400, body=b"<Error><Code>ExpiredToken</Code></Error>"),
        Status(503, body=b"<html>not xml"),
        WrongLength(by=10),
        WrongLength(by=-10),
        Garbage(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 7\r\n\r\nab"),
    ],
)
def test_nothing_but_our_errors_comes_out_of_s3(storm: CrawlServer, fault: Status) -> None:
    for call in (lambda: read_range(OBJECT, 0, 9, retries=1, sleep=no_wait), lambda: read_all(OBJECT)):
        storm.fail(fault, times=2)
        try:
            call()
        except SourceError as error:
            assert str(error).startswith(OBJECT)  # noqa: PT017 - it may also succeed
        storm.heal()


def read_all(location: str, retries: int = 1, cache: str = "") -> bytes:
    with open_archive(location, retries=retries, cache=cache, sleep=no_wait) as archive:
        return archive.read()


def test_nobody_listens_at_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": "http://127.0.0.1:9"})
    with pytest.raises(SourceError, match="gave up after 2 tries"):
        read_all("s3://commoncrawl/x")


@pytest.mark.parametrize("location", ["gopher://example.org/x", "zip://x", "s3://", "s3:///x", "memory://"])
def test_nothing_that_can_be_opened(location: str, moto: str, s3: str) -> None:
    with pytest.raises(SourceError):
        read_all(location)
    with pytest.raises(SourceError):
        read_range(location, 0, 1, retries=1, sleep=no_wait)


def test_a_file_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.warc.gz", BIG)
    location = f"zip://a.warc.gz::{tmp_path}/all.zip"
    assert read_all(location) == BIG
    assert read_range(location, 5, 5) == BIG[5:10]


@pytest.mark.parametrize(
    ("location", "message"),
    [("s3://commoncrawl/x", "pip install 'allmende[s3]'"), ("gs://bucket/x", "gcsfs")],
)
def test_a_missing_package_is_named(location: str, message: str) -> None:
    program = (
        "import sys; sys.modules['s3fs'] = sys.modules['gcsfs'] = None\n"
        "from allmende.commoncrawl.source import open_archive\n"
        "from allmende.errors import MissingExtra\n"
        "try:\n"
        f"    open_archive({location!r}).__enter__()\n"
        "except MissingExtra as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert message in done.stdout
    assert MissingExtra.exit_code == 7
