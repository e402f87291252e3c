"""`allmende verify --online` against a web that has changed since the dataset was built."""

import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from allmende.identity import uid
from allmende.lake import Lake
from allmende.maintain.online import Options, compare
from allmende.maintain.rdap import registered
from allmende.media.image import process
from allmende.parts import File, Tally
from allmende.publish.sink import Shard, load_sink
from allmende.recipe import Images
from allmende.schema import SAMPLES
from allmende.testing.nameserver import Nameserver
from allmende.testing.samples import sample
from allmende.testing.server import Server

FETCHED = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with Server(hosts=4) as server:
        yield server


@pytest.fixture(scope="module")
def original():
    """The picture that all URLs led to, and what the dataset knows of it."""
    body = detailed()
    return body, process(body, Images(min_bytes=0, size=64))


def detailed(quality=90):
    """A picture with enough detail for a perceptual hash, in that quality."""
    out = io.BytesIO()
    colours = np.random.default_rng(7).integers(0, 256, (24, 32, 3), np.uint8)
    Image.fromarray(colours).resize((160, 120), Image.Resampling.BICUBIC).save(out, "JPEG", quality=quality)
    return out.getvalue()


def write(folder, urls, made, sink="webdataset"):
    """A release of these URLs, all with the same picture."""
    names = ("sha256", "phash", "phash_quality", "width", "height", "format", "original_width", "original_height")
    facts = {name: getattr(made, name) for name in names}
    rows = []
    for number, url in enumerate(urls):
        row, _ = sample(number)
        rows.append({**row, **facts, "url": url, "uid": uid(url, row["caption"]), "fetched_at": FETCHED})
    rows = pa.Table.from_pylist(rows, SAMPLES).to_pylist()
    with Lake(folder).step("shards").part("00000", "plan") as part:
        shard = load_sink(sink).write(Shard(0), [(row, made.data) for row in rows], part.aside)
        files = {file.name: File(file.bytes, file.sha256) for file in shard.files}
        part.commit({"sample": Tally(len(rows), len(rows))}, files=files)


def settings(server):
    fetch = {"ports": list(server.ports), "allow_addresses": ["127.0.0.0/8"], "retries": 0, "host_failures": 100}
    return tuple(f"fetch.{name}={json.dumps(value)}" for name, value in fetch.items())


def options(server, names, **changes):
    return Options(**{"settings": settings(server), "nameservers": (names.address,)} | changes)


NAMES = ("good", "moved", "poisoned", "dead", "parked", "sold", "shop", "shy", "mixed", "agent")


@pytest.fixture(scope="module")
def names():
    with Nameserver({f"{name}.example": [["127.0.0.1"]] for name in NAMES}) as names:
        yield names


@pytest.fixture
def web(server, original):
    """Lets paths answer with the original, or a worse copy of it."""
    server.answers.clear()
    for number in range(4):
        server.answers["", f"/same/{number}"] = "/file/original"
        server.answers["", f"/worse/{number}"] = "/file/worse"
    server.files = {"original": original[0], "worse": detailed(40)}
    server.answers["shy.example", "/robots.txt"] = "/text?is=User-agent:%20*%0ADisallow:%20/"
    server.answers["parked.example", "/gone"] = "/html"
    return server


def urls(server, host, path, count=4):
    return [server.url(f"/{path}/{number}", f"{host}.example") for number in range(count)]


@pytest.mark.parametrize("sink", ["webdataset", "parquet", "files"])
def test_every_fate_is_told_by_domain(web, names, original, tmp_path, sink):
    to = web.url("/html", "sold.example")
    everything = [
        *urls(web, "good", "same"),
        *urls(web, "moved", "worse"),
        *urls(web, "poisoned", "ok"),
        *urls(web, "dead", "status/404"),
        *urls(web, "parked", "html"),
        *[web.url(f"/redirect?to={to}&n={number}", "shop.example") for number in range(4)],
        *urls(web, "shy", "same"),
        *urls(web, "mixed", "same", 2),
        web.url("/status/503", "mixed.example"),
        web.url("/ok/3", "mixed.example"),
        web.url("/1.jpg", "nobody.example"),
    ]
    write(tmp_path, everything, original[1], sink)
    report = compare(str(tmp_path), options(web, names, sample=0))
    found = {domain.domain: domain for domain in report.domains}
    assert {name: domain.fates for name, domain in found.items()} == {
        "good.example": {"same": 4},
        "moved.example": {"recompressed": 4},
        "poisoned.example": {"changed": 4},
        "dead.example": {"vanished": 4},
        "parked.example": {"parked": 4},
        "shop.example": {"parked": 4},
        "shy.example": {"denied": 4},
        "mixed.example": {"same": 2, "failed": 1, "changed": 1},
        "nobody.example": {"vanished": 1},
    }
    assert found["dead.example"].reasons == {"http_not_found": 4}
    assert found["nobody.example"].reasons == {"dns_not_found": 1}
    suspected = {name for name, domain in found.items() if domain.changed_hands}
    assert suspected == {"poisoned.example", "dead.example", "parked.example", "shop.example"}
    assert {found[name].changed_hands for name in suspected} == {"suspected"}
    assert (report.asked, report.of, report.changed_hands) == (len(everything), len(everything), 4)
    assert [domain.domain for domain in report.domains[:4]] == sorted(suspected)
    assert not [
        path
        for host, path in web.asked
        if host == "shy.example" and path != "/robots.txt" and "ai.txt" not in path and "well-known" not in path
    ]


def test_a_sample_is_the_same_for_the_same_seed_and_no_url_is_asked_twice(web, names, original, tmp_path):
    everything = [web.url(f"/ok/{number}", "good.example") for number in range(50)]
    write(tmp_path / "a", everything + everything[:10], original[1])
    write(tmp_path / "b", list(reversed(everything)), original[1])
    asked = []
    for folder in ("a", "b"):
        before = len(web.asked)
        report = compare(str(tmp_path / folder), options(web, names, sample=7))
        assert (report.asked, report.of) == (7, 50)
        asked.append({path for _, path in web.asked[before:] if path.startswith("/ok")})
    assert asked[0] == asked[1]
    assert len(asked[0]) == 7


def rdap(*events):
    """An answer of a registry, as a path of the server."""
    told = {"objectClassName": "domain", "events": [{"eventAction": kind, "eventDate": date} for kind, date in events]}
    return f"/text?type=application/rdap%2Bjson&is={quote(json.dumps(told))}"


def test_a_registry_tells_that_a_domain_changed_hands(web, names, original, tmp_path):
    later = (FETCHED + timedelta(days=9)).isoformat()
    web.answers["", "/rdap/domain/poisoned.example"] = rdap(("registration", later), ("last changed", "2027-01-01"))
    web.answers["", "/rdap/domain/mixed.example"] = rdap(("registration", "1999-01-01T00:00:00Z"), ("transfer", later))
    write(
        tmp_path,
        [
            *urls(web, "poisoned", "ok"),
            *urls(web, "mixed", "ok", 1),
            *urls(web, "mixed", "same", 1),
            *urls(web, "good", "same"),
        ],
        original[1],
    )
    before = len(web.asked)
    report = compare(str(tmp_path), options(web, names, sample=0, rdap=web.url("/rdap/", "agent.example")))
    found = {domain.domain: domain for domain in report.domains}
    assert found["poisoned.example"].changed_hands == "registered"
    assert (
        found["poisoned.example"].evidence[0] == "registered on 2026-10-10, after its files were fetched (2026-10-01)"
    )
    assert found["mixed.example"].changed_hands == ""
    assert found["mixed.example"].registered == datetime(1999, 1, 1, tzinfo=UTC)
    assert found["good.example"].registered is None
    assert report.domains[0].domain == "poisoned.example"
    assert sum(path.startswith("/rdap/") for _, path in web.asked[before:]) == 2


@pytest.mark.parametrize(
    ("answer", "date"),
    [
        (b'{"events":[{"eventAction":"Registration","eventDate":"2020-01-02T03:04:05Z"}]}', (2020, 1, 2)),
        (
            b'{"events":[{"eventAction":"registration","eventDate":"2020-01-02"},{"eventAction":"reregistration","eventDate":"2021-01-02T00:00:00+00:00"}]}',
            (2021, 1, 2),
        ),
        (b'{"events":[{"eventAction":"expiration","eventDate":"2020-01-02"}]}', None),
        (b'{"events":[{"eventAction":"registration","eventDate":"yesterday"}]}', None),
        (b'{"events":[{"eventAction":"registration","eventDate":"0001-01-01T00:00:00+23:59"}]}', None),
        (b'{"events":7}', None),
        (b'{"errorCode":404}', None),
        (b"<html>", None),
        (b"\xff" + b"[" * 100_000, None),
    ],
)
def test_answers_of_registries(answer, date):
    found = registered(answer)
    assert (found and (found.year, found.month, found.day)) == date


def test_the_command_prints_writes_and_does_not_blame_the_dataset(web, original, tmp_path, allmende):
    write(
        tmp_path / "data", [web.url(f"/{path}/{n}") for n in range(3) for path in ("same", "status/410")], original[1]
    )
    flags = [flag for setting in settings(web) for flag in ("--set", setting)]
    out = allmende("verify", "data", "--online", *flags)
    assert "Nothing is wrong with it." in out
    assert "6 of 6 URLs asked" in out
    assert "127.0.0.1: 3 same, 3 vanished" in out
    report = json.loads((tmp_path / "data" / "verify.json").read_text())
    assert report["online"]["fates"] == {"same": 3, "vanished": 3}
    (tmp_path / "data" / "shards" / "00000.tar").write_bytes(b"")
    damaged = json.loads(allmende("verify", "data", "--json", code=3))
    (tmp_path / "data" / "shards" / "00000.parquet").write_bytes(b"PAR1")
    assert "can't be read" in allmende("verify", "data", "--online", code=5)
    assert damaged["problems"].keys() >= {"file_size", "file_digest", "archive_damaged"}
