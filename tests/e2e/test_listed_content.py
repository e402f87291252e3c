"""Known illegal content, as a build meets it: nothing of it is asked for, stored or told, and all of it is counted."""

import hashlib
import json
from collections import Counter

import pyarrow.parquet as pq
import pytest

import allmende as library
from allmende.identity import key64, uid
from allmende.media.image import process
from allmende.recipe import Images
from allmende.safety.hits import keyed
from allmende.testing.call import picture_bytes

WORKING_DATA = {"candidates", "unique"}
"""Written before anybody looked at the lists."""
KEY = "a key for hits, for tests"


def digest(name, number):
    return hashlib.new(name, picture_bytes(number)).hexdigest()


def near_hash(number):
    """The picture's PDQ hash with 28 bits of the other value: further from all other pictures of these tests."""
    found = process(picture_bytes(number), Images(min_bytes=0, min_side=0))
    assert found.phash_quality >= 50
    return f"{int(found.phash, 16) ^ (2**28 - 1):064x}"


def texts(folder):
    """Everything that stands in files of a dataset, tables unpacked, by name."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.relative_to(folder).parts[0] in WORKING_DATA:
            continue
        if path.suffix == ".parquet":
            yield path.name, json.dumps(pq.read_table(path).to_pylist(), default=str)
        else:
            yield path.name, path.read_bytes().decode("latin-1")


def failures(dataset):
    return Counter(row["reason"] for row in library.Dataset(str(dataset)).failures().to_pylist())


@pytest.fixture
def listed(web):
    """Paths that lists hit, by list; and the lists' content."""
    port = web.port
    return {
        "url": ("/ok/901", f"http://127.0.0.2:{port}/ok/901"),
        "md5": ("/ok/902", digest("md5", 902)),
        "sha256": ("/ok/903", digest("sha256", 903)),
        "pdq": ("/ok/911", near_hash(911)),
    }


def test_hits_leave_no_trace_but_their_count(allmende, table, tmp_path, web, listed):
    good = [f"/ok/{i}" for i in range(20)]
    paths = [path for path, _ in listed.values()]
    # Rows go to hosts 1 to 4 in turn: the first four are the listed ones, on hosts 1 to 4.
    order = [paths[1], paths[0], *paths[2:], *good]
    redirect = f"/redirect/1?to=http://127.0.0.2:{web.port}/ok/901"
    captions = [f"secret words {i}" for i in range(5)] + [f"harmless words {i}" for i in range(21)]
    flags = table(
        [*order[:4], redirect, *good, "/missing/1"],
        captions=captions,
    )
    for kind, (_, entry) in listed.items():
        (tmp_path / f"{kind}.txt").write_text(f"# kind: {kind}\n# name: hotline-{kind}\n{entry}\n")
    lists = json.dumps([str(tmp_path / f"{kind}.txt") for kind in listed])
    flags += ["--set", f"safety.hash_lists={lists}", "--set", "safety.hits_key=env:HITS_KEY"]
    said = allmende("fetch", *flags, "--to", "set", HITS_KEY=KEY)

    assert failures(tmp_path / "set") == {"listed": 5, "http_not_found": 1}
    samples = library.Dataset(str(tmp_path / "set")).samples().to_pylist()
    assert {row["caption"] for row in samples} == {f"harmless words {i}" for i in range(20)}
    assert sum(path == "/ok/901" for _, path in web.asked) == 0
    stored = sum(path.stat().st_size for path in (tmp_path / "set" / "samples").glob("*.bin"))
    assert stored == sum(row["data_size"] for row in samples)

    urls = [web.url(path, host=i % 4 + 1) for i, path in enumerate([*order[:4], redirect])]
    traces = ["secret words", *(f'{path}"' for path in paths), *paths, *(entry for _, entry in listed.values())]
    traces += [digest(name, int(path[4:])) for path in paths for name in ("md5", "sha1", "sha256")]
    traces += [str(key64(url)) for url in urls] + [uid(u, c) for u, c in zip(urls, captions, strict=False)]
    told = dict(texts(tmp_path / "set")) | {"output": said}
    assert {"events.jsonl", "lists.json", "report.html", "recipe.toml"} <= told.keys()
    assert [(name, trace) for name, text in told.items() for trace in traces if trace in text] == []
    # The search can fail: a failure that is no hit is found where it should be.
    assert any("/missing/1" in text for text in told.values())

    report = json.loads(allmende("report", "set", "--hits", "--json"))
    assert report["rows_dropped"] == 5
    assert {one["name"]: one["entries"] for one in report["lists"]} == {f"hotline-{kind}": 1 for kind in listed}
    hits = {(hit["kind"], hit["where"]): hit["url_hash"] for hit in report["hits"]}
    assert hits == {
        ("md5", "file"): keyed(KEY.encode(), urls[0]),
        ("url", "url"): keyed(KEY.encode(), urls[1]),
        ("sha256", "file"): keyed(KEY.encode(), urls[2]),
        ("pdq", "file"): keyed(KEY.encode(), urls[3]),
        ("url", "redirect"): keyed(KEY.encode(), urls[1]),
    }
    assert "hotline-pdq (pdq, " in allmende("report", "set", "--hits")

    assert "No reason 'listed'" in allmende("retry", "set", "--reason", "listed", code=2, HITS_KEY=KEY)
    allmende("retry", "set", "--status", "404", HITS_KEY=KEY)
    assert failures(tmp_path / "set") == {"listed": 5, "http_not_found": 1}
    again = json.loads(allmende("report", "set", "--hits", "--json"))
    assert again["hits"] == report["hits"]


def test_a_list_that_can_not_be_used_stops_a_build_before_it_starts(allmende, table, tmp_path, web):
    (tmp_path / "md5.txt").write_text("0" * 31)
    asked = len(web.asked)
    said = allmende("fetch", *table(["/ok/1"]), "--to", "set", "--set", 'safety.hash_lists=["md5:md5.txt"]', code=2)
    assert "md5.txt, line 1: 31 characters" in said
    assert len(web.asked) == asked
    assert not (tmp_path / "set" / "candidates").exists()
