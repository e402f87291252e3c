"""Columns of permission: evidence, policy and verdict of every row that was judged, null for the others."""

from datetime import UTC, datetime

import pyarrow as pa

from allmende.media.sample import ImageSample
from allmende.permission.policy import policy
from allmende.permission.signal import Signal
from allmende.schema import CANDIDATES, PERMISSION_FACTS, Reason
from allmende.steps.verdicts import PageSignals, permission_columns

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DENY = Signal(
    name="robots_txt", says="deny", value="*: Disallow: /", url="https://a.example/robots.txt", line=2, at=NOW
)


def rows(*pages):
    table = [{"url": f"https://a.example/{i}.jpg", "page_url": "https://b.example/", **p} for i, p in enumerate(pages)]
    return pa.Table.from_pylist(table, CANDIDATES)


def columns(heeded, table, told):
    made = pa.table(permission_columns(policy(heeded), table, told), schema=PERMISSION_FACTS)
    return made.to_pylist()


def test_page_and_host_are_judged_together():
    table = rows({"page_robots": "noai"}, {}, {})
    of_page, of_host, unjudged = columns("eu-commercial", table, [(), (DENY,), None])
    assert (of_page["verdict"], of_page["signals"][0]["field"]) == ("noai", "meta:robots")
    assert (of_host["verdict"], of_host["signals"][0]["line"], of_host["signals"][0]["at"]) == ("robots_txt", 2, NOW)
    assert unjudged == {"signals": None, "policy": None, "verdict": None}
    assert of_page["policy"] == "eu-commercial/2026-11-22"


def test_a_policy_that_records_keeps_the_evidence_and_allows():
    (row,) = columns("eu-research", rows({"page_robots": "noai"}), [()])
    assert (row["verdict"], len(row["signals"])) == ("allowed", 1)


def test_a_policy_that_ignores_keeps_nothing():
    (row,) = columns("off", rows({"page_robots": "noai"}), [(DENY,)])
    assert row == {"signals": [], "policy": "off/2026-11-22", "verdict": "allowed"}


def test_no_rows_have_no_columns():
    assert columns("eu-commercial", CANDIDATES.empty_table(), []) == []


def test_the_screen_drops_what_pages_and_files_reserve():
    screen = PageSignals(policy("eu-commercial"))
    table = rows({"page_robots": "noimageai"}, {"page_robots": "noindex"}, {}, {"page_x_robots_tag": "NoAI"})
    denied = str(Reason.PERMISSION_DENIED)
    assert screen.before(table).to_pylist() == [denied, None, None, denied]
    assert PageSignals(policy("eu-research")).before(table).to_pylist() == [None] * 4
    found = {"sha256": "", "phash": "", "phash_quality": 0, "preview": "", "original_format": "jpeg", "exif": ""}
    sizes = dict.fromkeys(("original_width", "original_height", "original_bytes", "width", "height"), 1)
    inside = Signal(name="iptc_plus", says="deny", value="DMI-PROHIBITED", field="xmp:plus:DataMining")
    sample = ImageSample(data=b"", format="jpg", signals=(inside,), **found, **sizes)
    assert screen.after("https://example.org/a.jpg", sample) is Reason.PERMISSION_DENIED
    assert PageSignals(policy("eu-research")).after("https://example.org/a.jpg", sample) is None


def test_a_licence_that_is_only_named_waits_for_the_request():
    table = rows({"page_rsl": "https://b.example/licence.xml"})
    assert PageSignals(policy("strict")).before(table).to_pylist() == [None]
