"""`fetch.from = "archive"`: images come from WARC files, and nobody is asked."""

import json

import pyarrow.parquet as pq
import pytest

from allmende.demo.server import DATA

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
