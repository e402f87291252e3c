"""The feed is Atom as readers of feeds understand it."""

from xml.etree import ElementTree as ET

import feedparser
import msgspec
import pytest

from allmende.publish.feed import ATOM, PatchFile, feed_xml
from allmende.publish.manifest import Released, ReleaseManifest
from allmende.safety.tombstones import Head

ONE = ReleaseManifest(
    dataset="Bilder <von> \x00Käthe & Co",
    version="1.0.0",
    previous=None,
    released="2026-11-22T10:00:00Z",
    allmende="0.1.0",
    samples=1234,
    taken_down=0,
    data="",
    form="",
    policy="",
    tombstones=Head(key="1" * 64),
    files={"README.md": Released(bytes=1, sha256="0" * 64)},
)
TWO = msgspec.structs.replace(ONE, version="2.0.0", released="2026-11-23T10:00:00Z", removed={"privacy": 3})
TEN = msgspec.structs.replace(ONE, version="10.0.0", released="2026-11-24T10:00:00Z")
FEED = feed_xml([TWO, ONE, TEN], [PatchFile("1.0.0", "2.0.0", 99)])


def test_a_reader_finds_releases_and_patches_newest_first():
    found = feedparser.parse(FEED)
    assert not found.bozo
    assert found.version == "atom10"
    assert found.feed.title == "Bilder <von> Käthe & Co: releases and patches"
    assert [entry.title.rpartition(" ")[2] for entry in found.entries] == ["10.0.0", "2.0.0", "2.0.0", "1.0.0"]
    assert [entry.tags[0].term for entry in found.entries] == ["release", "patch", "release", "release"]
    patch = found.entries[1].enclosures[0]
    assert (patch.href, patch.length) == ("patches/1.0.0-2.0.0.patch", "99")
    assert "Taken down: 3 (privacy)" in found.entries[2].content[0].value
    assert found.feed.updated == "2026-11-24T10:00:00Z"


def test_ids_stay_when_the_feed_grows():
    before = {e.title: e.id for e in feedparser.parse(feed_xml([ONE], [])).entries}
    after = {e.title: e.id for e in feedparser.parse(FEED).entries}
    assert before.items() <= after.items()
    assert len(set(after.values())) == 4


@pytest.mark.parametrize("parent", ["feed", "entry"])
def test_every_element_that_rfc_4287_demands_is_there_once(parent):
    tree = ET.fromstring(FEED)
    elements = [tree] if parent == "feed" else tree.findall(f"{{{ATOM}}}entry")
    for element in elements:
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{{{ATOM}}}{name}")) == 1
    # an entry needs no author of its own if the feed has one, and no alternate link if it has content
    assert tree.find(f"{{{ATOM}}}author/{{{ATOM}}}name").text
    assert all(entry.find(f"{{{ATOM}}}content").text for entry in tree.findall(f"{{{ATOM}}}entry"))
