"""What was taken down is found again, however it comes back."""

import numpy as np
import pyarrow as pa

from allmende.identity import uid
from allmende.safety.veil import Veil
from allmende.schema import FAILURES, SAMPLES, Reason
from allmende.steps.tombstone_screen import Tombstones, TombstoneScreen, any_of, blanked, forget
from allmende.testing.samples import sample

VEIL = Veil(b"salt" * 8)
LOOKS = bytes(np.random.default_rng(1).integers(0, 256, 32, np.uint8))


def tombstones(**values):
    return Tombstones(
        {kind: bytes.fromhex("".join(VEIL.veiled(kind, v) for v in vs)) for kind, vs in values.items()}, VEIL
    )


def flipped(bits):
    changed = np.unpackbits(np.frombuffer(LOOKS, np.uint8))
    changed[:bits] ^= 1
    return np.packbits(changed).tobytes().hex()


def test_rows_are_found_by_url_by_sample_and_by_any_host_of_a_domain():
    found = tombstones(
        url=["https://a.example/1.jpg"], domain=["b.example"], uid=[uid("https://c.example/1.jpg", "words")]
    )
    urls = [
        "https://a.example/1.jpg",
        "https://a.example/2.jpg",
        "https://b.example/x",
        "http://img.cdn.b.example:8080/y",
        "https://notb.example/x",
        "https://c.example/1.jpg",
        None,
    ]
    uids = [uid(url, "words") if url else None for url in urls]
    assert any_of(found.rows(urls, uids)).tolist() == [True, False, True, True, False, True, False]
    rows = pa.table({"url": urls[:3], "uid": uids[:3]})
    assert TombstoneScreen(found).before(rows).to_pylist() == [Reason.TAKEN_DOWN, None, Reason.TAKEN_DOWN]


def test_files_are_found_by_digest_and_by_looks():
    found = tombstones(sha256=["ab" * 32], phash=[LOOKS.hex()])
    looks = [flipped(n) for n in (0, 31, 32, 0, 0)]
    masks = found.files(["ab" * 32, *["0" * 64] * 4], looks, [0, 50, 100, 49, None])
    assert masks["sha256"].tolist() == [True, False, False, False, False]
    # 31 bits are near, 32 are not; without detail nothing is compared
    assert masks["phash"].tolist() == [False, True, False, False, False]


def test_an_empty_log_finds_nothing():
    found = tombstones()
    assert not found.looks_at_rows
    assert not found.looks_at_files
    assert not any_of(found.rows(["https://a.example/"], ["0" * 32])).any()
    assert not any_of(found.files(["0" * 64], ["0" * 64], [100])).any()


def test_a_row_that_is_taken_down_keeps_nothing_that_leads_back():
    row, _ = sample(3)
    rows = pa.Table.from_pylist([row, row], SAMPLES)
    left = blanked(rows)
    assert left.schema == FAILURES
    kept = {name: value for name, value in left.to_pylist()[0].items() if value is not None}
    assert kept.keys() == {
        "caption_source",
        "found_in",
        "language",
        "language_score",
        "crawl",
        "captured_at",
        "seen",
        "reason",
    }
    assert kept["reason"] == "taken_down"


def test_only_rows_that_are_taken_down_are_blanked():
    row, _ = sample(4)
    known = {name: row.get(name) for name in FAILURES.names}
    table = pa.Table.from_pylist([known | {"reason": "taken_down"}, known | {"reason": "http_not_found"}], FAILURES)
    assert forget(table).column("url").to_pylist() == [row["url"], None]
    assert forget(table.slice(1)).equals(table.slice(1))
