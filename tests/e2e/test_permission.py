"""Permission over a real network: hosts are asked politely and once, what they deny is never requested, all of it is stored."""

import asyncio
import json
from collections import Counter
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

import allmende as library
from allmende.fetch import host_files
from allmende.fetch.client import Client, Target, user_agent
from allmende.permission.answers import answers
from allmende.permission.gate import Gate
from allmende.permission.hosts import Hosts
from allmende.permission.policy import policy
from allmende.permission.robots import PARSED_BYTES
from allmende.recipe import Fetch
from allmende.schema import Reason
from allmende.testing.archives import Archive
from allmende.testing.server import Server

NOTHING = "/text?is="
NO_X = "/text?is=" + quote("User-agent: *\nDisallow: /ok/1")
TDMREP = "/text?type=application/json&is=" + quote('[{"location": "/ok/1*", "tdm-reservation": 1}]')
AI_TXT = "/text?is=" + quote("User-Agent: *\nDisallow: /ok/1")
FORBIDS = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="/ok/1*"><license><prohibits type="usage">ai-train</prohibits>'
    "</license></content></rsl>"
)


@pytest.fixture
def server():
    with Server(hosts=4) as server:
        yield server


def fetch(server, urls, heeded=None, **changes):
    """Outcomes by URL."""
    known = {"ports": server.ports, "allow_addresses": ("127.0.0.0/8",), "retries": 0, "retry_seconds": 0.01}
    config = Fetch(**known | changes)

    async def body_of(fetched):
        return fetched.body

    async def work():
        async def ask(kind, url):
            return await host_files.ask(client, kind, url)

        hosts = Hosts(ask, answers())
        async with Client(config, user_agent(""), Gate(heeded or policy("eu-commercial"), hosts)) as client:
            found = {t.url: o async for t, o in client.run([Target(url, url) for url in urls], body_of)}
            await hosts.close()
            return found

    return asyncio.run(asyncio.wait_for(work(), 60))


def reasons(outcomes):
    return [outcome.reason for outcome in outcomes.values()]


def test_every_host_is_asked_once_and_what_it_denies_is_never_requested(server):
    server.answers[("127.0.0.2", "/robots.txt")] = NO_X
    server.answers[("127.0.0.3", "/.well-known/tdmrep.json")] = TDMREP
    server.answers[("127.0.0.4", "/ai.txt")] = AI_TXT
    urls = [server.url(f"/ok/{i}", host) for i in range(1, 21) for host in (1, 2, 3, 4)]
    outcomes = fetch(server, urls)
    for host, reserved in ((1, 0), (2, 11), (3, 11), (4, 11)):
        of_host = {url: o for url, o in outcomes.items() if f"127.0.0.{host}:" in url}
        assert Counter(reasons(of_host))[Reason.PERMISSION_DENIED] == reserved
        asked = [path for name, path in server.asked if name == f"127.0.0.{host}"]
        own = [path for path in asked if not path.startswith("/ok/")]
        assert sorted(own) == ["/.well-known/tdmrep.json", "/ai.txt", "/robots.txt"]
        assert own[0] == "/robots.txt"
        assert len(asked) == 3 + 20 - reserved
    denied = outcomes[server.url("/ok/1", 3)]
    assert denied.facts.http_status is None
    assert [s.name for s in denied.facts.signals] == ["tdmrep"]


def test_a_licence_is_read_wherever_it_lies(server):
    server.answers[("127.0.0.1", "/robots.txt")] = "/text?is=" + quote(f"License: {server.url('/l.xml', 2)}")
    server.answers[("127.0.0.2", "/l.xml")] = "/text?type=application/rsl%2Bxml&is=" + quote(FORBIDS)
    outcomes = fetch(server, [server.url("/ok/1"), server.url("/ok/2")])
    assert reasons(outcomes) == [Reason.PERMISSION_DENIED, None]
    assert [path for host, path in server.asked if host == "127.0.0.2"] == ["/l.xml"]


def test_a_licence_named_by_a_header_is_read_before_the_body(server):
    server.answers[("127.0.0.2", "/l.xml")] = "/text?is=" + quote(FORBIDS)
    link = quote(f'<{server.url("/l.xml", 2)}>; rel="license"; type="application/rsl+xml"')
    urls = [server.url(f"/headers/{i}?header={quote('Link')}:{link}") for i in range(3)]
    server.answers[("127.0.0.2", "/l.xml")] = "/text?is=" + quote(FORBIDS.replace("/ok/1*", "/headers/1*"))
    outcomes = fetch(server, urls)
    assert reasons(dict(sorted(outcomes.items()))) == [None, Reason.PERMISSION_DENIED, None]
    assert [path for _, path in server.asked].count("/l.xml") == 1


def test_a_denial_of_a_redirects_target_counts(server):
    server.answers[("127.0.0.2", "/robots.txt")] = NO_X
    url = server.url("/redirect?to=" + quote(server.url("/ok/1", 2)))
    outcome = fetch(server, [url])[url]
    assert outcome.reason is Reason.PERMISSION_DENIED
    assert outcome.facts.http_status == 302
    assert [path for host, path in server.asked if host == "127.0.0.2"] == ["/robots.txt"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NOTHING, None),
        ("/missing/1", None),
        ("/status/403", None),
        ("/status/410", None),
        ("/html/1", None),
        ("/no-content/1", None),
        ("/empty/1", None),
        ("/status/500", Reason.PERMISSION_DENIED),
        ("/status/503", Reason.PERMISSION_DENIED),
        ("/status/429", Reason.PERMISSION_DENIED),
        ("/redirect-loop/1", Reason.PERMISSION_DENIED),
        ("/redirect?to=http://169.254.169.254/", Reason.PERMISSION_DENIED),
        ("/redirect?to=/robots-here", Reason.PERMISSION_DENIED),
        ("/cut-headers/1", Reason.CONNECTION_LOST),
        ("/reset/1", Reason.CONNECTION_LOST),
        ("/garbage/1", Reason.PROTOCOL_ERROR),
        ("/silent/1", Reason.TIMEOUT_FIRST_BYTE),
        ("/huge-headers/1", Reason.HEADERS_TOO_LARGE),
        ("/stall/1", Reason.PERMISSION_DENIED),
        ("/drip/1", Reason.PERMISSION_DENIED),
        ("/cut/1", Reason.PERMISSION_DENIED),
        ("/bomb/gzip", None),
    ],
)
def test_whatever_robots_txt_is(server, answer, reason):
    server.answers[("127.0.0.1", "/robots.txt")] = answer
    server.answers[("127.0.0.1", "/robots-here")] = NO_X
    url = server.url("/ok/1")
    outcome = fetch(server, [url], first_byte_seconds=0.5, idle_seconds=0.5, total_seconds=1.0)[url]
    assert outcome.reason is reason
    assert (url.endswith("/ok/1") and ("127.0.0.1", "/ok/1") in server.asked) is (reason is None)
    if reason is Reason.PERMISSION_DENIED:
        assert [s.name for s in outcome.facts.signals] == ["robots_txt"]
    elif reason is not None:
        assert outcome.facts.signals is None


def test_five_redirects_are_followed_whatever_the_recipe_says(server):
    for left in range(1, 6):
        server.answers[("127.0.0.1", f"/to/{left}")] = f"/redirect?to=/to/{left - 1}"
    server.answers |= {("127.0.0.1", "/robots.txt"): "/redirect?to=/to/4", ("127.0.0.1", "/to/0"): NO_X}
    assert reasons(fetch(server, [server.url("/ok/1")], max_redirects=0)) == [Reason.PERMISSION_DENIED]
    assert reasons(fetch(server, [server.url("/ok/2")], max_redirects=0)) == [None]


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br", "zstd"])
def test_a_large_robots_txt_is_read_as_far_as_its_beginning(server, encoding):
    server.answers[("127.0.0.1", "/robots.txt")] = f"/long-robots?bytes={2 * PARSED_BYTES}&encoding={encoding}"
    outcomes = fetch(server, [server.url("/ok/1"), server.url("/ok/2")], max_bytes=100_000)
    assert reasons(outcomes) == [Reason.PERMISSION_DENIED, None]


def test_dead_hosts_keep_their_reasons(server):
    dead = f"http://127.0.0.1:{server.mute_port}/ok/1".replace("http:", "https:")
    outcomes = fetch(server, [dead, "http://10.1.2.3/ok/1", "http://127.0.0.1:1/x"], ports=(*server.ports, 80, 1))
    assert reasons(dict(sorted(outcomes.items()))) == [
        Reason.ADDRESS_REFUSED,
        Reason.CONNECT_FAILED,
        Reason.TLS_FAILED,
    ]


def test_robots_txt_counts_as_a_request_of_its_host(server):
    urls = [server.url(f"/ok/{i}", host) for i in range(20) for host in (1, 2)]
    outcomes = fetch(server, urls, per_host=1, concurrency=2)
    assert reasons(outcomes) == [None] * 40
    assert max(server.most_at_once.values()) == 1


def test_a_policy_of_off_asks_for_files_only(server):
    server.answers[("127.0.0.1", "/robots.txt")] = NO_X
    assert reasons(fetch(server, [server.url("/ok/1")], policy("off"))) == [None]
    assert server.asked == [("127.0.0.1", "/ok/1")]


def build(allmende, table, web, *flags):
    paths = [f"/ok/{i}" for i in range(24)] + ["/robots/1?tag=NoAI", "/missing/1"]
    return allmende("fetch", *table(paths), "--to", "set", *flags)


def test_rows_tell_what_was_read_under_which_policy_and_what_came_of_it(allmende, table, web, tmp_path):
    web.answers[("127.0.0.2", "/robots.txt")] = NO_X
    web.answers[("127.0.0.3", "/.well-known/tdmrep.json")] = TDMREP
    try:
        build(allmende, table, web)
        asked = len(web.asked)
        rows = pq.read_table(sorted((tmp_path / "set/release/shards").glob("*.parquet"))).to_pylist()
        failures = library.Dataset(str(tmp_path / "set")).failures().to_pylist()
        assert {(row["verdict"], row["policy"]) for row in rows} == {("allowed", "eu-commercial/2026-11-22")}
        denied = [row for row in failures if row["reason"] == "permission_denied"]
        assert {row["verdict"] for row in denied} == {"robots_txt", "tdmrep", "noai"}
        for row in denied:
            assert row["signals"][-1]["name"] == row["verdict"]
            assert row["signals"][-1]["at"] is not None
        assert {row["verdict"] for row in failures if row["reason"] == "http_not_found"} == {"allowed"}
        hosts = library.Dataset(str(tmp_path / "set")).hosts().to_pylist()
        assert len(hosts) == 4 * 3
        evidence = {(row["url"], row["fetched_at"]) for row in hosts}
        told = [s for row in denied for s in row["signals"] if s["url"]]
        assert told
        assert {(s["url"], s["at"]) for s in told} <= evidence
        # Samples made anew within a day rely on what is stored.
        for path in (tmp_path / "set/samples").glob("part-*"):
            path.unlink()
        allmende("build", "set/recipe.toml")
        again = [path for _, path in web.asked[asked:] if not path.startswith(("/ok/", "/robots/", "/missing/"))]
        assert again == []
    finally:
        web.answers.clear()


def test_what_pages_and_captures_forbid_is_never_requested(allmende, table, web, tmp_path):
    made = Archive("robots.warc.gz")
    made.response(web.url("/robots.txt", 2), b"User-agent: *\nDisallow: /ok/old-1", content_type="text/plain")
    (tmp_path / "robots.warc.gz").write_bytes(made.to_bytes())
    flags = table([f"/ok/old-{i}" for i in range(8)])
    urls = pq.read_table(tmp_path / "urls.parquet")
    pages = ["noimageai", None, "noindex", *[None] * 5]
    pq.write_table(urls.append_column("page_robots", [pages]), tmp_path / "urls.parquet")
    allmende("fetch", *flags, "--to", "set", "--set", 'permission.captures=["robots.warc.gz"]')
    failures = library.Dataset(str(tmp_path / "set")).failures().to_pylist()
    assert {(row["url"], row["verdict"], row["signals"][-1]["field"]) for row in failures} == {
        (web.url("/ok/old-0", 1), "noai", "meta:robots"),
        (web.url("/ok/old-1", 2), "robots_txt", "capture"),
    }
    assert {(row["reason"], row["http_status"]) for row in failures} == {("permission_denied", None)}
    assert not {"/ok/old-0", "/ok/old-1"} & {path for _, path in web.asked}
    steps = {s["step"]: s["counts"] for s in json.loads(allmende("status", "set", "--json"))}
    assert steps["samples"]["sample"]["dropped"] == {"permission_denied": 2}
    assert steps["robots"]["capture"]["kept"] == 1


def test_a_host_that_recovers_is_asked_again_by_a_retry(allmende, table, web, tmp_path):
    flags = table([f"/ok/back-{i}" for i in range(8)])
    web.answers |= {("127.0.0.2", "/robots.txt"): "/status/500", ("127.0.0.3", "/robots.txt"): "/close"}
    try:
        allmende("fetch", *flags, "--to", "set", "--set", "fetch.retries=0")
    finally:
        web.answers.clear()
    rows = library.Dataset(str(tmp_path / "set")).failures().to_pylist()
    assert {(row["reason"], row["verdict"]) for row in rows} == {
        ("permission_denied", "robots_txt"),
        ("connection_lost", None),
    }
    allmende("retry", "set", "--reason", "permission_denied", "--reason", "connection_lost")
    assert len(library.Dataset(str(tmp_path / "set")).samples().to_pylist()) == 8
