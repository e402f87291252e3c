"""A whole build over a web in which everything misbehaves at once: each row has its Reason, the good ones are kept."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allmende.dataset import Dataset
from allmende.lake import Lake
from allmende.maintain.verify import verify
from allmende.schema import Reason
from allmende.testing.behaviours import INSIDE, bomb_bytes
from allmende.testing.bombs import bomb_file
from allmende.testing.broken_tls import HANDSHAKES
from allmende.testing.call import picture_bytes
from allmende.testing.server import Server

from .test_hostile_server import MISBEHAVIOUR, SLOW

QUICK = range(2, 18)
"""Hosts (last number of their address) that answer at once, if they answer."""
SLOWER = range(18, 18 + len(SLOW) + 2)
"""Hosts that keep a request waiting, each for itself."""
RESERVED, BROKEN_ROBOTS, SILENT_ROBOTS = 30, 31, 32
"""Hosts with a robots.txt that says no, that fails, that never comes."""

BOMBS = {
    "png": Reason.IMAGE_LARGE,
    "png-lying": Reason.IMAGE_SINGLE_COLOUR,
    "avif": Reason.IMAGE_LARGE,
    "avif-lying": Reason.IMAGE_SINGLE_COLOUR,
    "svg": Reason.IMAGE_FORMAT,
    "gif": Reason.IMAGE_LARGE,
    "bmp": Reason.IMAGE_LARGE,
    "tiff": Reason.IMAGE_LARGE,
}
"""Files that would grow, and where they end: the lying ones are small pictures without content as far as they are read."""

PEAK_BYTES = 600_000_000
"""More than any process of the build may ever have held (280 MB are usual): dozens of responses here want more, the
largest 12 GB."""

SETTINGS = {
    "fetch.allow_addresses": [f"127.0.0.{number}/32" for number in range(2, 33)],
    "fetch.connect_seconds": 5.0,
    "fetch.first_byte_seconds": 5.0,
    "fetch.idle_seconds": 4.0,
    "fetch.total_seconds": 7.0,
    "fetch.retries": 0,
    "fetch.retry_seconds": 0.01,
    "fetch.host_failures": 1000,
    "fetch.max_bytes": 1_000_000,
    "fetch.part_size": 20,
    "images.max_pixels": 4_000_000,
    "images.drop_single_colour": True,
    "images.decode_bytes": 600_000_000,
}

MEASURED = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print("PEAK", usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command and tells the most memory that one process of it has held. From a small process, because the figure
of a child begins with its parent's."""


@pytest.fixture(scope="module")
def web():
    for path, _, _ in MISBEHAVIOUR:  # the server answers nobody while it packs a bomb
        if path.startswith("/bomb/"):
            bomb_bytes(path.rpartition("/")[2])
    for name in BOMBS:
        bomb_file(name)
    with Server(hosts=32) as server:
        server.answers["127.0.0.30", "/robots.txt"] = "/text?is=User-agent:%20*%0ADisallow:%20/"
        server.answers["127.0.0.31", "/robots.txt"] = "/status/500"
        server.answers["127.0.0.32", "/robots.txt"] = "/silent"
        yield server


def expectations(web):
    """URLs, each with its Reason; None for those that are pictures."""
    quick = [(path, reason) for path, reason, _ in MISBEHAVIOUR if not path.startswith("/robots")]
    quick += [(f"/image-bomb/{name}", reason) for name, reason in BOMBS.items()]
    quick += [(f"/redirect-inside/{i}?port={web.port}", Reason.ADDRESS_REFUSED) for i in range(len(INSIDE))]
    quick += [("/robots/1?tag=noai", Reason.PERMISSION_DENIED), ("/reset-body/1", Reason.CONNECTION_LOST)]
    for path in ("/chunks/1", "/until-close/1", "/encoded/br", "/redirects/5", "/too-much/1", "/type/1?is=text/html"):
        quick += [(path, None)]
    quick += [(f"/ok/{number}", None) for number in range(10, 50)]
    found = {web.url(path, QUICK[i % len(QUICK)]): reason for i, (path, reason) in enumerate(quick)}
    slow = [*[(path, reason) for path, reason, _ in SLOW], ("/ok/3", None)]
    found |= {web.url(path, SLOWER[i]): reason for i, (path, reason) in enumerate(slow)}
    found |= {
        f"https://127.0.0.{i + 2}:{port}/ok/1": Reason.TLS_FAILED for i, port in enumerate(web.broken_tls.values())
    }
    found |= {
        f"http://{host}:{web.port}/ok/2": Reason.ADDRESS_REFUSED
        for host in ("2130706433", "[::ffff:7f00:1]", "169.254.1")
    }
    found |= {
        web.url("/ok/4", 2, tls=True): Reason.TLS_FAILED,  # a certificate for another name
        web.url("/ok/5", RESERVED): Reason.PERMISSION_DENIED,
        web.url("/ok/6", BROKEN_ROBOTS): Reason.PERMISSION_DENIED,
        web.url("/ok/7", SILENT_ROBOTS): Reason.TIMEOUT_FIRST_BYTE,  # not asked for, and that is why
        web.url("/ok/8", 33): Reason.ADDRESS_REFUSED,
        "http://127.0.0.2:22/": Reason.PORT_REFUSED,
    }
    return found


def build(folder, web, urls):
    """Runs `allmende fetch`; the most memory that a process of it has held, bytes."""
    pq.write_table(
        pa.table({"url": urls, "caption": [f"picture number {i}" for i in range(len(urls))]}), folder / "urls.parquet"
    )
    settings = SETTINGS | {"fetch.ports": list(web.ports)}
    command = [sys.executable, "-m", "allmende", "fetch", "urls.parquet", "--to", "data"]
    command += [flag for key, value in settings.items() for flag in ("--set", f"{key}={json.dumps(value)}")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.rpartition("PEAK ")[2])


def fates(folder):
    """Reason by URL; None for what was kept."""
    lake = Lake(folder / "data")
    found = {}
    for name in lake.step("samples").files(".dropped.parquet"):
        table = pq.read_table(folder / "data" / name)
        found |= dict(zip(table["url"].to_pylist(), map(Reason, table["reason"].to_pylist()), strict=True))
    for name in lake.step("samples").files(".parquet"):
        found |= dict.fromkeys(pq.read_table(folder / "data" / name)["url"].to_pylist())
    return found


def without_clock(folder):
    """All rows of the samples but for what the clock says."""
    tables = [pq.read_table(folder / "data" / name) for name in Lake(folder / "data").step("samples").files(".parquet")]
    rows = pa.concat_tables(tables).drop_columns(["fetched_at", "fetch_ms", "signals"]).sort_by("uid")
    return hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()


def quick_part(folder):
    """A part whose hosts keep nobody waiting, so that making it again takes no time."""
    step = Lake(folder / "data").step("samples")
    for manifest in step.manifests():
        rows = [
            pq.read_table(folder / "data" / "samples" / manifest.file(end)) for end in (".parquet", ".dropped.parquet")
        ]
        hosts = {urlsplit(url).hostname for table in rows for url in table["url"].to_pylist()}
        if hosts and not hosts & {f"127.0.0.{number}" for number in (*SLOWER, SILENT_ROBOTS)}:
            return manifest.part
    raise AssertionError("every part has a slow host")


@pytest.mark.slow
def test_everything_at_once(web, tmp_path):
    expected = expectations(web)
    assert set(HANDSHAKES) == set(web.broken_tls)
    peak = build(tmp_path, web, list(expected))
    found = fates(tmp_path)
    normal = {url: reason for url, reason in expected.items() if url in found}
    assert {url: (found[url], reason) for url, reason in normal.items() if found[url] is not reason} == {}
    # Addresses in other spellings were normalised; nothing else may be missing.
    assert Counter(found.values()) == Counter(expected.values())
    assert peak < PEAK_BYTES, f"{peak:,}"

    for status in Dataset(str(tmp_path / "data")).status():
        for tally in status.counts.values():
            assert tally.balanced(), status
    kept = sum(reason is None for reason in expected.values())
    assert verify(str(tmp_path / "data"), decode=True).problems == {}
    assert verify(str(tmp_path / "data")).samples == kept
    digests = {hashlib.sha256(picture_bytes(number)).hexdigest() for number in range(10, 50)}
    stored = set()
    for name in Lake(tmp_path / "data").step("samples").files(".parquet"):
        stored |= set(pq.read_table(tmp_path / "data" / name)["sha256"].to_pylist())
    assert digests <= stored

    # What is finished is not asked for again; a part that was lost is made again, and comes out the same.
    before, asked = without_clock(tmp_path), len(web.asked)
    build(tmp_path, web, list(expected))
    assert len(web.asked) == asked
    (tmp_path / "data" / "samples" / f"part-{quick_part(tmp_path)}.json").unlink()
    build(tmp_path, web, list(expected))
    assert len(web.asked) > asked
    assert without_clock(tmp_path) == before
    assert Counter(fates(tmp_path).values()) == Counter(expected.values())
