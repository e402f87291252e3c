"""`fetch.from = "archive"`: images come from WARC files, and nobody is asked."""

import json

import pyarrow.parquet as pq
import pytest

from allmende.demo.server import DATA
from allmende.testing.archives import Archive
from allmende.testing.crawl_server import CrawlServer, lay_out
from allmende.testing.samples import picture

RECIPE = f"""
[dataset]
name = "set"
[select]
archives = ["{DATA}/crawl-data/**/*.warc.gz", "{DATA}/web.warc.gz"]
[fetch]
from = "archive"
"""


def test_images_come_out_of_archives_without_network(allmende, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    # No name server, no proxy, no port: any request would fail with dns_failed, address_refused or port_refused.
    allmende("build", "recipe.toml")
    steps = {s["step"]: s["counts"] for s in json.loads(allmende("status", "set", "--json"))}
    dropped = steps["samples"]["sample"]["dropped"]
    assert steps["samples"]["sample"]["kept"] > 400
    assert dropped["capture_missing"] > 0
    assert dropped["permission_denied"] > 0
    assert not {"dns_failed", "dns_not_found", "address_refused", "port_refused", "connect_failed"} & dropped.keys()
    rows = pq.read_table(sorted((tmp_path / "set/release/shards").glob("*.parquet"))).to_pylist()
    assert {row["http_status"] for row in rows} == {200}
    assert {row["fetched_at"] for row in rows} == {None}


@pytest.mark.parametrize("named", ['crawl = "CC-MAIN-2026-43"', f'archives = ["{DATA}/crawl-data/**/wat/*.gz"]'])
@pytest.mark.parametrize("flag", [(), ("--dry-run",)])
def test_wat_files_have_no_images(allmende, tmp_path, named, flag):
    (tmp_path / "recipe.toml").write_text(f'[dataset]\nname = "set"\n[select]\n{named}\n[fetch]\nfrom = "archive"\n')
    assert 'set [select] kind = "warc"' in allmende("build", "recipe.toml", *flag, code=2)


@pytest.mark.parametrize("kind", ["images", "text"])
def test_every_request_for_archives_says_whose_crawl_it_is(allmende, tmp_path, kind):
    archive, robots = Archive(), Archive()
    archive.page("http://a.example/", '<img src="a.jpg" alt="A red bicycle in the rain">')
    archive.response("http://a.example/a.jpg", picture(1, 300, 300), content_type="image/jpeg")
    robots.response("http://a.example/robots.txt", b"User-agent: *\nAllow: /\n", content_type="text/plain")
    files = {"warc": {"0.warc.gz": archive.to_bytes()}, "robotstxt": {"0.warc.gz": robots.to_bytes()}}
    lay_out(tmp_path / "mirror", "CC-MAIN-2026-43", files)
    with CrawlServer(tmp_path / "mirror") as server:
        (tmp_path / "recipe.toml").write_text(
            f'[dataset]\nname = "set"\nkind = "{kind}"\ncontact = "me@example.org"\n'
            f'[select]\ncrawl = "CC-MAIN-2026-43"\nfiles = 1\nkind = "warc"\nsource = "{server.url}"\n'
            '[permission]\ncaptures = ["crawl"]\n' + ('[fetch]\nfrom = "archive"\n' if kind == "images" else "")
        )
        allmende("build", "recipe.toml")
    paths = [asked.path.rsplit("/", 2)[-2:] for asked in server.asked]
    assert {name for name, _ in paths} == {"CC-MAIN-2026-43", "warc", "robotstxt"}
    assert paths.count(["warc", "0.warc.gz"]) == (2 if kind == "images" else 1)
    assert {asked.user_agent.partition("; ")[2] for asked in server.asked} == {"me@example.org)"}
