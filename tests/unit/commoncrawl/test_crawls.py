import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allmende.commoncrawl import crawls
from allmende.commoncrawl.crawls import Crawl, archive_paths, list_crawls, sample
from allmende.errors import RecipeError, SourceError, SourceMissing
from allmende.testing.crawl_server import CrawlServer, Status, lay_out, slow_down

CRAWL = "CC-MAIN-2026-43"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    lay_out(tmp_path, CRAWL, {kind: {f"0.{kind}.gz": b"x"} for kind in ("wat", "warc", "wet", "robotstxt")})
    lay_out(tmp_path, "CC-MAIN-2026-08", {"wat": {"0.wat.gz": b"x"}, "non200responses": {"0.warc.gz": b"x"}})
    return tmp_path


@pytest.fixture
def server(mirror: Path) -> Iterator[CrawlServer]:
    with CrawlServer(mirror) as running:
        yield running


def no_wait(_: float) -> None:
    """Stands in for time.sleep."""


def test_crawls_of_a_web_server(server: CrawlServer) -> None:
    newest, older = list_crawls(server.url)
    begins, ends = datetime(2026, 10, 5, 4, 12, 34, tzinfo=UTC), datetime(2026, 10, 19, 6, 5, 1, tzinfo=UTC)
    assert newest == Crawl(CRAWL, f"{CRAWL} Index", begins, ends)
    assert older.id == "CC-MAIN-2026-08"


def test_common_crawl_itself_is_asked_for_its_list(server: CrawlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crawls.COLLINFO_URL == "https://index.commoncrawl.org/collinfo.json"
    monkeypatch.setattr(crawls, "COLLINFO_URL", f"{server.url}/collinfo.json")
    assert [crawl.id for crawl in list_crawls("https")] == [CRAWL, "CC-MAIN-2026-08"]


def test_a_mirror_without_a_list_is_listed(mirror: Path) -> None:
    (mirror / "collinfo.json").unlink()
    (mirror / "crawl-data/CC-NEWS").mkdir()
    (mirror / "crawl-data/index.html").write_text("no crawl")
    assert list_crawls(str(mirror))[0] == Crawl(CRAWL, CRAWL, None, None)
    assert [crawl.id for crawl in list_crawls(str(mirror))] == [CRAWL, "CC-MAIN-2026-08"]


def test_a_folder_that_is_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"crawl-data: can't be listed .* the source is https or s3"):
        list_crawls(str(tmp_path))


@pytest.mark.parametrize("content", ["", "[", "{}", "[1]", '[{"name": "x"}]', '"x"', b"\xff\xfe"])
def test_a_list_that_is_none(server: CrawlServer, content: str | bytes) -> None:
    server.fail(Status(200, body=content if isinstance(content, bytes) else content.encode()))
    with pytest.raises(SourceError, match=r"collinfo\.json: not a list of crawls"):
        list_crawls(server.url)


def test_entries_with_less_or_more_than_usual(mirror: Path) -> None:
    entries = [{"id": "A", "from": "2026", "to": 7}, {"id": "B"}]
    (mirror / "collinfo.json").write_text(json.dumps(entries[1:]))
    assert list_crawls(str(mirror)) == [Crawl("B", "B", None, None)]
    (mirror / "collinfo.json").write_text(json.dumps([{"id": "A", "from": "once", "to": "2026-10-05T04:00:00+02:00"}]))
    assert list_crawls(str(mirror)) == [Crawl("A", "A", None, datetime(2026, 10, 5, 2, tzinfo=UTC))]


@pytest.mark.parametrize("kind", ["wat", "warc", "wet", "robotstxt"])
def test_paths_of_each_kind(server: CrawlServer, mirror: Path, kind: crawls.Kind) -> None:
    paths = [f"crawl-data/{CRAWL}/segments/1700000000000.0/{kind}/0.{kind}.gz"]
    assert archive_paths(CRAWL, kind, server.url) == paths
    assert archive_paths(CRAWL, kind, str(mirror)) == paths


def test_paths_of_captures_that_were_not_200(mirror: Path) -> None:
    paths = ["crawl-data/CC-MAIN-2026-08/segments/1700000000000.0/crawldiagnostics/0.warc.gz"]
    assert archive_paths("CC-MAIN-2026-08", "non200responses", str(mirror)) == paths
    (mirror / "crawl-data/CC-MAIN-2026-08/non200responses.paths.gz").unlink()
    assert archive_paths("CC-MAIN-2026-08", "non200responses", str(mirror)) == paths


def test_a_mirror_without_path_lists_has_what_lies_there(mirror: Path) -> None:
    expected = archive_paths(CRAWL, "wat", str(mirror))
    (mirror / f"crawl-data/{CRAWL}/wat.paths.gz").unlink()
    assert archive_paths(CRAWL, "wat", str(mirror)) == expected


def test_an_unknown_kind() -> None:
    with pytest.raises(RecipeError, match="'cdx' is no kind of archive; these are: wat, warc, wet"):
        archive_paths(CRAWL, "cdx")  # type: ignore[arg-type]


@pytest.mark.parametrize("crawl", ["", "../x", "CC-MAIN-2026-43/../..", "/etc", "a b", "CC-MAIN-2026-43\n"])
def test_no_crawl_id(crawl: str) -> None:
    with pytest.raises(RecipeError, match="is no crawl id; it looks like CC-MAIN-2026-43"):
        archive_paths(crawl)


def test_an_unknown_crawl(server: CrawlServer, mirror: Path) -> None:
    for source in (server.url, str(mirror)):
        with pytest.raises(SourceMissing, match=r"wat\.paths\.gz.* Is there a crawl CC-MAIN-1999-01\?"):
            archive_paths("CC-MAIN-1999-01", "wat", source)


def test_storms_are_outlasted(server: CrawlServer) -> None:
    server.fail(slow_down(), times=5)
    assert len(archive_paths(CRAWL, "wat", server.url, sleep=no_wait)) == 1


def test_the_cache_keeps_the_path_list_for_days_without_network(server: CrawlServer, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    paths = archive_paths(CRAWL, "wat", server.url, cache=cache)
    server.fail(Status(404), times=9)
    assert archive_paths(CRAWL, "wat", server.url, cache=cache) == paths


def test_a_list_that_is_not_compressed(server: CrawlServer) -> None:
    server.fail(Status(200, body=b"a/b.gz\n\n c/d.gz \r\n"))
    assert archive_paths(CRAWL, "wat", server.url) == ["a/b.gz", "c/d.gz"]


@pytest.mark.parametrize("damaged", [gzip.compress(b"a/b.gz\n" * 100)[:-20], b"\x1f\x8b\x00rubbish", b"\x1f\x8b"])
def test_a_damaged_list(server: CrawlServer, damaged: bytes) -> None:
    server.fail(Status(200, body=damaged))
    with pytest.raises(SourceError, match=r"wat\.paths\.gz: damaged"):
        archive_paths(CRAWL, "wat", server.url)


@pytest.mark.parametrize("path", ["/etc/passwd", "a/../../b", "http://127.0.0.1/x", "file:///etc/passwd"])
def test_paths_that_lead_elsewhere_are_refused(server: CrawlServer, path: str) -> None:
    server.fail(Status(200, body=f"good.gz\n{path}\n".encode()))
    with pytest.raises(SourceError, match="not a list of paths"):
        archive_paths(CRAWL, "wat", server.url)


PATHS = [f"crawl-data/{number:05}.wat.gz" for number in range(1000)]


def test_a_sample_stays_the_same_for_ever() -> None:
    assert sample(PATHS, 3, seed=0) == ["crawl-data/00879.wat.gz", "crawl-data/00647.wat.gz", "crawl-data/00049.wat.gz"]


@given(st.lists(st.text(), max_size=30), st.data(), st.integers(0, 2**63))
def test_samples(paths: list[str], data: st.DataObject, seed: int) -> None:
    n = data.draw(st.integers(0, len(set(paths))))
    drawn = sample(paths, n, seed)
    assert len(drawn) == len(set(drawn)) == (n or len(set(paths)))
    assert set(drawn) <= set(paths)
    assert drawn == sample(sorted(paths), n, seed)
    assert sample(paths, 0, seed)[: len(drawn)] == drawn


def test_seeds_draw_differently_and_evenly() -> None:
    assert sample(PATHS, 10, seed=1) != sample(PATHS, 10, seed=2)
    first = [sample(PATHS, 1, seed)[0] for seed in range(300)]
    assert len(set(first)) > 200


@pytest.mark.parametrize("n", [4, -1])
def test_more_than_there_are(n: int) -> None:
    with pytest.raises(
        RecipeError, match=rf"`select\.files` asks for {n} files, but there are 3\. Set it to 3 or less"
    ):
        sample(PATHS[:3], n, seed=0)


def test_a_list_that_cannot_be_had_speaks_of_no_build(server: CrawlServer) -> None:
    server.fail(slow_down(), times=9)
    with pytest.raises(SourceError, match=r"gave up after 3 tries; .* Run the same command later\.$"):
        list_crawls(server.url, retries=2, sleep=no_wait)
