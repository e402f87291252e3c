import hashlib

import numpy as np
import pyarrow as pa
import pytest

from allmende.errors import RecipeError
from allmende.safety.block_list import About, Found
from allmende.safety.hits import HITS, conceal, hits_table, keyed, usable_key
from allmende.safety.lists import Hit
from allmende.schema import FAILURES

KEY = b"a key of sixteen"
SIGNAL = {"name": "noai", "says": "deny", "value": "v", "url": "https://a.example/robots.txt", "field": "", "line": 1}


def full(**more):
    """A failure with something in every column."""
    values = {}
    for field in FAILURES:
        if pa.types.is_nested(field.type):
            values[field.name] = [SIGNAL | {"at": None}]
        elif pa.types.is_timestamp(field.type):
            values[field.name] = 1_700_000_000_000
        else:
            values[field.name] = f"a secret {field.name}" if pa.types.is_string(field.type) else 77
    return values | more


def failures(*rows):
    return pa.Table.from_pylist(rows, schema=FAILURES)


def test_a_hit_keeps_nothing_that_leads_to_it():
    rows = failures(full(uid="1" * 32, crawl="CC-MAIN-2026-43"), full(uid="2" * 32, reason="timeout_idle"))
    gone, stays = conceal(rows, np.array([True, False]), KEY).to_pylist()
    assert {name: value for name, value in gone.items() if value is not None} == {
        "uid": hashlib.blake2b(b"1" * 32, key=KEY, digest_size=16).hexdigest(),
        "crawl": "CC-MAIN-2026-43",
        "seen": 77,
        "reason": "listed",
    }
    assert stays == rows.to_pylist()[1]


def test_without_a_hit_failures_stay_as_they_are():
    rows = failures(full())
    assert conceal(rows, np.array([False]), KEY) is rows


def test_hits_are_told_by_keyed_hashes():
    about = About(name="hotline", kind="pdq", date="2026-11-01", entries=1, sha256="0")
    hit = Hit(about, Found("f0" * 32, 7), "file", "https://a.example/x.jpg")
    other = hit._replace(url="https://b.example/")
    table = hits_table([hit, other, hit], KEY)
    assert table.schema == HITS
    rows = {row["url_hash"]: row for row in table.to_pylist()}
    assert rows.keys() == {keyed(KEY, hit.url), keyed(KEY, other.url)}
    row = rows[keyed(KEY, hit.url)]
    assert row.pop("at").tzinfo is not None
    assert row == {
        "url_hash": hashlib.blake2b(hit.url.encode(), key=KEY, digest_size=32).hexdigest(),
        "entry_hash": keyed(KEY, "f0" * 32),
        "list": "hotline",
        "kind": "pdq",
        "list_date": "2026-11-01",
        "where": "file",
        "distance": 7,
        "rows": 2,
    }


def test_keys_of_any_length_but_no_short_ones():
    assert usable_key(KEY, "") == KEY
    assert keyed(usable_key(b"x" * 1000, ""), "text")
    with pytest.raises(RecipeError, match="15 bytes, it needs 16"):
        usable_key(KEY[1:], "env:KEY")
