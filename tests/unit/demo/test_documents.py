"""The documents that ship: every page has an origin and free terms, and nobody real is in the pages written for it."""

import csv
import re
from pathlib import Path

import pytest

from allmende import recipe_file
from allmende.commoncrawl.crawls import archive_paths
from allmende.commoncrawl.warc import read_warc
from allmende.demo import text
from allmende.permission.robots import PARSED_BYTES
from allmende.testing.archives import read_records, split_record

FREE = {"CC-BY-SA-3.0", "Apache-2.0", "MPL-2.0", "CC0-1.0"}


@pytest.fixture(scope="module")
def origins() -> dict[str, dict[str, str]]:
    with (text.DATA / "pages.csv").open(newline="") as file:
        return {row["url"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def captures() -> dict[str, bytes]:
    """Bodies of the pages that were there, by URL."""
    found = {}
    for path in archive_paths(text.CRAWL, "warc", str(text.DATA)):
        with (text.DATA / path).open("rb") as file:
            for capture in read_warc(file, 1_000_000):
                if hasattr(capture, "body"):
                    found[capture.url] = capture.body
    return found


def test_every_page_has_an_origin_and_free_terms(origins, captures):
    assert (len(origins), sum(bool(row["package"]) for row in origins.values())) == (462, 414)
    assert set(captures) <= set(origins)
    assert {row["licence"] for row in origins.values()} == FREE
    assert all(bool(row["package"]) == (row["licence"] != "CC0-1.0") for row in origins.values())
    told = (text.DATA / "README.md").read_text()
    packages = {row["package"] for row in origins.values()} - {""}
    assert [package for package in packages if package not in told] == []


def test_hosts_are_nobodys(origins):
    hosts = {url.split("/")[2] for url in origins}
    assert len(hosts) > 40
    assert all(host.endswith(".example") for host in hosts)


def test_addresses_on_our_own_pages_are_reserved_ones(origins, captures):
    own = [
        captures[url].decode("utf-8", "replace")
        for url, row in origins.items()
        if url in captures and not row["package"]
    ]
    addresses = {address for page in own for address in re.findall(r"[\w.]+@[\w.-]+", page)}
    assert addresses
    assert all(address.endswith(".example") for address in addresses)


def test_pages_are_in_many_encodings(captures):
    declared = {match[1].lower() for body in captures.values() if (match := re.search(rb'charset="?([\w-]+)', body))}
    assert {b"utf-8", b"iso-8859-1", b"iso-8859-2", b"iso-8859-7", b"euc-kr"} <= declared


def test_robots_txt_was_captured(origins):
    (path,) = archive_paths(text.CRAWL, "robotstxt", str(text.DATA))
    records = [split_record(record) for _, record in read_records((text.DATA / path).read_bytes())]
    bodies = {lines["WARC-Target-URI"]: block for lines, block in records if lines["WARC-Type"] == "response"}
    assert all(len(body) < PARSED_BYTES for body in bodies.values())
    hosts = {url.split("/")[2] for url in origins}
    assert {url.split("/")[2] for url in bodies} <= hosts


def test_the_crawl_stays_small():
    assert sum(path.stat().st_size for path in Path(text.DATA).rglob("*") if path.is_file()) < 2_500_000


def test_the_recipe_is_valid_and_survives_its_own_file():
    recipe = text.recipe("out")
    recipe_file.check(recipe)
    assert recipe_file.loads(recipe_file.dumps(recipe)) == recipe
