"""The client against a web server that misbehaves on purpose: every way to fail has its Reason, and hurts nobody else."""

import asyncio
import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from allmende.fetch import host_files
from allmende.fetch.client import Client, Target, user_agent
from allmende.fetch.outcome import Facts, Fetched, Outcome
from allmende.permission import ALLOWED, Gate, Verdict
from allmende.permission.policy import PRESETS
from allmende.recipe import Fetch
from allmende.schema import Reason
from allmende.testing.behaviours import INSIDE
from allmende.testing.broken_tls import HANDSHAKES
from allmende.testing.call import picture_bytes
from allmende.testing.nameserver import Failure, Nameserver
from allmende.testing.server import Server

AGENT = user_agent("tests@allmende.example")
OBEYS = Gate(PRESETS["eu-commercial"], None)
"""What the headers say; hosts are not asked for files."""


@pytest.fixture
def server():
    with Server(hosts=4) as server:
        yield server


def config(server: Server, **changes) -> Fetch:
    """Patient enough for a busy machine, and without repeats."""
    known = {
        "ports": server.ports,
        "allow_addresses": ("127.0.0.0/8",),
        "retries": 0,
        "retry_seconds": 0.01,
        "max_bytes": 1_000_000,
    }
    return Fetch(**known | changes)


async def body_of(fetched: Fetched) -> bytes:
    return fetched.body


async def collect(client: Client, urls: Iterable[str], handle=body_of) -> dict[str, Outcome[bytes]]:
    """Outcomes by URL, in the order in which they came."""
    return {t.url: o async for t, o in client.run([Target(i, url) for i, url in enumerate(urls)], handle)}


def fetch(settings: Fetch, urls: Iterable[str], handle=body_of, **options) -> dict[str, Outcome[bytes]]:
    async def work():
        async with Client(settings, AGENT, OBEYS, **options) as client:
            return await collect(client, urls, handle)

    return asyncio.run(work())


async def turns(number: int) -> None:
    """Lets the others go on for so many rounds of the event loop: enough for all that is not held back."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(condition) -> None:
    """Lets the others go on until the condition holds; fails the test rather than hang."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


def fetch_one(settings: Fetch, url: str, **options) -> Outcome[bytes]:
    (outcome,) = fetch(settings, [url], **options).values()
    return outcome


@pytest.mark.parametrize(
    "path",
    [
        "/ok/1",
        "/ok/1?bytes=900000",
        "/chunks/1",
        "/chunks/1?bytes=900000",
        "/until-close/1",
        "/informed/1",
        "/type/1?is=application/octet-stream",
        "/type/1?is=text/html",
        "/type/1?is=",
        "/robots/1?tag=all&tag=otherbot:%20noindex&tag=max-image-preview:%20none",
        "/encoding/1?is=utf-8",
        "/encoding/1?is=gzip",
        "/encoded/gzip",
        "/encoded/deflate",
        "/encoded/br",
        "/encoded/zstd",
        "/encoded/gzip,br",
        "/encoded/gzip?bytes=900000",
        "/redirects/5",
        "/redirect?to=/ok/1",
        "/redirect?to=ok/1&status=301",
        "/redirect?to=ok/1&status=308",
        "/redirect?to=/ok/1&status=307",
        "/too-much/1",
    ],
)
def test_a_picture_is_fetched_whole(server, path):
    outcome = fetch_one(config(server), server.url(path))
    assert outcome.reason is None
    assert outcome.facts.http_status == 200
    assert outcome.result in [picture_bytes(n, int(path.partition("bytes=")[2] or 0)) for n in (0, 1)]


def test_raw_utf8_in_a_location_is_read_as_browsers_read_it(server):
    outcome = fetch_one(config(server), server.url("/redirect-bytes"))
    assert outcome.facts.final_url == server.url("/ok/%C3%BC")


MISBEHAVIOUR = [
    ("/status/404", Reason.HTTP_NOT_FOUND, 404),
    ("/status/410", Reason.HTTP_NOT_FOUND, 410),
    ("/status/401", Reason.HTTP_FORBIDDEN, 401),
    ("/status/403", Reason.HTTP_FORBIDDEN, 403),
    ("/status/451", Reason.HTTP_FORBIDDEN, 451),
    ("/status/418", Reason.HTTP_CLIENT_ERROR, 418),
    ("/status/429", Reason.HTTP_RATE_LIMITED, 429),
    ("/status/500", Reason.HTTP_SERVER_ERROR, 500),
    ("/status/501", Reason.HTTP_SERVER_ERROR, 501),
    ("/status/503", Reason.HTTP_SERVER_ERROR, 503),
    ("/status/202", Reason.HTTP_UNEXPECTED, 202),
    ("/status/300", Reason.HTTP_UNEXPECTED, 300),
    ("/status/999", Reason.HTTP_UNEXPECTED, 999),
    ("/no-content", Reason.HTTP_UNEXPECTED, 204),
    ("/redirect?to=", Reason.HTTP_UNEXPECTED, 302),
    ("/redirect-loop", Reason.REDIRECTS_TOO_MANY, 302),
    ("/redirects/6", Reason.REDIRECTS_TOO_MANY, 301),
    ("/redirect?to=http://[", Reason.REDIRECT_INVALID, 302),
    ("/redirect?to=ftp://a.example/b.jpg", Reason.SCHEME_REFUSED, 302),
    ("/redirect?to=file:///etc/hostname", Reason.SCHEME_REFUSED, 302),
    ("/redirect?to=data:image/png,abc", Reason.SCHEME_REFUSED, 302),
    ("/redirect?to=http://a.example:22/", Reason.PORT_REFUSED, 302),
    ("/html", Reason.CONTENT_TYPE_REFUSED, 200),
    ("/html?type=image/jpeg", Reason.IMAGE_FORMAT, 200),
    ("/encoded-html", Reason.CONTENT_TYPE_REFUSED, 200),
    ("/svg", Reason.IMAGE_FORMAT, 200),
    ("/empty", Reason.BODY_EMPTY, 200),
    ("/ok/1?bytes=1000001", Reason.BODY_TOO_LARGE, 200),
    ("/chunks/1?bytes=1000001", Reason.BODY_TOO_LARGE, 200),
    ("/until-close/1?bytes=1000001", Reason.BODY_TOO_LARGE, 200),
    ("/bomb/gzip", Reason.BODY_TOO_LARGE, 200),
    ("/bomb/deflate", Reason.BODY_TOO_LARGE, 200),
    ("/bomb/br", Reason.BODY_TOO_LARGE, 200),
    ("/bomb/zstd", Reason.BODY_TOO_LARGE, 200),
    ("/broken-encoding/gzip", Reason.BODY_ENCODING_BROKEN, 200),
    ("/encoded/raw-deflate,compress", Reason.BODY_ENCODING_BROKEN, 200),
    ("/robots/1?tag=noai", Reason.PERMISSION_DENIED, 200),
    ("/robots/1?tag=all&tag=max-image-preview:%20none,%20NoImageAI", Reason.PERMISSION_DENIED, 200),
    ("/close", Reason.CONNECTION_LOST, None),
    ("/reset", Reason.CONNECTION_LOST, None),
    ("/cut-headers", Reason.CONNECTION_LOST, None),
    ("/cut/1", Reason.BODY_TRUNCATED, 200),
    ("/cut-chunks/1?bytes=9000", Reason.CONNECTION_LOST, 200),
    ("/garbage", Reason.PROTOCOL_ERROR, None),
    ("/bad-status", Reason.PROTOCOL_ERROR, None),
    ("/bad-length/1", Reason.PROTOCOL_ERROR, None),
    ("/two-lengths/1", Reason.PROTOCOL_ERROR, None),
    ("/negative-length/1", Reason.PROTOCOL_ERROR, None),
    ("/huge-length/1", Reason.BODY_TOO_LARGE, 200),
    ("/bad-chunks/1", Reason.PROTOCOL_ERROR, 200),
    ("/bad-chunks/1?how=negative", Reason.PROTOCOL_ERROR, 200),
    ("/bad-chunks/1?how=overflow", Reason.PROTOCOL_ERROR, 200),
    ("/bad-chunks/1?how=longer", Reason.PROTOCOL_ERROR, 200),
    ("/bad-chunks/1?how=endless-size", Reason.PROTOCOL_ERROR, 200),
    ("/endless-trailer/1", Reason.HEADERS_TOO_LARGE, 200),
    ("/huge-headers/1", Reason.HEADERS_TOO_LARGE, None),
    ("/huge-headers/1?bytes=10000000", Reason.HEADERS_TOO_LARGE, None),
    ("/huge-header/1", Reason.HEADERS_TOO_LARGE, None),
    ("/huge-header/1?bytes=10000000", Reason.HEADERS_TOO_LARGE, None),
    ("/endless-informed", Reason.HEADERS_TOO_LARGE, None),
]
"""Path, Reason, HTTP status. `test_hostile_build` asks for all of them at once."""


@pytest.mark.parametrize(("path", "reason", "status"), MISBEHAVIOUR)
def test_every_misbehaviour_has_its_reason(server, path, reason, status):
    outcome = fetch_one(config(server), server.url(path))
    assert (outcome.reason, outcome.facts.http_status) == (reason, status)
    assert outcome.result is None


def test_a_reset_in_the_middle_is_a_lost_connection(server):
    assert fetch_one(config(server), server.url("/reset-body/1")).reason is Reason.CONNECTION_LOST


def test_a_handshake_that_hangs_is_a_connection_that_does_not_come(server):
    """The plain port waits for the end of the headers, which a TLS hello has none of."""
    outcome = fetch_one(config(server, connect_seconds=0.1), f"https://127.0.0.1:{server.port}/")
    assert outcome.reason is Reason.TIMEOUT_CONNECT


def test_a_dead_address_is_not_the_end_of_a_name(server):
    with Nameserver({"two.test": [["127.0.0.9", "127.0.0.1"]]}) as names:
        outcome = fetch_one(config(server, retries=1), server.url("/ok/1", "two.test"), nameservers=(names.address,))
    assert outcome.reason is None


SLOW = [
    ("/silent", Reason.TIMEOUT_FIRST_BYTE, "first_byte_seconds"),
    ("/drip-headers", Reason.TIMEOUT_FIRST_BYTE, "first_byte_seconds"),
    ("/stall/1", Reason.TIMEOUT_IDLE, "idle_seconds"),
    ("/drip/1", Reason.TIMEOUT_TOTAL, "total_seconds"),
    ("/huge-chunk/1", Reason.TIMEOUT_IDLE, "idle_seconds"),
]


@pytest.mark.parametrize(("path", "reason", "deadline"), SLOW)
def test_no_wait_is_for_ever(server, path, reason, deadline):
    outcome = fetch_one(config(server, **{deadline: 0.1}), server.url(path))
    assert outcome.reason is reason


# Guard


SPELLINGS = [
    "127.0.0.2",
    "2130706434",
    "0x7f000002",
    "0x7f.2",
    "017700000002",
    "0177.0.0.02",
    "127.2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[64:ff9b::7f00:2]",
    "[2002:7f00:2::]",
    "[::1]",
    "[fe80::1]",
    "169.254.169.254",
    "10.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "user:password@127.0.0.2",
    "localhost",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("way", ["straight", "by redirect"])
def test_addresses_that_are_not_public_are_not_asked(server, spelling, way):
    settings = config(server, allow_addresses=("127.0.0.1/32",) if way == "by redirect" else ())
    if spelling == "localhost" and way == "by redirect":
        settings = config(server, allow_addresses=("127.0.0.4/32",))
    url = f"http://{spelling}:{server.port}/ok/1"
    start = server.url(f"/redirect?to={url}", host=4 if spelling == "localhost" else 1)
    outcome = fetch_one(settings, url if way == "straight" else start)
    assert outcome.reason is Reason.ADDRESS_REFUSED
    assert [path for _, path in server.asked] == ([] if way == "straight" else [server.asked[0][1]])


@pytest.mark.parametrize("number", range(len(INSIDE)), ids=INSIDE)
def test_redirects_lead_no_further_inside(server, number):
    settings = config(server, allow_addresses=("127.0.0.4/32",))
    outcome = fetch_one(settings, server.url(f"/redirect-inside/{number}?port={server.port}", 4))
    assert outcome.reason is Reason.ADDRESS_REFUSED
    assert server.hits == {"127.0.0.4": 1}


def test_a_name_is_judged_by_what_it_resolves_to(server):
    zone = {
        "inside.test": [["10.0.0.1"]],
        "mixed.test": [["10.0.0.1", "127.0.0.2"]],
        "outside.test": [["127.0.0.2"]],
        "six.test": [["::1"]],
    }
    settings = config(server, allow_addresses=("127.0.0.2/32",))
    with Nameserver(zone) as names:
        outcomes = fetch(settings, [server.url("/ok/1", name) for name in zone], nameservers=(names.address,))
    assert [outcomes[server.url("/ok/1", name)].reason for name in zone] == [
        Reason.ADDRESS_REFUSED,
        None,
        None,
        Reason.ADDRESS_REFUSED,
    ]
    assert server.hits == {"mixed.test": 1, "outside.test": 1}


def test_a_name_that_changes_its_address_between_two_look_ups_gains_nothing(server):
    """DNS rebinding: the address that was judged is the one that is connected to."""
    addresses = []

    async def handle(fetched):
        addresses.append(fetched.address)
        return fetched.body

    settings = config(server, allow_addresses=("127.0.0.2/32",))
    with Nameserver({"turncoat.test": [["127.0.0.2"], ["127.0.0.3"]]}, ttl=0) as names:
        urls = [server.url(f"/ok/{i}", "turncoat.test") for i in range(20)]
        outcomes = fetch(settings, urls, handle, nameservers=(names.address,))
        again = fetch(settings, urls[:1], handle, nameservers=(names.address,))
    assert {o.reason for o in outcomes.values()} == {None}
    assert set(addresses) == {"127.0.0.2"}
    assert [o.reason for o in again.values()] == [Reason.ADDRESS_REFUSED]
    assert server.hits == {"turncoat.test": 20}


def test_names_that_do_not_resolve(server):
    zone = {"broken.test": [Failure.BROKEN], "refused.test": [Failure.REFUSED], "silent.test": [Failure.SILENT]}
    urls = {name: server.url("/ok/1", name) for name in [*zone, "absent.test", f"{'a' * 64}.test", "a..test"]}
    with Nameserver(zone) as names:
        outcomes = fetch(config(server, connect_seconds=1.0), urls.values(), nameservers=(names.address,))
    assert {name: outcomes[url].reason for name, url in urls.items()} == {
        "broken.test": Reason.DNS_FAILED,
        "refused.test": Reason.DNS_FAILED,
        "silent.test": Reason.TIMEOUT_DNS,
        "absent.test": Reason.DNS_NOT_FOUND,
        f"{'a' * 64}.test": Reason.DNS_NOT_FOUND,
        "a..test": Reason.DNS_NOT_FOUND,
    }


def test_each_name_is_looked_up_once(server):
    with Nameserver({"many.test": [["127.0.0.1"]]}) as names:
        urls = [server.url(f"/ok/{i}", "many.test") for i in range(50)]
        absent = [server.url(f"/ok/{i}", "absent.test") for i in range(50)]
        outcomes = fetch(config(server), urls + absent, nameservers=(names.address,))
        assert names.asked == {"many.test": 1, "absent.test": 1}
    assert Counter(o.reason for o in outcomes.values()) == {None: 50, Reason.DNS_NOT_FOUND: 50}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://", Reason.URL_INVALID),
        ("no url", Reason.URL_INVALID),
        ("ftp://a.example/", Reason.SCHEME_REFUSED),
        ("file:///etc/hostname", Reason.SCHEME_REFUSED),
        ("http://a.example:22/", Reason.PORT_REFUSED),
    ],
)
def test_what_is_no_web_address_is_not_asked(server, url, reason):
    assert fetch_one(config(server), url).reason is reason


def test_proxies_of_the_environment_are_ignored(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.3:9")
    assert fetch_one(config(server), server.url("/ok/1")).reason is None


# TLS


def test_certificates_are_checked(server, monkeypatch):
    url = server.url("/ok/1", tls=True)
    assert fetch_one(config(server), url).reason is Reason.TLS_FAILED
    assert fetch_one(config(server, verify_tls=False), url).reason is None
    monkeypatch.setenv("SSL_CERT_FILE", server.certificate)
    assert fetch_one(config(server), url).reason is None
    assert fetch_one(config(server), server.url("/ok/1", 2, tls=True)).reason is Reason.TLS_FAILED  # another's name


@pytest.mark.parametrize("how", sorted(HANDSHAKES))
def test_a_handshake_that_goes_wrong(server, how):
    url = f"https://127.0.0.1:{server.broken_tls[how]}/"
    assert fetch_one(config(server), url).reason is Reason.TLS_FAILED


# Politeness


@pytest.mark.parametrize("path", ["/close", "/reset", "/cut/1", "/status/500", "/status/408"])
def test_what_may_pass_is_tried_again(server, path):
    fetch_one(config(server, retries=2), server.url(path))
    assert server.hits["127.0.0.1"] == 3


@pytest.mark.parametrize(("path", "hits"), [("/close", 2), ("/reset", 2), ("/cut/1", 3), ("/status/500", 3)])
def test_a_file_that_all_others_wait_for_is_asked_for_once_more_if_nobody_answers(server, path, hits):
    async def work():
        async with Client(config(server, retries=2), AGENT, OBEYS) as client:
            return await host_files.ask(client, "robots.txt", server.url(path))

    assert asyncio.run(work()).reason is not None
    assert server.hits["127.0.0.1"] == hits


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
def test_a_file_that_all_others_wait_for_is_asked_for_once_of_each_address_that_takes_no_connection(addresses):
    connections = Counter()

    async def hang(reader, writer):
        connections[writer.get_extra_info("sockname")[0]] += 1
        await reader.read()
        writer.close()

    async def work(nameserver):
        async with await asyncio.start_server(hang, "0.0.0.0", 0) as silent:
            port = silent.sockets[0].getsockname()[1]
            patient = {"retries": 2, "retry_seconds": 0.01, "connect_seconds": 0.1}
            settings = Fetch(ports=(port,), allow_addresses=("127.0.0.0/8",), **patient)
            async with Client(settings, AGENT, OBEYS, nameservers=(nameserver,)) as client:
                return await host_files.ask(client, "robots.txt", f"https://silent.test:{port}/robots.txt")

    with Nameserver({"silent.test": [addresses]}) as names:
        assert asyncio.run(work(names.address)).reason is Reason.TIMEOUT_CONNECT
    assert connections == dict.fromkeys(addresses, 1)


@pytest.mark.parametrize("path", ["/status/404", "/status/410", "/status/403", "/status/501", "/html", "/garbage"])
def test_what_will_not_pass_is_not_tried_again(server, path):
    fetch_one(config(server, retries=2), server.url(path))
    assert server.hits["127.0.0.1"] == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", ["", "&after=0", "&after=0&form=date"])
def test_a_host_that_asks_for_rest_recovers(server, status, after):
    outcome = fetch_one(config(server, retries=2), server.url(f"/recovers/{status}?times=2{after}"))
    assert outcome.reason is None
    assert server.hits["127.0.0.1"] == 3


def test_a_host_that_asks_for_a_long_rest_is_set_aside(server):
    urls = [server.url("/recovers/429?times=1&after=999")] + [server.url(f"/ok/{i}") for i in range(20)]
    other = [server.url(f"/ok/{i}", host=2) for i in range(20)]
    outcomes = fetch(config(server, retries=2, per_host=1), urls + other)
    assert outcomes[urls[0]].reason is Reason.HTTP_RATE_LIMITED
    assert {outcomes[url].reason for url in urls[1:]} == {Reason.HOST_SET_ASIDE}
    assert {outcomes[url].reason for url in other} == {None}
    assert server.hits["127.0.0.1"] == 1


@pytest.mark.parametrize("retries", [0, 2])
def test_a_dead_host_is_tried_five_times(server, retries):
    """And the same five URLs are those that were tried, every time."""
    urls = [f"http://127.0.0.9:{server.port}/ok/{i}" for i in range(20)]
    outcomes = fetch(config(server, retries=retries, retry_seconds=10.0), urls)
    assert [outcomes[url].reason for url in urls] == [Reason.CONNECT_FAILED] * 5 + [Reason.HOST_SET_ASIDE] * 15


@pytest.mark.parametrize(("per_host", "concurrency", "most"), [(2, 100, 8), (5, 6, 6)])
def test_no_more_requests_at_once_than_allowed(server, per_host, concurrency, most):
    """Neither to one host, nor to all together."""
    urls = [server.url(f"/held/{i}", host) for i in range(30) for host in (1, 2, 3, 4)]

    async def work():
        async with Client(config(server, concurrency=concurrency, per_host=per_host), AGENT, OBEYS) as client:
            outcomes = asyncio.create_task(collect(client, urls))
            await until(lambda: server.hits.total() >= most)
            server.release()
            return await outcomes

    assert {o.reason for o in asyncio.run(work()).values()} == {None}
    assert server.most_at_once.total() >= most
    assert max(server.most_at_once.values()) <= per_host
    assert server.connections <= 4 * per_host


def test_several_calls_share_hosts_and_limits(server):
    groups = [[server.url(f"/held/{group}{i}") for i in range(50)] for group in range(4)]

    async def work():
        async with Client(config(server, per_host=3), AGENT, OBEYS) as client:
            calls = asyncio.gather(*(collect(client, urls) for urls in groups))
            await until(lambda: server.hits.total() >= 3)
            server.release()
            return await calls

    results = asyncio.run(work())
    assert [set(result) for result in results] == [set(urls) for urls in groups]
    assert {o.reason for result in results for o in result.values()} == {None}
    assert server.most_at_once["127.0.0.1"] == 3


def test_hosts_that_hang_or_are_dead_hold_up_nobody_else(server):
    """Two hosts never answer and one is dead; everything else is done before the first of them gives up."""
    hanging = [server.url(f"/held/{i}", host) for i in range(50) for host in (3, 4)]
    dead = [f"http://127.0.0.9:{server.port}/ok/{i}" for i in range(50)]
    good = [server.url(f"/ok/{i}", host) for i in range(450) for host in (1, 2)]
    urls = [url for group in itertools.zip_longest(hanging, dead, good) for url in group if url]
    order = []

    async def work():
        async with Client(config(server, concurrency=16), AGENT, OBEYS) as client:
            async for target, outcome in client.run([Target(None, url) for url in urls], body_of):
                order.append((target.url, outcome.reason))
                if len(order) == len(good) + len(dead):
                    server.release()

    asyncio.run(work())
    first = dict(order[: len(good) + len(dead)])
    assert first.keys() == set(good) | set(dead)
    assert Counter(first.values()) == {None: len(good), Reason.CONNECT_FAILED: 5, Reason.HOST_SET_ASIDE: 45}
    assert {reason for _, reason in order[len(first) :]} == {None}


# Permission


class Spoken:
    """Answers before the request, at once or later; nothing to say about the response."""

    def __init__(self, later: bool):
        self.later = later
        self.asked = []

    def before(self, url):
        self.asked.append(url)
        verdict = Verdict(False, "test") if "private" in url else ALLOWED
        return self._later(verdict) if self.later else verdict

    async def _later(self, verdict):
        await asyncio.sleep(0)
        return verdict

    def after(self, url, headers):
        return ALLOWED


@pytest.mark.parametrize("later", [False, True])
def test_permission_is_asked_before_every_request(server, later):
    permission = Spoken(later)
    urls = [server.url("/ok/1"), server.url("/ok/private"), server.url("/redirect?to=/ok/%70rivate")]

    async def work():
        async with Client(config(server), AGENT, permission) as client:
            return await collect(client, urls)

    outcomes = asyncio.run(work())
    assert [outcomes[url].reason for url in urls] == [None, *[Reason.PERMISSION_DENIED] * 2]
    assert Counter(permission.asked) == {urls[0]: 1, urls[1]: 2, urls[2]: 1}
    assert sorted(path for _, path in server.asked) == ["/ok/1", "/redirect?to=/ok/%70rivate"]


def test_what_a_server_reserves_is_noted_as_written(server):
    outcome = fetch_one(config(server), server.url("/robots/1?tag=NoAI&tag=otherbot:%20all"))
    assert outcome.reason is Reason.PERMISSION_DENIED
    assert outcome.facts.x_robots_tag == "NoAI\notherbot: all"


# Everything else


def test_facts_are_kept(server):
    before = datetime.now(UTC)
    url = server.url('/ok/1?etag="x"&last-modified=Sat,%2021%20Nov%202026%2010:00:00%20GMT&bytes=5000')
    facts = fetch_one(config(server), url).facts
    assert before <= facts.fetched_at <= datetime.now(UTC)
    assert facts.fetch_ms >= 0
    known = Facts(
        final_url=url.replace('"', "%22"),
        http_status=200,
        content_type="image/jpeg",
        last_modified="Sat, 21 Nov 2026 10:00:00 GMT",
        etag='"x"',
        fetched_at=facts.fetched_at,
        fetch_ms=facts.fetch_ms,
        bytes_received=5_000,
        signals=(),
    )
    assert facts == known


def test_a_connection_that_fails_after_a_redirect_keeps_the_redirect_in_its_facts(server):
    start = server.url(f"/redirect?to=http://127.0.0.9:{server.port}/")
    outcome = fetch_one(config(server), start)
    assert (outcome.reason, outcome.facts.http_status) == (Reason.CONNECT_FAILED, 302)
    assert outcome.facts.final_url == start


def test_a_handler_may_refuse(server):
    async def refuse(fetched):
        return Reason.IMAGE_SMALL

    (outcome,) = fetch(config(server), [server.url("/ok/1")], refuse).values()
    assert (outcome.reason, outcome.result) == (Reason.IMAGE_SMALL, None)


def test_an_error_in_a_handler_ends_the_call(server):
    async def fail(fetched):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fetch(config(server), [server.url(f"/ok/{i}") for i in range(50)], fail)


def test_an_error_in_the_targets_ends_the_call(server):
    def targets():
        yield Target(0, server.url("/ok/0"))
        raise ZeroDivisionError

    async def work():
        async with Client(config(server), AGENT, OBEYS) as client:
            return [outcome async for outcome in client.run(targets(), body_of)]

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())


def test_an_error_in_the_permission_ends_the_call(server):
    class Broken(Gate):
        def after(self, url, headers):
            raise ZeroDivisionError

    async def work():
        async with Client(config(server), AGENT, Broken(PRESETS["eu-commercial"], None)) as client:
            return await collect(client, [server.url("/ok/1")])

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work())


def test_bodies_in_memory_stay_within_the_budget(server):
    held, most = Counter(), Counter()

    async def hold(fetched):
        held["bytes"] += len(fetched.body)
        most["bytes"] = max(most["bytes"], held["bytes"])
        await turns(100)
        held["bytes"] -= len(fetched.body)
        return b"done"

    paths = ["/ok/1?bytes=700000", "/chunks/1?bytes=400000", "/chunks/1?bytes=100", "/encoded/gzip?bytes=900000"]
    urls = [server.url(f"{path}&n={i}", host) for i in range(10) for path in paths for host in (1, 2)]
    outcomes = fetch(config(server, bytes_in_flight=2_600_000, per_host=20), urls, hold)
    assert Counter(o.reason for o in outcomes.values()) == {None: len(urls)}
    assert 1_000_000 < most["bytes"] <= 2_600_000


def test_no_request_starts_that_would_have_to_wait_for_memory(server):
    """Two bodies fill the budget and one response waits for its share: the next request is not even sent."""
    big = [server.url("/ok/1?bytes=900000", host) for host in (1, 2, 3)]

    async def work():
        go_on = asyncio.Event()

        async def hold(fetched):
            await go_on.wait()
            return b"done"

        async with Client(config(server, bytes_in_flight=2_000_000), AGENT, OBEYS) as client:
            first = [asyncio.create_task(collect(client, big, hold))]
            await until(lambda: client._budget.waiting)
            first.append(asyncio.create_task(collect(client, [server.url("/ok/2", host=4)], hold)))
            await turns(2_000)
            asked = server.hits.total()
            go_on.set()
            return asked, await asyncio.gather(*first)

    asked, outcomes = asyncio.run(work())
    assert asked == 3
    assert {o.reason for group in outcomes for o in group.values()} == {None}


def test_what_is_refused_when_its_turn_in_memory_comes(server):
    """A body without Content-Length waits for the budget, goes on, and turns out to be too large."""
    too_large = [server.url(f"/chunks/1?bytes=1300000&n={i}", host) for i in range(10) for host in (1, 2)]
    good = [server.url(f"/chunks/1?bytes=900000&n={i}", host) for i in range(10) for host in (1, 2)]

    async def hold(fetched):
        await turns(100)
        return b"done"

    outcomes = fetch(config(server, bytes_in_flight=2_300_000, per_host=20), too_large + good, hold)
    assert {outcomes[url].reason for url in too_large} == {Reason.BODY_TOO_LARGE}
    assert {outcomes[url].reason for url in good} == {None}


def test_targets_are_pulled_as_they_are_needed(server):
    pulled = Counter()

    def endless():
        for i in itertools.count():
            pulled["targets"] += 1
            yield Target(i, server.url(f"/ok/{i % 5}", host=i % 4 + 1))

    async def work():
        async with Client(config(server, concurrency=4), AGENT, OBEYS) as client:
            taken = [item async for _, item in _zip(range(300), client.run(endless(), body_of))]
            assert pulled["targets"] <= 300 + 4 * 4 + 4_096 + 1
            return taken

    assert {outcome.reason for _, outcome in asyncio.run(work())} == {None}


async def _zip(numbers, items):
    for number in numbers:
        yield number, await anext(items)
    await items.aclose()


def test_a_caller_that_takes_its_time_is_not_buried(server, monkeypatch):
    """Requests stop while outcomes wait to be taken, and go on when they are."""
    monkeypatch.setattr("allmende.fetch.client.BACKLOG", 20)
    urls = [server.url(f"/ok/{i}", host=i % 4 + 1) for i in range(500)]

    async def work():
        async with Client(config(server, concurrency=4), AGENT, OBEYS) as client:
            outcomes = client.run([Target(i, url) for i, url in enumerate(urls)], body_of)
            await anext(outcomes)
            await until(lambda: not client._running)
            return server.hits.total(), 1 + len([outcome async for outcome in outcomes])

    asked, taken = asyncio.run(work())
    assert asked < 100
    assert taken == len(urls)


def test_a_handler_that_takes_its_time_is_not_buried(server):
    """Requests stop while as many bodies wait for it as requests may be under way, and go on when it does."""
    urls = [server.url(f"/ok/{i}", host=i % 4 + 1) for i in range(100)]

    async def work():
        go_on = asyncio.Event()

        async def hold(fetched):
            await go_on.wait()
            return b"done"

        async with Client(config(server, concurrency=4), AGENT, OBEYS) as client:
            outcomes = asyncio.create_task(collect(client, urls, hold))
            await until(lambda: server.hits.total() >= 4 and not client._running)
            asked = server.hits.total()
            go_on.set()
            return asked, await outcomes

    asked, outcomes = asyncio.run(work())
    assert asked < 2 * 4
    assert {outcome.reason for outcome in outcomes.values()} == {None}
    assert len(outcomes) == len(urls)


def test_a_caller_that_leaves_early_leaves_nothing_behind(server):
    """What it had under way does not take the place of others, and what it had not begun never begins."""
    held = [server.url("/ok/1"), server.url("/held/1", 2), server.url("/held/2", 3), server.url("/ok/2", 3)]
    patient = config(server, concurrency=2, per_host=1, first_byte_seconds=300.0, total_seconds=300.0)

    async def work():
        async with Client(patient, AGENT, OBEYS) as client, asyncio.timeout(60):
            outcomes = client.run([Target(i, url) for i, url in enumerate(held)], body_of)
            await anext(outcomes)
            await until(lambda: server.hits.total() == 3)
            await outcomes.aclose()
            return await collect(client, [server.url(f"/ok/{i}", host=i) for i in (3, 4)])

    assert {o.reason for o in asyncio.run(work()).values()} == {None}
    assert ("127.0.0.3", "/ok/2") not in server.asked


def test_a_redirect_does_not_go_to_the_end_of_the_queue(server):
    fetch(config(server, per_host=1), [server.url(f"/{path}") for path in ("redirect?to=/ok/0", "ok/1", "ok/2")])
    assert [path for _, path in server.asked] == ["/redirect?to=/ok/0", "/ok/0", "/ok/1", "/ok/2"]


def test_the_user_agent_says_who_asks(server):
    fetch_one(config(server), server.url("/ok/1"))
    assert server.user_agents == {AGENT}


def test_the_server_runs_in_a_process_of_its_own():
    command = [sys.executable, "-m", "allmende.testing.server", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        where = json.loads(process.stdout.readline())
        port = int(where["url"].rpartition(":")[2])
        outcome = fetch_one(Fetch(ports=(port,), allow_addresses=("127.0.0.0/8",)), f"{where['url']}/ok/1")
        process.stdin.close()
        assert process.wait(10) == 0
    assert outcome.reason is None


STARVED = """
import asyncio, os, resource, sys
from allmende.errors import EngineError, RecipeError
from allmende.fetch.client import Client, Target
from allmende.permission.protocol import AllowAll
from allmende.recipe import Fetch

def limit(soft, hard):
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

async def handle(fetched):
    return fetched.body

async def work():
    config = Fetch(concurrency=50, per_host=50, ports=(int(sys.argv[1]),), allow_addresses=("127.0.0.0/8",))
    async with Client(config, "test", AllowAll()) as client:
        limit(max(map(int, os.listdir("/proc/self/fd"))) + 4, 300)
        urls = [Target(i, f"http://127.0.0.1:{sys.argv[1]}/ok/{i}") for i in range(50)]
        return [outcome async for _, outcome in client.run(urls, handle)]

limit(300, 300)
try:
    asyncio.run(work())
except EngineError as error:
    print("EngineError:", error)
limit(100, 100)
try:
    asyncio.run(work())
except RecipeError as error:
    print("RecipeError:", error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts open files in /proc")
def test_running_out_of_open_files_is_not_the_hosts_fault(server):
    """Neither is it a Reason: the crawl stops, and says what to do. With a limit that can't suffice it does not begin."""
    done = subprocess.run([sys.executable, "-c", STARVED, str(server.port)], capture_output=True, text=True, check=True)
    engine, recipe = done.stdout.splitlines()
    assert engine.startswith("EngineError:")
    assert "open files" in engine
    assert recipe.startswith("RecipeError: fetch.concurrency")
    assert "ulimit" in recipe
