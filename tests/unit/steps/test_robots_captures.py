"""Captured robots.txt: every status tells something, the last capture counts, redirects lead to captures, damage is counted."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.errors import RecipeError
from allmende.identity import key64
from allmende.lake import Lake
from allmende.lock import leave
from allmende.parts import Plan, Tally
from allmende.recipe import Dataset, Permission, Recipe, Run, Select
from allmende.schema import CANDIDATES, ROBOTS_CAPTURES, Reason
from allmende.steps import robots_captures
from allmende.steps.buckets import BucketWriter
from allmende.steps.step import Settings
from allmende.testing.archives import Archive, cut_in_member

NO_X = b"User-agent: *\nDisallow: /x\n"
NOTHING = b"User-agent: *\nDisallow:\n"


def robots(archive, host, body=b"", date="2026-10-21T12:00:00Z", **options):
    archive.response(f"{host}/robots.txt", body, date=date, content_type="text/plain", **options)


def archive():
    made = Archive("robots.warc.gz")
    robots(made, "http://a.example", NO_X)
    robots(made, "http://a.example", NOTHING, date="2026-10-20T12:00:00Z")
    robots(made, "http://gone.example", b"no", status=404)
    robots(made, "http://down.example", status=503)
    robots(made, "http://limits.example", status=429)
    robots(made, "http://empty.example")
    robots(made, "http://moved.example", status=301, headers=[("Location", "https://moved.example/robots.txt")])
    robots(made, "https://moved.example", NO_X, encoding="gzip")
    robots(made, "http://loop.example", status=302, headers=[("Location", "/robots.txt")])
    robots(made, "http://away.example", status=302, headers=[("Location", "http://nowhere.example/robots.txt")])
    made.response("not a url", NO_X)
    return made.to_bytes()


def recipe(*captures):
    return Recipe(dataset=Dataset(name="set"), permission=Permission(captures=captures), run=Run(workers=1))


def make(tmp_path, content, hosts):
    """A dataset with these captures, and candidates of these hosts in one bucket."""
    (tmp_path / "robots.warc.gz").write_bytes(content)
    lake, wanted = Lake(tmp_path / "set"), recipe(str(tmp_path / "*.warc.gz"))
    parts = robots_captures.plan(wanted, lake)
    lake.step("robots").write_plan(Plan(step="robots", digest="d", parts=parts))
    robots_captures.Worker(Settings.encode(lake, wanted, "d", 1)).run({"parts": parts})
    leave(lake)
    rows = [{"url": f"http://{host}/x", "host_key": key64(host)} for host in hosts]
    with lake.step("unique").part("00000", "d") as part:
        with BucketWriter(str(part.file(".parquet")), 1) as out:
            out.write(pa.Table.from_pylist(rows, CANDIDATES))
        part.commit({"candidate": Tally(len(rows), len(rows))})
    return lake


@pytest.fixture
def lake(tmp_path):
    hosts = ("a", "gone", "down", "limits", "empty", "moved", "loop", "away", "silent")
    return make(tmp_path, archive(), [f"{host}.example" for host in hosts])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://a.example/x", "deny"),
        ("http://a.example/y", None),
        ("https://a.example/x", "deny"),
        ("http://gone.example/x", None),
        ("http://down.example/x", "deny"),
        ("http://limits.example/x", "deny"),
        ("http://empty.example/x", None),
        ("http://moved.example/x", "deny"),
        ("https://moved.example/y", None),
    ],
)
def test_what_a_host_said(lake, url, says):
    captured = robots_captures.CapturedRobots(lake)
    captured.load("00000", {"bucket": 0, "buckets": 1})
    told = captured(url).signals(url)
    assert [signal.says for signal in told] == ([says] if says else [])
    for signal in told:
        assert signal.field == "capture"
        assert signal.at == datetime(2026, 10, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("host", ["loop", "away", "silent", "strange"])
def test_a_host_without_capture_said_nothing(lake, host):
    captured = robots_captures.CapturedRobots(lake)
    captured.load("00000", {"bucket": 0, "buckets": 1})
    assert captured(f"http://{host}.example/x") is None


def test_every_capture_is_a_row_or_counted(lake):
    manifest = lake.step("robots").manifest("00000")
    with lake.open(f"robots/{manifest.file('.parquet')}") as file:
        rows = pq.read_table(file, schema=ROBOTS_CAPTURES)
    tally = manifest.counts["capture"]
    assert tally == Tally(11, 10, {Reason.PAGE_URL_INVALID: 1})
    assert len(rows) == 10
    assert {row["body"] for row in rows.to_pylist() if row["status"] != 200} == {b""}


def test_damage_is_counted_and_the_rest_is_read(tmp_path):
    lake = make(tmp_path, cut_in_member(archive(), 1), ["a.example"])
    (tally,) = lake.step("robots").counts().values()
    assert tally.kept == 0 or tally.dropped
    assert tally.balanced()
    assert set(tally.dropped) <= {Reason.RECORD_TRUNCATED, Reason.RECORD_DAMAGED}
    assert tally.dropped


def test_captures_of_a_crawl_need_a_crawl(tmp_path):
    with pytest.raises(RecipeError, match=r"set select\.crawl"):
        robots_captures.archives(recipe("crawl"))


def test_captures_of_a_crawl_are_found_by_its_path_list(tmp_path):
    import gzip

    folder = tmp_path / "crawl-data/CC-MAIN-2026-43"
    folder.mkdir(parents=True)
    path = "crawl-data/CC-MAIN-2026-43/segments/1/robotstxt/a.warc.gz"
    (folder / "robotstxt.paths.gz").write_bytes(gzip.compress(f"{path}\n".encode()))
    wanted = Recipe(
        dataset=Dataset(name="set"),
        select=Select(crawl="CC-MAIN-2026-43", source=str(tmp_path)),
        permission=Permission(captures=("crawl",)),
    )
    assert robots_captures.archives(wanted) == [str(tmp_path / path)]
