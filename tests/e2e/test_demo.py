"""The demo, as a newcomer runs it: from an empty folder, with nothing but the package."""

import json
from collections import Counter

import pyarrow.parquet as pq

import allmende as library
from allmende.commoncrawl.source import read_range
from allmende.commoncrawl.warc import read_capture
from allmende.demo.server import DATA
from allmende.schema import Reason


def test_the_demo_builds_a_dataset_and_shows_every_kind_of_drop(allmende, tmp_path):
    said = allmende("demo")
    assert "Its report:  demo/release/report.html" in said
    steps = {s["step"]: s for s in json.loads(allmende("status", "demo", "--json"))}
    for step in steps.values():
        assert step["parts"] == step["finished"]
        for tally in step["counts"].values():
            assert tally["seen"] == tally["kept"] + sum(tally["dropped"].values())
    rows = pq.read_table(sorted((tmp_path / "demo/release/shards").glob("*.parquet"))).to_pylist()
    assert len(rows) == steps["samples"]["counts"]["sample"]["kept"] > 400
    assert len({row["language"] for row in rows}) > 15
    assert {row["original_format"] for row in rows} == {"jpeg", "png", "webp", "gif", "avif", "bmp", "tiff"}
    assert {"img", "srcset", "picture", "lazy", "a", "og:image", "json-ld"} <= {row["found_in"] for row in rows}
    failures = library.Dataset(str(tmp_path / "demo")).failures().to_pylist()
    denied = {row["verdict"] for row in failures if row["reason"] == Reason.PERMISSION_DENIED}
    assert denied == {"robots_txt_ai", "content_signal", "tdmrep", "ai_txt", "noai"}
    assert {row["verdict"] for row in rows} == {"allowed"}
    reasons = Counter(row["reason"] for row in failures)
    expected = {
        Reason.PERMISSION_DENIED,
        Reason.ADDRESS_REFUSED,
        Reason.HTTP_NOT_FOUND,
        Reason.DNS_NOT_FOUND,
        Reason.CONNECT_FAILED,
        Reason.TIMEOUT_FIRST_BYTE,
        Reason.IMAGE_FEW_BYTES,
        Reason.IMAGE_ASPECT_RATIO,
        Reason.CAPTION_TOO_FREQUENT,
    }
    assert expected <= set(reasons)


def test_provenance_leads_back_to_the_page(allmende, tmp_path):
    allmende("demo")
    row = library.Dataset(str(tmp_path / "demo")).samples().limit(1).to_pylist()[0]
    archive = next(DATA.rglob(row["warc_file"]))
    capture = read_capture(read_range(str(archive), row["warc_offset"], row["warc_length"]), 10_000_000)
    assert capture.url == row["page_url"]
